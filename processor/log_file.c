/* log_file.c - see log_file.h. */
#include "processor/log_file.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <xxhash.h>

#include "processor/log_file_outputs.h"
#include "processor/log_file_recall.h"
#include "processor/log_file_records.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define RECORDS_MAX 4096 /* handed out at once */

struct log_file {
    struct log log; /* first, so that a struct log * is one of these */
    struct log_file_config config;
    struct lines *lines;
    struct outputs outputs;
    struct recall recall;
    struct file_progress committed; /* the last commit */
    struct log_mark read;           /* after the last line handed out or passed over */
    bool has_archive;               /* some line up to there was in archive form */

    bool is_assigned, is_started;
    bool known[PARTITIONS_MAX]; /* assigned to the engine */
    struct log_progress assigned[PARTITIONS_MAX];
    size_t assigned_count;
    struct log_mark start;       /* the smallest mark of the states */
    struct log_mark expected[2]; /* places whose lines were folded before, ascending: the start, the last commit */
    size_t expected_count;

    struct line_records lines_read;
    struct log_record records[RECORDS_MAX];
};

static struct log_file *of(struct log *log)
{
    return (struct log_file *)log;
}

/* Assigning partitions. */

static void assign(struct log_file *file, const struct log_progress *progress)
{
    if (file->known[progress->partition])
        return;
    file->known[progress->partition] = true;
    file->assigned[file->assigned_count++] = *progress;
}

/* Those of the last commit, and those that have a state. */
static void assign_known(struct log_file *file)
{
    for (size_t i = 0; i < file->committed.count; i++)
        assign(file, &file->committed.partitions[i]);
    for (size_t i = 0; i < file->config.stored_count; i++)
        if (file->config.stored[i] < PARTITIONS_MAX)
            assign(file, &(struct log_progress){.partition = file->config.stored[i]});
    file_progress_free(&file->committed);
    file->is_assigned = true;
}

static enum log_answer give_assigned(struct log_file *file, struct log_batch *batch)
{
    *batch = (struct log_batch){.count = file->assigned_count, .assigned = file->assigned};
    file->assigned_count = 0;
    return LOG_ASSIGNED;
}

static bool file_begin(struct log *log, uint32_t partition, const struct log_mark *mark)
{
    struct log_file *file = of(log);
    const struct log_mark *committed = &file->committed.mark;
    if (mark->position > committed->position)
        return fail_with(&log->error, EX_CONFIG,
                         "%sthe state of partition %" PRIu32 " in %s has folded %" PRId64 " bytes (%" PRId64
                         " lines) of %s, but the outputs in %s hold only up to byte %" PRId64 " (line %" PRId64
                         "); bring back the outputs that belong to it, or remove both directories to fold again from "
                         "the first event",
                         file->outputs.shortage, partition, file->config.state, mark->position, mark->lines,
                         lines_name(file->lines), file->config.out, committed->position, committed->lines);
    if (file->is_started)
        return true; /* a partition that was not there before: it begins here */
    if (mark->position < file->start.position)
        file->start = *mark;
    return true;
}

/* Starting at the smallest mark. */

/* The offsets of archived lines that come after the start are held against
 * those before it: they are in the commit made there. Without it everything is
 * read again from the beginning, which says the same. */
static void restore_offsets(struct log_file *file)
{
    struct file_progress found;
    if (!file->committed.has_archive || file->start.position == 0)
        return;
    if (!outputs_find(&file->outputs, file->start.position, &found)) {
        file->start = (struct log_mark){0};
        return;
    }
    file->has_archive = found.has_archive;
    memcpy(file->lines_read.next_offset, found.archive_offsets, sizeof file->lines_read.next_offset);
    file_progress_free(&found);
}

static void expect(struct log_file *file, const struct log_mark *mark)
{
    bool is_new = file->expected_count == 0 || mark->position > file->expected[0].position;
    if (mark->position > 0 && is_new)
        file->expected[file->expected_count++] = *mark;
}

static bool refuse_input(struct log_file *file, const char *what, const struct log_mark *mark)
{
    return fail_with(&file->log.error, EX_CONFIG,
                     "%s %s; line %" PRId64 ", ending at byte %" PRId64 ", was the last one folded before: name the "
                     "file that %s and %s belong to, or remove both directories to fold this one from its first line",
                     lines_name(file->lines), what, mark->lines, mark->position, file->config.out, file->config.state);
}

static bool start_reading(struct log_file *file)
{
    const struct log_mark *committed = &file->committed.mark;
    if (file->start.position == INT64_MAX)
        file->start = (struct log_mark){0}; /* no partition yet */
    restore_offsets(file);
    expect(file, &file->start);
    expect(file, committed);
    file->is_started = true;
    int64_t size = lines_size(file->lines);
    char what[64];
    if (size >= 0 && size < committed->position) {
        snprintf(what, sizeof what, "holds only %" PRId64 " bytes", size);
        return refuse_input(file, what, committed);
    }
    if (!lines_seek(file->lines, &file->start))
        return refuse_input(file, "has no line that ends where the state stands", &file->start);
    return outputs_cut(&file->outputs, &file->committed, &file->log.error);
}

/* Lines to records. */

static uint64_t check_of(struct text line)
{
    return XXH3_64bits(line.at, line.len);
}

/* True unless a line that was folded before is another one now. */
static bool recognise(struct log_file *file, const struct line *line)
{
    const struct log_mark *expected = &file->expected[0];
    if (file->expected_count == 0 || line->end < expected->position)
        return true;
    if (line->end > expected->position || line->number + 1 != expected->lines ||
        check_of(line->bytes) != expected->check)
        return refuse_input(file, "has another line than the one that was folded", expected);
    file->expected[0] = file->expected[1];
    file->expected_count--;
    return true;
}

/* archived: its record when it is in archive form, or NULL. */
static void pass_over(struct log_file *file, const struct line *line, const struct log_record *archived)
{
    file->read = (struct log_mark){.position = line->end, .lines = line->number + 1};
    if (archived == NULL)
        return;
    file->has_archive = true;
    line_was_taken(&file->lines_read, archived);
}

/* Fills file->records from the lines in memory. Stops before the first record
 * of a partition that the engine does not have yet, which is then assigned. */
static bool take_lines(struct log_file *file, size_t most, size_t *count)
{
    struct line line, last = {.bytes = TEXT_NONE};
    *count = 0;
    while (*count < most && file->assigned_count == 0 && lines_next(file->lines, &line)) {
        struct log_record *record = &file->records[*count];
        if (!recognise(file, &line))
            return false;
        bool is_archived = false;
        if (line.end > file->start.position && !line_is_blank(line.bytes)) {
            is_archived = line_to_record(&file->lines_read, &line, record);
            if (!file->known[record->partition]) {
                assign(file, &(struct log_progress){.partition = record->partition});
                lines_unread(file->lines, &line);
                continue;
            }
            (*count)++;
        }
        pass_over(file, &line, is_archived ? record : NULL);
        last = line;
    }
    if (text_present(last.bytes))
        file->read.check = check_of(last.bytes);
    return true;
}

static enum log_answer fill(struct log_file *file, int wait_ms)
{
    char what[64];
    switch (lines_fill(file->lines, wait_ms, &file->log.error)) {
    case LINES_MORE: return LOG_RECORDS;
    case LINES_IDLE: return LOG_IDLE;
    case LINES_FAILED: return LOG_FAILED;
    case LINES_END: break;
    }
    if (file->expected_count == 0)
        return LOG_END;
    snprintf(what, sizeof what, "ends after %" PRId64 " lines", file->read.lines);
    refuse_input(file, what, &file->expected[0]);
    return LOG_FAILED;
}

static enum log_answer file_read(struct log *log, size_t most, int wait_ms, struct log_batch *batch)
{
    struct log_file *file = of(log);
    size_t count;
    if (!file->is_assigned) {
        assign_known(file);
        return give_assigned(file, batch);
    }
    if (file->assigned_count > 0)
        return give_assigned(file, batch);
    if (!file->is_started && !start_reading(file))
        return LOG_FAILED;
    archive_forget(&file->lines_read.memory);
    most = most < RECORDS_MAX ? most : RECORDS_MAX;
    if (!take_lines(file, most, &count))
        return LOG_FAILED;
    if (count == 0 && file->assigned_count == 0) {
        enum log_answer answer = fill(file, wait_ms);
        if (answer != LOG_RECORDS)
            return answer;
        if (!take_lines(file, most, &count))
            return LOG_FAILED;
    }
    if (count == 0 && file->assigned_count > 0)
        return give_assigned(file, batch);
    *batch = (struct log_batch){.count = count,
                                .records = file->records,
                                .is_ahead = file->read.position > file->committed.mark.position,
                                .done = file->read.position,
                                .total = lines_size(file->lines)};
    return LOG_RECORDS;
}

static enum log_answer file_recall(struct log *log, uint32_t partition, int64_t inputs, struct log_published *published)
{
    struct log_file *file = of(log);
    const struct output_file *attestations = &file->outputs.files[TOPIC_ATTESTATIONS];
    return recall_next(&file->recall, attestations->path, attestations->length, partition, inputs, published,
                       &log->error);
}

/* Publishing. */

static void file_append(struct log *log, enum output_topic topic, uint32_t partition, struct text key,
                        struct text bytes)
{
    (void)partition; /* the line says both */
    (void)key;
    outputs_append(&of(log)->outputs, topic, bytes);
}

static enum log_outcome file_commit(struct log *log, const struct log_progress *progress, size_t count)
{
    struct log_file *file = of(log);
    struct file_progress commit = {.mark = file->read,
                                   .has_archive = file->has_archive,
                                   .count = count,
                                   .partitions = progress,
                                   .archive_offsets = file->lines_read.next_offset};
    double begun = seconds_now();
    assert(file->read.position >= file->committed.mark.position);
    file->committed.mark = file->read;
    bool is_done = outputs_commit(&file->outputs, &commit, &log->error);
    log->commit_took = seconds_now() - begun;
    return is_done ? LOG_DONE : LOG_BROKEN;
}

static void file_mark(struct log *log, uint32_t partition, struct log_mark *mark)
{
    const struct log_file *file = of(log);
    (void)partition; /* one file holds them all */
    *mark = file->read.position < file->committed.mark.position ? file->read : file->committed.mark;
}

static enum log_outcome file_sync(struct log *log)
{
    return outputs_sync(&of(log)->outputs, &log->error) ? LOG_DONE : LOG_BROKEN;
}

static void file_close(struct log *log)
{
    struct log_file *file = of(log);
    archive_free(&file->lines_read.memory);
    file_progress_free(&file->committed);
    recall_close(&file->recall);
    outputs_close(&file->outputs);
    lines_close(file->lines);
    free(file);
}

static const struct log_operations operations = {
    .read = file_read,
    .begin = file_begin,
    .recall = file_recall,
    .append = file_append,
    .commit = file_commit,
    .mark = file_mark,
    .sync = file_sync,
    .close = file_close,
};

struct log *log_file_open(const struct log_file_config *config, struct store_error *error)
{
    struct log_file *file = calloc(1, sizeof *file);
    if (file == NULL)
        abort();
    file->log.does = &operations;
    file->config = *config;
    file->start.position = INT64_MAX;
    file->lines = lines_open(config->events, config->state, config->follow, error);
    if (file->lines != NULL && outputs_open(&file->outputs, config->out, &file->committed, error))
        return &file->log;
    if (file->lines != NULL)
        lines_close(file->lines);
    free(file);
    return NULL;
}
