/* bench_stages.c - where the time of `callfold run` goes.
 *
 *     bench_stages UPTO EVENTS SETUP DIR
 *
 * Takes an events file through the stages of a run, up to and including UPTO:
 *
 *     read        the file, in lines
 *     decode      to typed events
 *     fold        to typed outputs
 *     encode      to lines again
 *     write       to the output files, with the commits
 *     checkpoint  and the state to the store, with what is synced then
 *
 * or reads it and does nothing but the SHA-256 of the input chain (hash). What
 * a stage costs is the difference to the run that ends one stage sooner. The
 * libraries are the program's own, called in the order of engine.c. The first
 * SETUP lines make accounts and decks and are not in the figures. DIR is an
 * empty directory, for outputs and state.
 */
#include <err.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sysexits.h>

#include "bench/bench.h"
#include "events/encode.h"
#include "processor/ahead.h"
#include "processor/log_file.h"
#include "processor/partition.h"

/* As `callfold run` has them. */
#define BATCH_RECORDS 10000
#define CHECKPOINT_NS 5e9 /* apart at least, and ten times what the last one took */
#define KEEP_RECORDS  4000000

enum stage { STAGE_READ, STAGE_HASH, STAGE_DECODE, STAGE_FOLD, STAGE_ENCODE, STAGE_WRITE, STAGE_CHECKPOINT };
static const char *const stage_names[] = {"read", "hash", "decode", "fold", "encode", "write", "checkpoint"};
#define STAGES (sizeof stage_names / sizeof *stage_names)

struct run {
    enum stage upto;
    struct log *log;
    struct partition *partition; /* NULL before it is assigned */
    struct ahead ahead;
    EVP_MD_CTX *sha;
    struct buffer line;
    int64_t records, pending, outputs, input_bytes, output_bytes;
    double checkpoint_at, checkpoint_took; /* now_ns() of the last one's end; ns */
};

static void die(const struct store_error *error)
{
    errx(error->code != EX_OK ? error->code : EX_SOFTWARE, "%s", error->message);
}

static void open_run(struct run *run, enum stage upto, const char *events, const char *dir)
{
    char out[PATH_MAX], state[PATH_MAX];
    snprintf(out, sizeof out, "%s/out", dir);
    snprintf(state, sizeof state, "%s/state", dir);
    struct store_error error = {0};
    *run = (struct run){.upto = upto, .ahead = {.decoder = decoder_new()}, .sha = EVP_MD_CTX_new()};
    const struct log_file_config config = {.events = events, .out = out, .state = state};
    run->log = log_file_open(&config, &error);
    run->partition = partition_open(&(struct partition_places){.state = state}, &(struct log_progress){0}, &error);
    if (run->log == NULL || run->partition == NULL)
        die(&error);
    if (upto >= STAGE_FOLD)
        run->ahead.folds[run->partition->number] = run->partition->fold;
    EVP_DigestInit_ex(run->sha, EVP_sha256(), NULL);
}

static void close_run(struct run *run)
{
    partition_close(run->partition);
    run->log->does->close(run->log);
    decoder_free(run->ahead.decoder);
    EVP_MD_CTX_free(run->sha);
    buffer_free(&run->line);
}

/* encode, write */

static void publish(struct run *run, const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        run->line.len = 0;
        output_encode(&run->line, outputs, i);
        run->outputs++;
        run->output_bytes += (int64_t)run->line.len + 1;
        if (run->upto >= STAGE_WRITE)
            run->log->does->append(run->log, output_topic_of(outputs->items[i].type), outputs->partition,
                                   outputs->items[i].subject, (struct text){run->line.at, run->line.len});
    }
}

static void commit(struct run *run)
{
    struct log_progress progress;
    partition_progress(run->partition, &progress);
    if (run->log->does->commit(run->log, &progress, 1) != LOG_DONE)
        die(&run->log->error);
    run->pending = 0;
}

static void checkpoint(struct run *run)
{
    struct log_mark mark;
    struct store_error error = {0};
    double begin = now_ns();
    commit(run);
    if (run->log->does->sync(run->log) != LOG_DONE)
        die(&run->log->error);
    run->log->does->mark(run->log, run->partition->number, &mark);
    if (!partition_checkpoint(run->partition, &mark, false, KEEP_RECORDS, &error))
        die(&error);
    run->checkpoint_at = now_ns();
    run->checkpoint_took = run->checkpoint_at - begin;
}

static bool is_checkpoint_due(const struct run *run)
{
    double since = now_ns() - run->checkpoint_at;
    return run->pending == 0 && since >= CHECKPOINT_NS && since >= 10 * run->checkpoint_took;
}

/* decode, fold */

static void fold(struct run *run, const struct fold_record *record, const struct event *event,
                 const struct decode_error *error)
{
    struct output_list outputs;
    const char *what;
    fold_step(run->partition->fold, record, event, error, &outputs);
    if (fold_is_broken(run->partition->fold, &what))
        errx(EX_SOFTWARE, "offset %" PRId64 ": %s", record->offset, what);
    if (run->upto >= STAGE_ENCODE)
        publish(run, &outputs);
}

static void take_record(struct run *run, const struct log_batch *batch, size_t i)
{
    struct fold_record record;
    struct decode_error error;
    const struct event *event = ahead_take(&run->ahead, i, &record, &error);
    if (run->upto >= STAGE_FOLD)
        fold(run, &record, event, &error);
    run->partition->position = batch->records[i].end;
}

/* The stages of one batch; writing and checkpoints when they are due. */
static void take_batch(struct run *run, const struct log_batch *batch)
{
    if (run->upto >= STAGE_DECODE)
        ahead_begin(&run->ahead, batch->records, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        struct text value = batch->records[i].record.value;
        run->input_bytes += (int64_t)value.len + 1;
        if (run->upto == STAGE_HASH)
            EVP_DigestUpdate(run->sha, value.at, value.len);
        else if (run->upto >= STAGE_DECODE)
            take_record(run, batch, i);
    }
    run->records += (int64_t)batch->count;
    run->pending += (int64_t)batch->count;
    if (run->upto >= STAGE_WRITE && run->pending >= BATCH_RECORDS)
        commit(run);
    if (run->upto >= STAGE_CHECKPOINT && is_checkpoint_due(run))
        checkpoint(run);
}

/* Up to a line of the file, or to its end. */
static void take_lines(struct run *run, int64_t end)
{
    struct log_batch batch;
    enum log_answer answer = LOG_IDLE;
    run->checkpoint_at = now_ns();
    while (answer != LOG_END && run->records < end) {
        int64_t left = end - run->records, due = BATCH_RECORDS - run->pending;
        answer = run->log->does->read(run->log, (size_t)(left < due ? left : due), 0, &batch);
        if (answer == LOG_FAILED)
            die(&run->log->error);
        if (answer == LOG_ASSIGNED && !run->log->does->begin(run->log, 0, &(struct log_mark){0}))
            die(&run->log->error);
        if (answer == LOG_RECORDS)
            take_batch(run, &batch);
        if (run->upto < STAGE_WRITE)
            run->pending = 0;
    }
    if (run->upto >= STAGE_CHECKPOINT)
        checkpoint(run);
    else if (run->upto >= STAGE_WRITE)
        commit(run);
}

static enum stage stage_of(const char *name)
{
    for (size_t i = 0; i < STAGES; i++)
        if (strcmp(name, stage_names[i]) == 0)
            return (enum stage)i;
    errx(EX_USAGE, "no stage %s; it is read, hash, decode, fold, encode, write or checkpoint", name);
}

int main(int argc, char **argv)
{
    struct run run;
    if (argc != 5)
        errx(EX_USAGE, "usage: bench_stages UPTO EVENTS SETUP DIR");
    enum stage upto = stage_of(argv[1]);
    int64_t setup = strtoll(argv[3], NULL, 10);
    open_run(&run, upto, argv[2], argv[4]);
    if (upto >= STAGE_FOLD)
        run.upto = STAGE_CHECKPOINT; /* the set-up leaves in memory what callfold's leaves */
    take_lines(&run, setup);
    run.upto = upto;
    struct run before = run;
    double begin = now_ns(), cpu_begin = cpu_ns();
    take_lines(&run, INT64_MAX);
    double ns = now_ns() - begin, used_ns = cpu_ns() - cpu_begin;
    double records = (double)(run.records - before.records);
    if (run.records <= setup)
        errx(EX_DATAERR, "%s has no more than %" PRId64 " lines", argv[2], run.records);
    say_figure("time an event", ns / records, "ns");
    say_figure("CPU an event", used_ns / records, "ns");
    say_figure("bytes an event", (double)(run.input_bytes - before.input_bytes) / records, "");
    say_figure("outputs an event", (double)(run.outputs - before.outputs) / records, "");
    say_figure("bytes of outputs an event", (double)(run.output_bytes - before.output_bytes) / records, "");
    close_run(&run);
    return EX_OK;
}
