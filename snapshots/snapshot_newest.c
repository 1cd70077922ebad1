/* snapshot_newest.c - the one to start from; see snapshot.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "snapshots/files.h"
#include "snapshots/snapshot_internal.h"

struct pick {
    const struct snapshot_place *folder;
    const struct signature_key *key;
    const struct snapshot_log *log;
    const char *state;
    bool replace;
    snapshot_passed_over *passed_over;
    struct manifest *manifest;
    struct store_error *error;
};

static const char *shown(const char *home)
{
    return home[0] != '\0' ? home : "a meter on files";
}

/* Was it folded from that log, by these rules? */
static bool is_of_log(const struct pick *pick, const struct snapshot_place *place)
{
    const struct store_header *header = &pick->manifest->stock.header;
    const struct snapshot_log *log = pick->log;
    const char *way_out = "name the directory with this meter's snapshots, or run without --snapshots to fold from the "
                          "first event";
    if (strcmp(pick->manifest->home, log->home) != 0)
        return fail_with(pick->error, EX_CONFIG, "%s/partition-%" PRIu32 "/%s is a snapshot of %s, but this is %s; %s",
                         place->dir, place->partition, place->name, shown(pick->manifest->home), shown(log->home),
                         way_out);
    if (header->partition_count != log->partition_count)
        return fail_with(pick->error, EX_CONFIG,
                         "%s/partition-%" PRIu32 "/%s is a snapshot of one of %" PRIu32
                         " partitions, but there are %" PRIu32 " (0 = not given); %s",
                         place->dir, place->partition, place->name, header->partition_count, log->partition_count,
                         way_out);
    return header->fold_version == FOLD_VERSION ||
           fail_with(pick->error, EX_CONFIG,
                     "%s/partition-%" PRIu32 "/%s was folded by version %" PRIu32
                     " of the rules, this program folds by version %d; %s",
                     place->dir, place->partition, place->name, header->fold_version, FOLD_VERSION, way_out);
}

/* False with EX_DATAERR: not this one, but perhaps an older one. */
static bool try_one(const struct pick *pick, const struct snapshot_place *place)
{
    if (pick->log != NULL) {
        if (!snapshot_read(place, pick->key, pick->manifest, NULL, pick->error) || !is_of_log(pick, place))
            return false;
        int64_t position = pick->manifest->stock.header.source_position;
        if (position > pick->log->position)
            return fail_with(pick->error, EX_DATAERR, "it stands at %" PRId64 ", ahead of the last commit at %" PRId64,
                             position, pick->log->position);
    }
    return snapshot_restore(place, pick->key, pick->state, pick->replace, pick->manifest, pick->error);
}

static bool try_all(const struct pick *pick, const struct snapshot_name *names, size_t count,
                    struct snapshot_name *name)
{
    for (size_t i = count; i-- > 0;) {
        const struct snapshot_place place = {pick->folder->dir, pick->folder->partition, names[i].text};
        *name = names[i];
        if (try_one(pick, &place))
            return true;
        if (pick->error->code != EX_DATAERR)
            return false;
        pick->passed_over(&place, pick->error->message);
    }
    return fail_with(pick->error, EX_NOINPUT, "%s holds no snapshot of partition %" PRIu32 " that can be used",
                     pick->folder->dir, pick->folder->partition);
}

bool snapshot_restore_newest(const struct snapshot_place *folder, const struct signature_key *key,
                             const struct snapshot_log *log, const char *state, bool replace,
                             snapshot_passed_over *passed_over, struct snapshot_name *name, struct manifest *manifest,
                             struct store_error *error)
{
    struct snapshot_name *names;
    const struct pick pick = {folder, key, log, state, replace, passed_over, manifest, error};
    size_t count = snapshot_names(folder->dir, folder->partition, &names);
    bool restored = try_all(&pick, names, count, name);
    free(names);
    return restored;
}
