/* engine.h - the order in which things happen.
 *
 * read, decode, fold, publish, commit, checkpoint: engine.c is the only place
 * that knows it. Records that a partition's state knows already are skipped,
 * records whose outputs are published already are folded in silence: their
 * attestations must be those that were published, and when a partition gets to
 * where the last commit stood, its fold must agree with it. A batch is
 * published by one commit; a broken invariant publishes nothing.
 */
#ifndef CALLFOLD_PROCESSOR_ENGINE_H
#define CALLFOLD_PROCESSOR_ENGINE_H

#include <signal.h>

#include "processor/figures.h"
#include "processor/partition.h"
#include "processor/snapshot_schedule.h"

struct engine_config {
    struct partition_places places;
    struct snapshot_schedule *snapshots; /* NULL: none are made */
    struct board *board;                 /* where it writes what it is doing */
    int64_t batch_records;               /* a commit is due after so many records, */
    int64_t batch_ms;                    /* or so long after the first of them */
    bool commit_when_idle;               /* or as soon as there are no more for now */
    int64_t checkpoint_ms;               /* a checkpoint is due so long after the last one, */
    int64_t checkpoint_records;          /* or after so many records; 0 = not by their number */
    size_t keep_records;                 /* that may stay in memory, each partition */
    const volatile sig_atomic_t *stop;   /* not 0: end in good order */
};

/* Runs until the log's end or until stopped; EX_OK, EX_TEMPFAIL when it was
 * stopped before all states had caught up, or another code that goes with
 * *error. Adds to *figures, which begin as zeros. The log stays the caller's to
 * close. */
int engine_run(const struct engine_config *config, struct log *log, struct figures *figures, struct store_error *error);

#endif
