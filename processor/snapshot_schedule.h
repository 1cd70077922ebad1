/* snapshot_schedule.h - snapshots by the clock, while the fold goes on.
 *
 * A snapshot is made by callfold-snapshot, which stands beside this program, in
 * a process of its own: LMDB forbids to open an environment twice in one, and
 * a copy of a thread's making would have to be kept from a growing map. The
 * fold only starts it and hears how it ended. One at a time; what is due while
 * one is being made is made when that is done.
 */
#ifndef CALLFOLD_PROCESSOR_SNAPSHOT_SCHEDULE_H
#define CALLFOLD_PROCESSOR_SNAPSHOT_SCHEDULE_H

#include "snapshots/store.h"
#include "terminal/options.h"

/* What `callfold run` is told of snapshots. */
struct snapshot_options {
    const char *dir;                     /* NULL: none */
    const char *sign_path, *verify_path; /* keys, or NULL */
    int64_t every_ms;                    /* 0: none are made here */
    int64_t keep;                        /* of each partition; 0: all */
};

#define SNAPSHOT_EVERY_MOST_MS (INT64_C(366) * 86400000)

#define SNAPSHOT_OPTION_SPECS(options)                                                                       \
    {.name = "snapshots",                                                                                    \
     .kind = OPTION_TEXT,                                                                                    \
     .target = &(options).dir,                                                                               \
     .value = "DIR",                                                                                         \
     .help = "start from the newest snapshot there where a\npartition has no state; see callfold-snapshot"}, \
        {.name = "snapshot-every",                                                                           \
         .kind = OPTION_TIME,                                                                                \
         .target = &(options).every_ms,                                                                      \
         .value = "TIME",                                                                                    \
         .least = 1000,                                                                                      \
         .most = SNAPSHOT_EVERY_MOST_MS,                                                                     \
         .help = "make one of each partition that often: 15m, 6h"},                                          \
        {.name = "snapshot-keep",                                                                            \
         .kind = OPTION_NUMBER,                                                                              \
         .target = &(options).keep,                                                                          \
         .value = "N",                                                                                       \
         .least = 1,                                                                                         \
         .most = INT32_MAX,                                                                                  \
         .help = "and then remove all but the newest N of a partition\n(all stay unless given)"},            \
        {.name = "sign",                                                                                     \
         .kind = OPTION_TEXT,                                                                                \
         .target = &(options).sign_path,                                                                     \
         .value = "PRIVATE",                                                                                 \
         .help = "sign them with that Ed25519 key (PEM)"},                                                   \
    {                                                                                                        \
        .name = "verify-key", .kind = OPTION_TEXT, .target = &(options).verify_path, .value = "PUBLIC",      \
        .help = "start from those alone that are signed with it"                                             \
    }

struct snapshot_schedule;

/* NULL with *error: the options do not go together, or callfold-snapshot is not
 * there. Both arguments are borrowed. */
struct snapshot_schedule *snapshot_schedule_new(const struct snapshot_options *options, const char *state,
                                                struct store_error *error);
/* Ends what it is at; NULL is let be. */
void snapshot_schedule_free(struct snapshot_schedule *schedule);

/* Hears whether one has ended, and begins the next when it is due; NULL is let
 * be. Called again and again, once there is a checkpoint. */
void snapshot_schedule_turn(struct snapshot_schedule *schedule);

#endif
