/* engine.c - see engine.h. */
#include "processor/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/encode.h"
#include "processor/ahead.h"
#include "processor/clock.h"
#include "processor/pulse.h"
#include "processor/service.h"
#include "processor/storing.h"
#include "processor/survey.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define IDLE_WAIT_MS 1000
#define WATCH_S      0.1 /* between two looks at idle partitions */
#define SHOW_S       0.2 /* between two looks of others at the figures */
/* A checkpoint takes at most about a tenth of the time, however large it is. */
#define CHECKPOINT_SHARE 10

struct engine {
    const struct engine_config *config;
    struct log *log;
    struct figures *counts;
    struct store_error *error;
    struct partition *partitions[PARTITIONS_MAX]; /* by number; NULL: not ours */
    size_t partition_count;
    struct buffer line; /* an output being encoded */
    struct ahead ahead;

    int64_t pending; /* records published and not committed, or 1 for blank lines alone */
    double pending_since;
    int64_t unstored;                      /* records folded since the last checkpoint */
    double checkpoint_at, checkpoint_took; /* seconds_now() when the last one began; seconds of the last that ended */
    bool is_checkpoint_wanted;             /* whatever the clock says */
    bool is_stored;                        /* there has been a checkpoint */
    struct storing storing;                /* one that is on its way */
    double watched_at, shown_at;           /* seconds_now() of the last look at idle partitions, at the figures */
    bool is_assigned;                      /* the log has said which partitions are ours, be it none */
    int64_t duplicates_gone;               /* of partitions that are no more ours */
    struct progress progress;
};

/* Any error that is not there yet comes from the log. */
static bool fail_with_log(struct engine *engine)
{
    *engine->error = engine->log->error;
    return false;
}

/* Partitions. */

static bool assign(struct engine *engine, const struct log_progress *progress)
{
    struct partition *partition = partition_open(&engine->config->places, progress, engine->error);
    if (partition == NULL)
        return false;
    engine->partitions[progress->partition] = partition;
    engine->ahead.folds[progress->partition] = partition->fold;
    engine->partition_count++;
    /* From now on a commit names it: its state should be there to be found. */
    engine->is_checkpoint_wanted = true;
    struct log_mark mark = partition_mark(partition);
    if (!engine->log->does->begin(engine->log, partition->number, &mark))
        return fail_with_log(engine);
    return partition->position < partition->last.position || partition_verify(partition, engine->error);
}

/* From where the states stand to the last commit; seen also where there is no terminal. */
static void begin_catching_up(struct engine *engine)
{
    progress_end(&engine->progress);
    progress_begin(&engine->progress, "catching up", "events");
    engine->progress.is_noted = true;
}

static void begin_folding(struct engine *engine)
{
    progress_end(&engine->progress);
    progress_begin(&engine->progress, "folding", "events");
}

static bool assign_all(struct engine *engine, const struct log_batch *batch)
{
    bool is_behind = false;
    for (size_t i = 0; i < batch->count; i++) {
        if (!assign(engine, &batch->assigned[i]))
            return false;
        is_behind = is_behind || !engine->partitions[batch->assigned[i].partition]->is_caught_up;
    }
    if (is_behind)
        begin_catching_up(engine);
    engine->is_assigned = true;
    return true;
}

/* Duplicates are counted by the folds. */
static void count_duplicates(struct engine *engine)
{
    engine->counts->duplicates = engine->duplicates_gone;
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        if (engine->partitions[i] != NULL)
            engine->counts->duplicates += partition_duplicates(engine->partitions[i]);
}

/* Closes all as they are: what no checkpoint has is folded again. */
static void let_go(struct engine *engine)
{
    storing_join(&engine->storing);
    count_duplicates(engine);
    engine->duplicates_gone = engine->counts->duplicates;
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        if (engine->partitions[i] == NULL)
            continue;
        partition_close(engine->partitions[i]);
        engine->partitions[i] = NULL;
        engine->ahead.folds[i] = NULL;
    }
    engine->partition_count = 0;
    engine->is_assigned = false;
    engine->pending = 0;
    engine->unstored = 0;
}

/* How a commit ended. False when the run is over. */
static bool settle(struct engine *engine, enum log_outcome outcome)
{
    if (outcome == LOG_BROKEN)
        return fail_with_log(engine);
    if (outcome == LOG_ABORTED)
        let_go(engine); /* the log assigns them again, as they were committed */
    return true;
}

/* Publishing. */

/* One more that a commit should say was read. */
static void note_pending(struct engine *engine)
{
    if (engine->pending++ == 0)
        engine->pending_since = seconds_now();
}

static void publish(struct engine *engine, const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct output *output = &outputs->items[i];
        enum output_topic topic = output_topic_of(output->type);
        engine->line.len = 0;
        output_encode(&engine->line, outputs, i);
        engine->log->does->append(engine->log, topic, outputs->partition, output->subject,
                                  (struct text){engine->line.at, engine->line.len});
        figures_count_output(engine->counts, output);
    }
    note_pending(engine);
    engine->counts->records++;
}

static bool commit(struct engine *engine)
{
    struct log_progress progress[PARTITIONS_MAX];
    size_t count = 0;
    if (engine->pending == 0)
        return true;
    for (size_t i = 0; i < PARTITIONS_MAX && count < engine->partition_count; i++) {
        const struct partition *partition = engine->partitions[i];
        if (partition == NULL)
            continue;
        if (!store_is_sound(partition->store, engine->error))
            return false; /* it was folded without a record that could not be read */
        partition_progress(partition, &progress[count++]);
    }
    engine->pending = 0;
    return settle(engine, engine->log->does->commit(engine->log, progress, count));
}

/* Folding. */

static bool fold(struct engine *engine, struct partition *partition, const struct log_record *record,
                 const struct fold_record *hinted, const struct event *event, const struct decode_error *fault)
{
    struct output_list outputs;
    const char *what;
    fold_step(partition->fold, hinted, event, fault, &outputs);
    if (fold_is_broken(partition->fold, &what))
        return fail_with(
            engine->error, EX_SOFTWARE,
            "partition %" PRIu32 ", offset %" PRId64
            ": a broken invariant: %s; nothing of this batch was published: keep the files and report this",
            partition->number, record->record.offset, what);
    partition->position = record->end;
    engine->unstored++;
    if (record->end > partition->last.position) {
        engine->counts->events[event != NULL ? event->type : EVENT_TYPE_COUNT]++;
        publish(engine, &outputs);
        return true;
    }
    engine->counts->refolded++;
    return attested_agree(&partition->attested, engine->log, &outputs, engine->error);
}

static bool take_record(struct engine *engine, const struct log_record *record, size_t i)
{
    struct partition *partition = engine->partitions[record->partition];
    struct fold_record hinted;
    struct decode_error fault;
    const struct event *event = ahead_take(&engine->ahead, i, &hinted, &fault);
    if (record->end <= partition->header.source_position)
        return true; /* the state knows it */
    if (!partition->is_caught_up && record->end > partition->last.position &&
        !partition_verify(partition, engine->error))
        return false;
    if (!fold(engine, partition, record, &hinted, event, event == NULL ? &fault : NULL))
        return false;
    return partition->is_caught_up || record->end < partition->last.position ||
           partition_verify(partition, engine->error);
}

static bool take_records(struct engine *engine, const struct log_batch *batch)
{
    ahead_begin(&engine->ahead, batch->records, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        if (!take_record(engine, &batch->records[i], i))
            return false;
    /* Who waits for progress waits for that of a blank line too. */
    if (batch->is_ahead && engine->pending == 0)
        note_pending(engine);
    engine->progress.is_counted = batch->counts_records;
    progress_show(&engine->progress, batch->done, batch->total, engine->counts->records + engine->counts->refolded);
    return true;
}

/* Checkpoints. */

/* Takes note of the one that is on its way to the disk, if there is one; waits for it. */
static bool finish_checkpoint(struct engine *engine)
{
    if (!engine->storing.is_under_way)
        return true;
    storing_join(&engine->storing);
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        if (engine->partitions[i] != NULL &&
            !partition_checkpoint_end(engine->partitions[i], engine->config->keep_records, engine->error))
            return false;
    FAIL_POINT("after-checkpoint");
    engine->is_stored = true;
    engine->checkpoint_took = seconds_now() - engine->checkpoint_at;
    histogram_observe(&engine->counts->checkpoints, engine->checkpoint_took);
    return true;
}

static bool take_checkpoint(struct engine *engine, bool clean)
{
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        struct partition *partition = engine->partitions[i];
        struct log_mark mark;
        if (partition == NULL)
            continue;
        engine->log->does->mark(engine->log, partition->number, &mark);
        if (!partition_checkpoint_take(partition, &mark, clean, engine->error))
            return false;
    }
    return true;
}

/* It is stored while the fold goes on. */
static bool begin_checkpoint(struct engine *engine, bool clean)
{
    if (!finish_checkpoint(engine))
        return false;
    engine->checkpoint_at = seconds_now();
    FAIL_POINT("before-checkpoint");
    enum log_outcome outcome = engine->log->does->sync(engine->log);
    if (outcome != LOG_DONE)
        return settle(engine, outcome);
    if (!take_checkpoint(engine, clean))
        return false;
    storing_start(&engine->storing, engine->partitions);
    engine->unstored = 0;
    engine->is_checkpoint_wanted = false;
    return true;
}

static bool is_checkpoint_due(const struct engine *engine)
{
    const struct engine_config *config = engine->config;
    if (engine->unstored == 0 || engine->pending > 0)
        return false;
    if (engine->is_checkpoint_wanted)
        return true;
    if (config->checkpoint_records > 0 && engine->unstored >= config->checkpoint_records)
        return true;
    double since_ms = (seconds_now() - engine->checkpoint_at) * 1000;
    return since_ms >= (double)config->checkpoint_ms && since_ms >= engine->checkpoint_took * 1000 * CHECKPOINT_SHARE;
}

/* Ends the one that is stored, begins the one that is due. */
static bool turn_checkpoint(struct engine *engine)
{
    if (engine->storing.is_under_way && storing_is_done(&engine->storing) && !finish_checkpoint(engine))
        return false;
    return !is_checkpoint_due(engine) || begin_checkpoint(engine, false);
}

/* The last one. */
static bool checkpoint(struct engine *engine)
{
    return begin_checkpoint(engine, true) && finish_checkpoint(engine);
}

/* Giving back what was assigned. */
static bool give_back(struct engine *engine, const struct log_batch *batch)
{
    if (!batch->is_lost && !(commit(engine) && checkpoint(engine)))
        return false;
    let_go(engine);
    return true;
}

/* The loop. */

static int64_t pending_ms(const struct engine *engine)
{
    return (int64_t)((seconds_now() - engine->pending_since) * 1000);
}

/* ms left until the records that were published should be committed. */
static int64_t time_left_ms(const struct engine *engine)
{
    if (engine->pending == 0)
        return IDLE_WAIT_MS;
    if (engine->config->commit_when_idle)
        return 0;
    int64_t left = engine->config->batch_ms - pending_ms(engine);
    return left > 0 ? left : 0;
}

static bool is_commit_due(const struct engine *engine, enum log_answer answer)
{
    if (engine->pending >= engine->config->batch_records || answer == LOG_END)
        return true;
    if (answer == LOG_IDLE && engine->config->commit_when_idle)
        return true;
    return engine->pending > 0 && pending_ms(engine) >= engine->config->batch_ms;
}

static enum log_answer read_and_fold(struct engine *engine)
{
    struct log_batch batch;
    size_t most = (size_t)(engine->config->batch_records - engine->pending);
    enum log_answer answer = engine->log->does->read(engine->log, most, (int)time_left_ms(engine), &batch);
    bool taken = true;
    if (answer == LOG_FAILED)
        fail_with_log(engine);
    else if (answer == LOG_ASSIGNED)
        taken = assign_all(engine, &batch);
    else if (answer == LOG_REVOKED)
        taken = give_back(engine, &batch);
    else if (answer == LOG_RECORDS)
        taken = take_records(engine, &batch);
    return taken ? answer : LOG_FAILED;
}

/* Every partition must have got to where the commit before stood. */
static bool end(struct engine *engine)
{
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        struct partition *partition = engine->partitions[i];
        if (partition != NULL && !partition->is_caught_up && !engine->counts->is_stopped &&
            !partition_verify(partition, engine->error))
            return false;
    }
    return commit(engine) && checkpoint(engine);
}

static void watch_clocks(struct engine *engine, double now)
{
    if (engine->log->does->idle_ms == NULL || now - engine->watched_at < WATCH_S)
        return;
    engine->watched_at = now;
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        if (engine->partitions[i] != NULL)
            clock_watch(engine->log, engine->partitions[i]);
}

static void note_commit(struct engine *engine)
{
    if (engine->log->commit_took > 0)
        histogram_observe(&engine->counts->commits, engine->log->commit_took);
    engine->log->commit_took = 0;
}

static void show(struct engine *engine)
{
    count_duplicates(engine);
    survey(engine->counts, engine->log, engine->partitions, engine->is_assigned);
    if (engine->progress.is_noted && engine->counts->is_ready)
        begin_folding(engine);
    board_write(engine->config->board, engine->counts);
    service_tell(engine->counts->is_ready, engine->counts->status);
}

/* What is done beside the work. */
static void look_around(struct engine *engine)
{
    double now = seconds_now();
    pulse_beat();
    note_commit(engine);
    watch_clocks(engine, now);
    if (now - engine->shown_at < SHOW_S)
        return;
    engine->shown_at = now;
    show(engine);
}

static bool loop(struct engine *engine)
{
    enum log_answer answer;
    do {
        answer = read_and_fold(engine);
        if (answer == LOG_FAILED || (is_commit_due(engine, answer) && !commit(engine)))
            return false;
        if (!turn_checkpoint(engine))
            return false;
        if (engine->is_stored)
            snapshot_schedule_turn(engine->config->snapshots);
        look_around(engine);
        engine->counts->is_stopped = *engine->config->stop != 0;
    } while (answer != LOG_END && !engine->counts->is_stopped);
    if (engine->counts->is_stopped)
        service_stopping();
    return end(engine);
}

int engine_run(const struct engine_config *config, struct log *log, struct figures *figures, struct store_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (engine == NULL)
        abort();
    *engine = (struct engine){.config = config,
                              .log = log,
                              .counts = figures,
                              .error = error,
                              .ahead = {.decoder = decoder_new()},
                              .duplicates_gone = figures->duplicates};
    double begun = engine->checkpoint_at = seconds_now();
    begin_folding(engine);
    bool done = loop(engine);
    progress_end(&engine->progress);
    figures->seconds += seconds_now() - begun;
    let_go(engine);
    show(engine);
    decoder_free(engine->ahead.decoder);
    buffer_free(&engine->line);
    free(engine);
    return done ? EX_OK : error->code;
}
