/* snapshot_prune.c - removing old ones; see snapshot.h. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/fail_point.h"
#include "snapshots/files.h"
#include "snapshots/snapshot_internal.h"

struct candidate {
    struct snapshot_name name;
    bool stays;
};

/* The age is that of the name, which a snapshot that verifies agrees with. */
static bool is_kept(const struct snapshot_keep *keep, size_t newer, const struct snapshot_name *name)
{
    return (keep->count >= 0 && (int64_t)newer < keep->count) ||
           (keep->age_ms >= 0 && keep->now_ms - snapshot_name_time_ms(name) <= keep->age_ms);
}

/* From the newest on: the first that verifies stays, whatever was asked. False
 * when none does. */
static bool keep_a_good_one(const char *dir, uint32_t partition, const struct signature_key *key,
                            const char *known_good, struct candidate *candidates, size_t count)
{
    struct manifest manifest;
    struct store_error error;
    for (size_t i = count; i-- > 0;) {
        const struct snapshot_place place = {dir, partition, candidates[i].name.text};
        bool is_known = known_good != NULL && strcmp(known_good, place.name) == 0;
        if (!is_known && !snapshot_verify(&place, key, &manifest, &error))
            continue;
        candidates[i].stays = true;
        return true;
    }
    return false;
}

static bool remove_one(const char *folder, const struct snapshot_place *place, struct store_error *error)
{
    char path[PATH_MAX], hidden[PATH_MAX];
    snapshot_path(path, place);
    snprintf(hidden, sizeof hidden, "%.*s/" HIDDEN_GONE, PATH_MAX - 16, folder);
    if (rename(path, hidden) != 0)
        return fail_with_errno(error, errno, "remove", path);
    FAIL_POINT("prune-hidden");
    return sync_directory(folder, error) && remove_directory(hidden, error);
}

static bool remove_others(const char *dir, uint32_t partition, const struct candidate *candidates, size_t count,
                          snapshot_told *removed, void *context, struct store_error *error)
{
    char folder[PATH_MAX];
    store_path(folder, dir, partition);
    for (size_t i = 0; i < count; i++) {
        const struct snapshot_place place = {dir, partition, candidates[i].name.text};
        if (candidates[i].stays)
            continue;
        FAIL_POINT("prune-chosen");
        if (!remove_one(folder, &place, error))
            return false;
        removed(context, &place);
    }
    return true;
}

static struct candidate *choose(const char *dir, uint32_t partition, const struct snapshot_keep *keep, size_t *count,
                                bool *all_stay)
{
    struct snapshot_name *names;
    *count = snapshot_names(dir, partition, &names);
    *all_stay = true;
    struct candidate *candidates = calloc(*count + 1, sizeof *candidates);
    if (candidates == NULL)
        abort();
    for (size_t i = 0; i < *count; i++) {
        candidates[i] = (struct candidate){names[i], is_kept(keep, *count - 1 - i, &names[i])};
        *all_stay = *all_stay && candidates[i].stays;
    }
    free(names);
    return candidates;
}

bool snapshot_prune(const char *dir, uint32_t partition, const struct snapshot_keep *keep,
                    const struct signature_key *key, const char *known_good, snapshot_told *removed, void *context,
                    struct store_error *error)
{
    size_t count;
    bool all_stay;
    int lock = snapshot_lock(dir, partition, error);
    if (lock < 0)
        return false;
    struct candidate *candidates = choose(dir, partition, keep, &count, &all_stay);
    bool done = all_stay;
    if (!done && !keep_a_good_one(dir, partition, key, known_good, candidates, count))
        fail_with(error, EX_DATAERR,
                  "none of the %zu snapshots of partition %" PRIu32 " in %s verifies, so none was removed; verify says "
                  "what is wrong with them",
                  count, partition, dir);
    else if (!done)
        done = remove_others(dir, partition, candidates, count, removed, context, error);
    free(candidates);
    close(lock);
    return done;
}
