/* partition.c - see partition.h. */
#include "processor/partition.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "processor/pulse.h"
#include "snapshots/fail_point.h"
#include "snapshots/files.h"
#include "snapshots/isolated.h"
#include "snapshots/snapshot.h"
#include "terminal/message.h"

#define BEAT_MS 1000

/* Proving a stored state. */

/* False when the store is damaged. What cannot be opened for another reason is
 * for the parent to report. */
static bool store_adds_up(const char *dir, uint32_t number)
{
    struct store_header header;
    struct store_error error;
    struct store *store = store_open(dir, number, STORE_READ_ONLY, &header, &error);
    if (store == NULL)
        return error.code != EX_DATAERR;
    if (header.clean || header.fold_version == 0)
        return true;
    message_note("partition %" PRIu32 " was not closed in good order: checking its state", number);
    char digest[DIGEST_HEX];
    store_digest(store, digest);
    return store_is_sound(store, &error) && memcmp(digest, header.digest, sizeof digest) == 0;
}

struct suspect {
    const char *dir;
    uint32_t number;
};

static int prove(void *context)
{
    const struct suspect *suspect = context;
    return store_adds_up(suspect->dir, suspect->number) ? EX_OK : EX_SOFTWARE;
}

static bool fail_as_stopped(struct store_error *error)
{
    return fail_with(error, EX_TEMPFAIL, "stopped before the state was there");
}

/* Work in a process of its own may take its time, and we are alive meanwhile.
 * False, with *error, when we are to end before it has: nothing is known then. */
static bool await(int (*work)(void *context), void *context, int *exit_code, struct store_error *error)
{
    pid_t child = isolated_start(work, context);
    struct pollfd end = {.fd = child > 0 ? pidfd_open(child, 0) : -1, .events = POLLIN};
    bool goes_on = true;
    while (end.fd >= 0 && goes_on && poll(&end, 1, BEAT_MS) <= 0)
        goes_on = pulse_goes_on();
    if (end.fd >= 0)
        close(end.fd);
    if (!goes_on)
        kill(child, SIGKILL);
    *exit_code = isolated_end(child);
    return goes_on || fail_as_stopped(error);
}

/* In a process of its own: what a failing machine left of a map may kill its
 * reader. False without *error set: it is damaged. */
static bool prove_store(const char *dir, uint32_t number, struct store_error *error)
{
    char path[PATH_MAX];
    struct stat status;
    int exit_code;
    struct suspect suspect = {dir, number};
    store_path(path, dir, number);
    return stat(path, &status) != 0 || (await(prove, &suspect, &exit_code, error) && exit_code == EX_OK);
}

static bool set_aside(const char *dir, uint32_t number, struct store_error *error)
{
    char path[PATH_MAX], aside[PATH_MAX + 32];
    store_path(path, dir, number);
    snprintf(aside, sizeof aside, "%s.damaged-%lld", path, (long long)time(NULL));
    if (rename(path, aside) != 0)
        return fail_with_errno(error, errno, "set aside the damaged", path);
    message_note("the state of partition %" PRIu32 " is damaged; it was moved to %s and is folded anew", number, aside);
    return sync_directory(dir, error);
}

/* Opening. */

static bool check_version(const struct partition *partition, const char *where, uint32_t version, uint32_t count,
                          uint32_t wanted_count, struct store_error *error)
{
    if (version != FOLD_VERSION)
        return fail_with(error, EX_CONFIG,
                         "partition %" PRIu32 ": the %s were made by fold version %" PRIu32
                         ", this program is version %d; go on with the program that made them, or remove the outputs "
                         "and the state directory to fold again from the first event",
                         partition->number, where, version, FOLD_VERSION);
    if (count != wanted_count)
        return fail_with(error, EX_CONFIG,
                         "partition %" PRIu32 ": the %s were made with --partitions %" PRIu32 ", now it is %" PRIu32
                         " (0 = not given); give the same number as before, or remove the outputs and the state "
                         "directory to fold again from the first event",
                         partition->number, where, count, wanted_count);
    return true;
}

static bool check_versions(const struct partition *partition, uint32_t partition_count, struct store_error *error)
{
    const struct store_header *header = &partition->header;
    const struct log_progress *last = &partition->last;
    if (header->fold_version != 0 &&
        !check_version(partition, "state", header->fold_version, header->partition_count, partition_count, error))
        return false;
    return last->fold_version == 0 ||
           check_version(partition, "outputs", last->fold_version, last->partition_count, partition_count, error);
}

static bool restore_record(void *fold, struct text key, struct text body)
{
    return pulse_goes_on() && fold_restore(fold, key, body);
}

/* False when the stored records do not make a state, or not the header's. */
static bool restore(struct partition *partition)
{
    const struct store_header *header = &partition->header;
    if (header->fold_version == 0)
        return true; /* a new store */
    for (const char *kind = RESIDENT_KINDS; *kind != '\0'; kind++)
        if (!store_scan(partition->store, (struct text){kind, 1}, restore_record, partition->fold))
            return false;
    struct fold_position position;
    struct store_error damage;
    if (!store_is_sound(partition->store, &damage) || !fold_restored(partition->fold, header->digest))
        return false;
    fold_position(partition->fold, &position);
    return position.next_offset == header->next_offset && position.entries == header->entries &&
           position.inputs == header->inputs && memcmp(position.chain, header->chain, sizeof position.chain) == 0;
}

static void let_go(struct partition *partition)
{
    if (partition->fold != NULL)
        fold_free(partition->fold);
    if (partition->store != NULL)
        store_close(partition->store);
    partition->fold = NULL;
    partition->store = NULL;
}

/* False without *error set: the state is damaged. */
static bool load_proven(struct partition *partition, const char *dir, uint32_t partition_count,
                        struct store_error *error)
{
    error->code = EX_OK;
    partition->store = store_open(dir, partition->number, STORE_READ_WRITE, &partition->header, error);
    if (partition->store == NULL || !check_versions(partition, partition_count, error))
        return false;
    const struct fold_loader loader = {store_load, partition->store};
    partition->fold = fold_new(partition->number, partition_count, &loader);
    return restore(partition) || (!pulse_goes_on() && fail_as_stopped(error));
}

static bool load(struct partition *partition, const char *dir, uint32_t partition_count, struct store_error *error)
{
    error->code = EX_OK;
    return prove_store(dir, partition->number, error) && load_proven(partition, dir, partition_count, error);
}

static void say_passed_over(const struct snapshot_place *place, const char *why)
{
    message_note("partition %" PRIu32 ": the snapshot %s is passed over: %s", place->partition, place->name, why);
}

/* What a process of its own is to restore, and in memory that both see what came of it. */
struct snapshot_wish {
    const struct partition_places *places;
    const struct log_progress *last;
    struct store_error error;
};

static int restore_newest(void *context)
{
    struct snapshot_wish *wish = context;
    const struct partition_places *places = wish->places;
    char home[HOME_SIZE];
    struct snapshot_name name;
    struct manifest manifest;
    const struct snapshot_place folder = {.dir = places->snapshots, .partition = wish->last->partition};
    const struct snapshot_log log = {home, places->partition_count, wish->last->position};
    if (!state_home_read(places->state, home, &wish->error) ||
        !snapshot_restore_newest(&folder, places->key, &log, places->state, false, say_passed_over, &name, &manifest,
                                 &wish->error))
        return wish->error.code;
    message_note("partition %" PRIu32 ": no state here; restored the snapshot %s, which stands at offset %" PRId64,
                 wish->last->partition, name.text, manifest.stock.header.next_offset);
    return EX_OK;
}

/* False with *error unless there was none: one that died says nothing. */
static bool judge_restored(const struct snapshot_wish *wish, int exit_code, struct store_error *error)
{
    if (exit_code == EX_NOINPUT) {
        message_note("partition %" PRIu32 ": no state here, and %s; folding from the first event",
                     wish->last->partition, wish->error.message);
        return true;
    }
    if (exit_code != EX_OK && exit_code != wish->error.code)
        return fail_with(error, EX_UNAVAILABLE,
                         "what restored a snapshot of partition %" PRIu32
                         " was killed or died; if this stays so, --snapshots names one that cannot be restored",
                         wish->last->partition);
    *error = wish->error;
    return exit_code == EX_OK;
}

/* A state from the newest snapshot, in place of one that is not there; none is
 * no error. */
static bool restore_snapshot(const struct partition_places *places, const struct log_progress *last,
                             struct store_error *error)
{
    int exit_code;
    struct snapshot_wish *wish = isolated_memory(sizeof *wish);
    *wish = (struct snapshot_wish){.places = places, .last = last};
    bool restored = await(restore_newest, wish, &exit_code, error) && judge_restored(wish, exit_code, error);
    isolated_memory_free(wish, sizeof *wish);
    return restored;
}

/* Something was committed, so a snapshot may be near it. */
static bool is_snapshot_wanted(const struct partition *partition, const struct partition_places *places)
{
    return places->snapshots != NULL && partition->last.position > 0;
}

static bool start_from_snapshot(struct partition *partition, const struct partition_places *places,
                                struct store_error *error)
{
    let_go(partition);
    return store_remove(places->state, partition->number, error) && restore_snapshot(places, &partition->last, error) &&
           load(partition, places->state, places->partition_count, error);
}

static bool open_state(struct partition *partition, const struct partition_places *places, struct store_error *error)
{
    bool loaded = load(partition, places->state, places->partition_count, error);
    if (!loaded && error->code == EX_OK) {
        let_go(partition);
        loaded = set_aside(places->state, partition->number, error) &&
                 load(partition, places->state, places->partition_count, error);
    }
    if (!loaded || partition->header.fold_version != 0 || !is_snapshot_wanted(partition, places))
        return loaded;
    return start_from_snapshot(partition, places, error);
}

static struct partition *new_partition(const struct log_progress *progress)
{
    struct partition *partition = calloc(1, sizeof *partition);
    if (partition == NULL)
        abort();
    partition->number = progress->partition;
    partition->last = *progress;
    return partition;
}

struct partition *partition_open(const struct partition_places *places, const struct log_progress *progress,
                                 struct store_error *error)
{
    struct partition *partition = new_partition(progress);
    if (!open_state(partition, places, error)) {
        partition_close(partition);
        return NULL;
    }
    partition->position = partition->header.source_position;
    partition->header.partition_count = places->partition_count;
    partition->attested.inputs = partition->header.inputs;
    return partition;
}

struct partition *partition_open_scratch(const char *dir, uint32_t partition_count, uint32_t number,
                                         struct store_error *error)
{
    struct partition *partition = new_partition(&(struct log_progress){.partition = number});
    partition->is_scratch = true;
    if (load_proven(partition, dir, partition_count, error)) {
        partition->position = partition->header.source_position = partition->header.next_offset;
        partition->header.partition_count = partition_count;
        return partition;
    }
    if (error->code == EX_OK)
        fail_with(error, EX_DATAERR, "the state of partition %" PRIu32 " in %s is damaged: start from another one",
                  number, dir);
    partition_close(partition);
    return NULL;
}

void partition_close(struct partition *partition)
{
    let_go(partition);
    changes_free(&partition->changes);
    attested_free(&partition->attested);
    free(partition);
}

struct log_mark partition_mark(const struct partition *partition)
{
    const struct store_header *header = &partition->header;
    return (struct log_mark){header->source_position, header->source_lines, header->source_check};
}

void partition_progress(const struct partition *partition, struct log_progress *progress)
{
    struct fold_position position;
    fold_position(partition->fold, &position);
    *progress = (struct log_progress){.partition = partition->number,
                                      .partition_count = partition->header.partition_count,
                                      .fold_version = FOLD_VERSION,
                                      .position = partition->position,
                                      .next_offset = position.next_offset,
                                      .entries = position.entries,
                                      .inputs = position.inputs};
    memcpy(progress->chain, position.chain, sizeof progress->chain);
}

static int64_t count_duplicates(const struct partition *partition)
{
    struct fold_counts counts;
    fold_counts(partition->fold, &counts);
    return counts.duplicates;
}

int64_t partition_duplicates(const struct partition *partition)
{
    return partition->is_caught_up ? count_duplicates(partition) - partition->duplicates_before : 0;
}

bool partition_verify(struct partition *partition, struct store_error *error)
{
    const struct log_progress *last = &partition->last;
    struct log_progress now;
    partition_progress(partition, &now);
    partition->is_caught_up = true;
    partition->duplicates_before = count_duplicates(partition);
    if (last->fold_version == 0 ||
        (now.next_offset == last->next_offset && now.entries == last->entries && now.inputs == last->inputs &&
         memcmp(now.chain, last->chain, sizeof now.chain) == 0))
        return true;
    return fail_with(error, EX_SOFTWARE,
                     "partition %" PRIu32 " was folded again up to its last commit and differs: %" PRId64
                     " entries, %" PRId64 " inputs, chain %.16s... now; %" PRId64 " entries, %" PRId64
                     " inputs, chain %.16s... committed; nothing was written: keep the files and report this",
                     partition->number, now.entries, now.inputs, now.chain, last->entries, last->inputs, last->chain);
}

/* Checkpoints. */

static void describe(struct partition *partition, const struct log_mark *mark, bool clean)
{
    struct store_header *header = &partition->header;
    struct fold_position position;
    fold_position(partition->fold, &position);
    header->fold_version = FOLD_VERSION;
    header->partition = partition->number;
    header->clean = clean ? 1 : 0;
    header->next_offset = position.next_offset;
    header->entries = position.entries;
    header->inputs = position.inputs;
    header->source_position = mark->position;
    header->source_lines = mark->lines;
    header->source_check = mark->check;
    memcpy(header->chain, position.chain, sizeof header->chain);
    fold_digest(partition->fold, header->digest);
}

bool partition_checkpoint_take(struct partition *partition, const struct log_mark *mark, bool clean,
                               struct store_error *error)
{
    bool stands_there = mark->position == partition->header.source_position;
    if (mark->position < partition->header.source_position || (stands_there && partition->header.clean == clean))
        return true; /* its records are being read up to where it stands, or nothing has come */
    describe(partition, mark, clean);
    fold_dirty(partition->fold, changes_add, &partition->changes);
    partition->is_checkpointing = true;
    partition->is_stored = false;
    partition->store_error.code = EX_OK;
    return store_prepare(partition->store, error);
}

void partition_checkpoint_store(struct partition *partition)
{
    if (partition->is_checkpointing)
        partition->is_stored = changes_store(&partition->changes, partition->store, &partition->header,
                                             !partition->is_scratch, &partition->store_error);
}

/* Once more, in a larger map, as long as it was too small. */
static bool store_all(struct partition *partition, struct store_error *error)
{
    while (!partition->is_stored && partition->store_error.code == EX_OK) {
        if (!store_prepare(partition->store, error))
            return false;
        partition_checkpoint_store(partition);
    }
    if (!partition->is_stored)
        *error = partition->store_error;
    return partition->is_stored;
}

bool partition_checkpoint_end(struct partition *partition, size_t keep, struct store_error *error)
{
    if (!partition->is_checkpointing)
        return true;
    if (!store_all(partition, error) || !store_renew(partition->store, error))
        return false;
    partition->is_checkpointing = false;
    changes_free(&partition->changes);
    fold_clean(partition->fold);
    fold_evict(partition->fold, keep);
    return true;
}

bool partition_checkpoint(struct partition *partition, const struct log_mark *mark, bool clean, size_t keep,
                          struct store_error *error)
{
    if (!partition_checkpoint_take(partition, mark, clean, error))
        return false;
    partition_checkpoint_store(partition);
    return partition_checkpoint_end(partition, keep, error);
}
