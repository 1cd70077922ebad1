/* source_archive.c - an archive as a source, one partition after the other.
 * See source.h and archive.h.
 *
 * Proving, decompressing and parsing take about as long as half of folding. So
 * a thread of its own fills one batch while the other is folded; it works
 * through the segments, and all else in here is the caller's. */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>

#include "processor/log_file_archive.h"
#include "replay-tool/interrupt.h"
#include "replay-tool/segment.h"
#include "replay-tool/source.h"
#include "snapshots/files.h"

#define RECORDS_MAX 2048 /* handed out at once: what they point to should stay in the cache */
#define BATCHES     2

struct batch {
    enum source_answer answer;
    size_t count;
    int64_t done; /* bytes of lines up to here */
    struct archive_memory memory;
    struct log_record records[RECORDS_MAX];
};

struct source_archive {
    struct source source; /* first, so that a struct source * is one of these */
    struct archive archive;
    int64_t from[PARTITIONS_MAX], total; /* before the thread begins */
    enum source_answer answer;           /* the last one given */

    pthread_t thread;
    bool is_running;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    size_t filled, given; /* batches so far: filled by the thread, and given back by the caller */
    bool is_closing, is_left[PARTITIONS_MAX];
    struct batch batches[BATCHES]; /* batch i: i modulo BATCHES; the thread's from given back until filled */

    /* The thread's. */
    struct segment_reader *reader; /* of segments[now] */
    size_t now;
    int64_t next; /* offset: no record of this segment has a smaller one any more */
    int64_t done;
    struct store_error error; /* of the batch that failed, once it is filled */
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

/* The thread: segments to batches. */

static bool is_left(struct source_archive *archive, uint32_t partition)
{
    pthread_mutex_lock(&archive->mutex);
    bool is_left = archive->is_left[partition];
    pthread_mutex_unlock(&archive->mutex);
    return is_left;
}

/* The record of a line; its offsets only grow within the segment. */
static bool take_line(struct source_archive *archive, struct batch *batch, struct text line)
{
    const struct archive_segment *segment = &archive->archive.segments[archive->now];
    struct log_record *record = &batch->records[batch->count];
    bool fits = archive_parse(&batch->memory, line, &record->partition, &record->record) &&
                record->partition == segment->partition && record->record.offset >= archive->next &&
                record->record.offset < segment->next_offset;
    if (!fits)
        return fail_with(&archive->error, EX_DATAERR,
                         "%s: partition %" PRIu32 ": after offset %" PRId64
                         " comes a line that is no record of offsets below %" PRId64 ": the archive was changed",
                         archive->archive.dir, segment->partition, archive->next - 1, segment->next_offset);
    archive->next = record->record.offset + 1;
    record->end = archive->next;
    archive->done += (int64_t)line.len + 1;
    batch->count++;
    return true;
}

static void end_segment(struct source_archive *archive)
{
    segment_close(archive->reader);
    archive->reader = NULL;
    archive->now++;
}

static enum source_answer read_segment(struct source_archive *archive, struct batch *batch)
{
    enum segment_answer answer = SEGMENT_LINE;
    struct text line;
    while (batch->count < RECORDS_MAX &&
           (answer = segment_read(archive->reader, &line, &archive->error)) == SEGMENT_LINE)
        if (!take_line(archive, batch, line))
            return SOURCE_FAILED;
    if (answer == SEGMENT_END)
        end_segment(archive);
    return answer == SEGMENT_FAILED ? SOURCE_FAILED : SOURCE_RECORDS;
}

/* The next segment that is wanted is opened; SOURCE_END when there is none. */
static enum source_answer open_next(struct source_archive *archive)
{
    const struct archive *files = &archive->archive;
    for (; archive->now < files->count; archive->now++) {
        const struct archive_segment *segment = &files->segments[archive->now];
        if (!is_left(archive, segment->partition) && segment->next_offset > archive->from[segment->partition])
            break;
        archive->done += segment->bytes;
    }
    if (archive->now == files->count)
        return SOURCE_END;
    archive->next = files->segments[archive->now].first_offset;
    archive->reader = segment_open(files, &files->segments[archive->now], &archive->error);
    return archive->reader != NULL ? SOURCE_RECORDS : SOURCE_FAILED;
}

static void fill(struct source_archive *archive, struct batch *batch)
{
    archive_forget(&batch->memory);
    batch->count = 0;
    batch->answer = SOURCE_RECORDS;
    if (archive->reader != NULL && is_left(archive, archive->archive.segments[archive->now].partition))
        end_segment(archive); /* what is left of it is not wanted */
    while (batch->count == 0 && batch->answer == SOURCE_RECORDS) {
        if (archive->reader == NULL)
            batch->answer = open_next(archive);
        if (batch->answer == SOURCE_RECORDS)
            batch->answer = read_segment(archive, batch);
    }
    batch->done = archive->done;
}

/* The next batch that is free to be filled; NULL when the source is closing. */
static struct batch *wait_for_free(struct source_archive *archive)
{
    pthread_mutex_lock(&archive->mutex);
    while (archive->filled - archive->given == BATCHES && !archive->is_closing)
        pthread_cond_wait(&archive->changed, &archive->mutex);
    struct batch *batch = archive->is_closing ? NULL : &archive->batches[archive->filled % BATCHES];
    pthread_mutex_unlock(&archive->mutex);
    return batch;
}

static void *work(void *context)
{
    struct source_archive *archive = context;
    enum source_answer answer = SOURCE_RECORDS;
    struct batch *batch;
    while (answer == SOURCE_RECORDS && (batch = wait_for_free(archive)) != NULL) {
        fill(archive, batch);
        answer = batch->answer;
        pthread_mutex_lock(&archive->mutex);
        archive->filled++;
        pthread_cond_broadcast(&archive->changed);
        pthread_mutex_unlock(&archive->mutex);
    }
    return NULL;
}

/* The caller. */

static int64_t total_bytes(const struct archive *archive)
{
    int64_t total = 0;
    for (size_t i = 0; i < archive->count; i++)
        total += archive->segments[i].bytes;
    return total;
}

/* Signals are the caller's: a wait of its own is to be interrupted. */
static bool start(struct source_archive *archive)
{
    sigset_t all, before;
    archive->total = total_bytes(&archive->archive);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int number = pthread_create(&archive->thread, NULL, work, archive);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    archive->is_running = number == 0;
    return number == 0 ||
           fail_with(&archive->source.error, EX_UNAVAILABLE, "cannot start a thread: %s", strerror(number));
}

/* Gives back the batch that the caller had, and waits for the next one. */
static const struct batch *next_batch(struct source_archive *archive, bool has_one)
{
    pthread_mutex_lock(&archive->mutex);
    archive->given += has_one ? 1 : 0;
    pthread_cond_broadcast(&archive->changed);
    while (archive->filled == archive->given)
        pthread_cond_wait(&archive->changed, &archive->mutex);
    const struct batch *batch = &archive->batches[archive->given % BATCHES];
    pthread_mutex_unlock(&archive->mutex);
    return batch;
}

static enum source_answer archive_read_records(struct source *source, struct source_batch *batch)
{
    struct source_archive *archive = of(source);
    bool has_one = archive->is_running;
    if (archive->answer != SOURCE_RECORDS)
        return archive->answer; /* the thread has ended */
    if (interrupt_check(&source->error) || (!has_one && !start(archive)))
        return SOURCE_FAILED;
    const struct batch *next = next_batch(archive, has_one);
    if (next->answer == SOURCE_FAILED)
        source->error = archive->error;
    *batch = (struct source_batch){
        .count = next->count, .records = next->records, .done = next->done, .total = archive->total};
    archive->answer = next->answer;
    return next->answer;
}

static void archive_leave(struct source *source, uint32_t partition)
{
    struct source_archive *archive = of(source);
    pthread_mutex_lock(&archive->mutex);
    archive->is_left[partition] = true;
    pthread_mutex_unlock(&archive->mutex);
}

static const struct log_mark *archive_mark(struct source *source)
{
    (void)source;
    return NULL;
}

static void archive_close(struct source *source)
{
    struct source_archive *archive = of(source);
    pthread_mutex_lock(&archive->mutex);
    archive->is_closing = true;
    pthread_cond_broadcast(&archive->changed);
    pthread_mutex_unlock(&archive->mutex);
    if (archive->is_running)
        pthread_join(archive->thread, NULL);
    if (archive->reader != NULL)
        segment_close(archive->reader);
    for (size_t i = 0; i < BATCHES; i++)
        archive_free(&archive->batches[i].memory);
    pthread_cond_destroy(&archive->changed);
    pthread_mutex_destroy(&archive->mutex);
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
    pthread_mutex_init(&archive->mutex, NULL);
    pthread_cond_init(&archive->changed, NULL);
    if (open_archive(archive, options, error)) {
        archive->source.cluster = archive->archive.cluster;
        return &archive->source;
    }
    archive_close(&archive->source);
    return NULL;
}
