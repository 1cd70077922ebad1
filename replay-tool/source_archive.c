/* source_archive.c - an archive as a source, one partition after the other.
 * See source.h and archive.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/log_file_archive.h"
#include "replay-tool/interrupt.h"
#include "replay-tool/segment.h"
#include "replay-tool/source.h"
#include "snapshots/files.h"

#define RECORDS_MAX 4096 /* handed out at once */

struct source_archive {
    struct source source; /* first, so that a struct source * is one of these */
    struct archive archive;
    struct archive_memory memory;
    struct segment_reader *reader; /* of segments[now] */
    size_t now;
    int64_t next; /* offset: no record of this segment has a smaller one any more */
    int64_t from[PARTITIONS_MAX];
    bool is_left[PARTITIONS_MAX];
    int64_t done; /* bytes of lines */
    struct log_record records[RECORDS_MAX];
};

static struct source_archive *of(struct source *source)
{
    return (struct source_archive *)source;
}

static bool archive_begin(struct source *source, uint32_t partition, int64_t offset, const struct log_mark *mark)
{
    (void)mark;
    of(source)->from[partition] = offset;
    return true;
}

static bool is_wanted(const struct source_archive *archive, const struct archive_segment *segment)
{
    return !archive->is_left[segment->partition] && segment->next_offset > archive->from[segment->partition];
}

/* The record of a line; its offsets only grow within the segment. */
static bool take_line(struct source_archive *archive, struct text line, struct log_record *record)
{
    const struct archive_segment *segment = &archive->archive.segments[archive->now];
    bool fits = archive_parse(&archive->memory, line, &record->partition, &record->record) &&
                record->partition == segment->partition && record->record.offset >= archive->next &&
                record->record.offset < segment->next_offset;
    if (!fits)
        return fail_with(&archive->source.error, EX_DATAERR,
                         "%s: partition %" PRIu32 ": after offset %" PRId64
                         " comes a line that is no record of offsets below %" PRId64 ": the archive was changed",
                         archive->archive.dir, segment->partition, archive->next - 1, segment->next_offset);
    archive->next = record->record.offset + 1;
    record->end = archive->next;
    return true;
}

static enum source_answer read_segment(struct source_archive *archive, size_t *count)
{
    struct store_error *error = &archive->source.error;
    enum segment_answer answer = SEGMENT_LINE;
    struct text line;
    while (*count < RECORDS_MAX && (answer = segment_read(archive->reader, &line, error)) == SEGMENT_LINE) {
        if (!take_line(archive, line, &archive->records[*count]))
            return SOURCE_FAILED;
        archive->done += (int64_t)line.len + 1;
        ++*count;
    }
    if (answer == SEGMENT_FAILED)
        return SOURCE_FAILED;
    if (answer == SEGMENT_END) {
        segment_close(archive->reader);
        archive->reader = NULL;
        archive->now++;
    }
    return SOURCE_RECORDS;
}

/* The next segment that is wanted is opened; SOURCE_END when there is none. */
static enum source_answer open_next(struct source_archive *archive)
{
    const struct archive *files = &archive->archive;
    while (archive->now < files->count && !is_wanted(archive, &files->segments[archive->now]))
        archive->done += files->segments[archive->now++].bytes;
    if (archive->now == files->count)
        return SOURCE_END;
    archive->next = files->segments[archive->now].first_offset;
    archive->reader = segment_open(files, &files->segments[archive->now], &archive->source.error);
    return archive->reader != NULL ? SOURCE_RECORDS : SOURCE_FAILED;
}

static int64_t total_bytes(const struct archive *archive)
{
    int64_t total = 0;
    for (size_t i = 0; i < archive->count; i++)
        total += archive->segments[i].bytes;
    return total;
}

static enum source_answer archive_read_records(struct source *source, struct source_batch *batch)
{
    struct source_archive *archive = of(source);
    enum source_answer answer = SOURCE_RECORDS;
    size_t count = 0;
    archive_forget(&archive->memory);
    while (count == 0 && answer == SOURCE_RECORDS) {
        if (interrupt_check(&source->error))
            return SOURCE_FAILED;
        if (archive->reader == NULL)
            answer = open_next(archive);
        if (answer == SOURCE_RECORDS)
            answer = read_segment(archive, &count);
    }
    *batch = (struct source_batch){
        .count = count, .records = archive->records, .done = archive->done, .total = total_bytes(&archive->archive)};
    return answer;
}

/* What is left of the segment is not read. */
static void archive_leave(struct source *source, uint32_t partition)
{
    struct source_archive *archive = of(source);
    archive->is_left[partition] = true;
    if (archive->reader == NULL || archive->archive.segments[archive->now].partition != partition)
        return;
    segment_close(archive->reader);
    archive->reader = NULL;
    archive->now++;
}

static const struct log_mark *archive_mark(struct source *source)
{
    (void)source;
    return NULL;
}

static void archive_close(struct source *source)
{
    struct source_archive *archive = of(source);
    if (archive->reader != NULL)
        segment_close(archive->reader);
    archive_free(&archive->memory);
    archive_release(&archive->archive);
    free(archive);
}

static const struct source_operations operations = {.begin = archive_begin,
                                                    .read = archive_read_records,
                                                    .leave = archive_leave,
                                                    .mark = archive_mark,
                                                    .close = archive_close};

static bool open_archive(struct source_archive *archive, const struct source_options *options,
                         struct store_error *error)
{
    uint32_t given = (uint32_t)options->partitions;
    if (!archive_exists(options->events))
        return fail_with(error, EX_DATAERR,
                         "%s is a directory without a " ARCHIVE_MANIFEST
                         ": name a file of events, or what `callfold-replay archive` made",
                         options->events);
    if (!archive_read(&archive->archive, options->events, error))
        return false;
    archive->source.partition_count = archive->archive.partition_count;
    if (given == 0 || given == archive->source.partition_count)
        return true;
    return fail_with(error, EX_USAGE, "--partitions %" PRIu32 ": the archive %s is of %" PRIu32 " (0 = not given)",
                     given, options->events, archive->source.partition_count);
}

struct source *source_archive_open(const struct source_options *options, struct store_error *error)
{
    struct source_archive *archive = calloc(1, sizeof *archive);
    if (archive == NULL)
        abort();
    archive->source.does = &operations;
    if (open_archive(archive, options, error)) {
        archive->source.cluster = archive->archive.cluster;
        return &archive->source;
    }
    archive_close(&archive->source);
    return NULL;
}
