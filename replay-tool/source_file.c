/* source_file.c - a file of events, or stdin, as a source. See source.h.
 *
 * The same lines are the same records as for the embedded meter: the reader of
 * lines is the one of the processor. */
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include <xxhash.h>

#include "processor/log_file_records.h"
#include "replay-tool/interrupt.h"
#include "replay-tool/scratch.h"
#include "replay-tool/source.h"
#include "snapshots/files.h"

#define RECORDS_MAX 4096 /* handed out at once */
#define WAIT_MS     1000

struct source_file {
    struct source source; /* first, so that a struct source * is one of these */
    struct lines *lines;
    struct line_records taken;
    struct log_mark start; /* the smallest mark */
    bool is_begun, is_started;
    bool is_left[PARTITIONS_MAX];
    struct log_mark read; /* after the last line */
    struct log_record records[RECORDS_MAX];
};

static struct source_file *of(struct source *source)
{
    return (struct source_file *)source;
}

static bool file_begin(struct source *source, uint32_t partition, int64_t offset, const struct log_mark *mark)
{
    struct source_file *file = of(source);
    file->taken.next_offset[partition] = offset;
    if (!file->is_begun || mark->position < file->start.position)
        file->start = *mark;
    file->is_begun = true;
    return true;
}

static uint64_t check_of(struct text line)
{
    return XXH3_64bits(line.at, line.len);
}

/* The line that ends at the mark was folded before: it must be the same one. */
static bool recognise(struct source_file *file, const struct line *line)
{
    const struct log_mark *start = &file->start;
    if (line->end < start->position ||
        (line->end == start->position && line->number + 1 == start->lines && check_of(line->bytes) == start->check))
        return true;
    return fail_with(&file->source.error, EX_CONFIG,
                     "%s has another line than the one that was read last (line %" PRId64 ", ending at byte %" PRId64
                     "): name the file that was read then",
                     lines_name(file->lines), start->lines, start->position);
}

static bool start_reading(struct source_file *file)
{
    file->is_started = true;
    if (lines_seek(file->lines, &file->start))
        return true;
    return fail_with(&file->source.error, EX_CONFIG,
                     "%s has no line that ends at byte %" PRId64
                     ", where the last one read did: name the file that was read then",
                     lines_name(file->lines), file->start.position);
}

/* False when a line before the start is another one. */
static bool take_lines(struct source_file *file, size_t *count)
{
    struct line line, last = {.bytes = TEXT_NONE};
    *count = 0;
    while (*count < RECORDS_MAX && lines_next(file->lines, &line)) {
        struct log_record *record = &file->records[*count];
        last = line;
        if (line.end <= file->start.position) {
            if (!recognise(file, &line))
                return false;
            continue;
        }
        if (line_is_blank(line.bytes))
            continue;
        if (line_to_record(&file->taken, &line, record))
            line_was_taken(&file->taken, record);
        if (!file->is_left[record->partition])
            (*count)++;
    }
    if (text_present(last.bytes))
        file->read = (struct log_mark){last.end, last.number + 1, check_of(last.bytes)};
    return true;
}

static enum source_answer file_read(struct source *source, struct source_batch *batch)
{
    struct source_file *file = of(source);
    size_t count;
    if (!file->is_started && !start_reading(file))
        return SOURCE_FAILED;
    archive_forget(&file->taken.memory);
    for (;;) {
        if (!take_lines(file, &count))
            return SOURCE_FAILED;
        if (count > 0)
            break;
        enum lines_answer answer = lines_fill(file->lines, WAIT_MS, &source->error);
        if (answer == LINES_END)
            return SOURCE_END;
        if (answer == LINES_FAILED || interrupt_check(&source->error))
            return SOURCE_FAILED;
        archive_forget(&file->taken.memory);
    }
    *batch = (struct source_batch){
        .count = count, .records = file->records, .done = file->read.position, .total = lines_size(file->lines)};
    return SOURCE_RECORDS;
}

static void file_leave(struct source *source, uint32_t partition)
{
    of(source)->is_left[partition] = true;
}

static const struct log_mark *file_mark(struct source *source)
{
    return &of(source)->read;
}

static void file_close(struct source *source)
{
    struct source_file *file = of(source);
    archive_free(&file->taken.memory);
    lines_close(file->lines);
    free(file);
}

static const struct source_operations operations = {
    .begin = file_begin, .read = file_read, .leave = file_leave, .mark = file_mark, .close = file_close};

struct source *source_file_open(const struct source_options *options, struct store_error *error)
{
    struct source_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        abort();
    file->source.does = &operations;
    file->source.cluster = "";
    file->source.partition_count = (uint32_t)options->partitions;
    file->lines = lines_open(options->events, scratch_parent(), false, error);
    if (file->lines != NULL)
        return &file->source;
    free(file);
    return NULL;
}
