/* base.h - a state to fold on from, so that a question about one moment does
 * not fold the whole log.
 *
 * Either the newest snapshot of each partition that is no later than the place
 * asked for (--snapshots DIR), or a state directory as of its last checkpoint
 * (--state DIR). It is copied into a scratch directory and proved there: a
 * snapshot against its manifest, a state against its digest. A snapshot that
 * does not prove itself is told of, and an older one is taken.
 *
 * A partition without a snapshot that early is folded from its first record.
 */
#ifndef CALLFOLD_REPLAY_TOOL_BASE_H
#define CALLFOLD_REPLAY_TOOL_BASE_H

#include "processor/log.h"
#include "terminal/options.h"

struct base_options {
    const char *snapshots, *state;
};
#define BASE_OPTION_SPECS(base)                                                                        \
    {.name = "snapshots",                                                                              \
     .kind = OPTION_TEXT,                                                                              \
     .target = &(base).snapshots,                                                                      \
     .value = "DIR",                                                                                   \
     .help = "start from the newest snapshot that is early enough,\nnot from the first event"},        \
    {                                                                                                  \
        .name = "state", .kind = OPTION_TEXT, .target = &(base).state, .value = "DIR",                 \
        .help = "start from a state directory as of its last\ncheckpoint; a processor may be using it" \
    }

/* No later than this: the last offset that is folded, partition time, or how many
 * ledger entries there are. */
struct base_place {
    bool has_offset, has_time, has_entries;
    int64_t offset, time_ms, entries;
};

/* Where a partition's fold begins. */
struct base_start {
    struct store_header header; /* all zeros: at its first record */
    struct log_mark mark;       /* where a file of events stood; all zeros if that is not known */
};

/* The partitions that dir knows, into a malloc'd array; 0 with *error when it
 * holds none. Without a base (no option given): 0 and no error (EX_OK). */
size_t base_partitions(const struct base_options *options, uint32_t **partitions, struct store_error *error);

/* Copies the state of one partition into the scratch directory, as a state
 * directory's. *start says where it stands: at the beginning when no snapshot
 * is early enough. False with *error: EX_CONFIG for a state that is later than
 * the place, EX_DATAERR for one that is damaged. */
bool base_take(const struct base_options *options, uint32_t partition, const struct base_place *place,
               const char *scratch, struct base_start *start, struct store_error *error);

#endif
