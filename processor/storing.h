/* storing.h - a checkpoint on its way to the disk, while the fold goes on.
 *
 * Sorting what has changed, putting it and syncing take a tenth of a second and
 * more; an event that comes meanwhile should not wait for that. So the partitions'
 * changes are copied, and a thread stores the copies, one partition after the
 * other. One checkpoint is on its way at most.
 */
#ifndef CALLFOLD_PROCESSOR_STORING_H
#define CALLFOLD_PROCESSOR_STORING_H

#include <pthread.h>

#include "processor/partition.h"

/* Zero it to begin. */
struct storing {
    bool is_under_way; /* from start to join */
    pthread_t thread;
    struct partition *partitions[PARTITIONS_MAX];
    size_t count;
    _Atomic bool is_done;
};

/* Each partition of the array, by number with NULL between them, has taken its
 * checkpoint. They are borrowed until join. */
void storing_start(struct storing *storing, struct partition *const partitions[PARTITIONS_MAX]);
/* Whether join would not wait. */
bool storing_is_done(const struct storing *storing);
/* Waits for the end, if one is under way; how it went, each partition's
 * partition_checkpoint_end says. */
void storing_join(struct storing *storing);

#endif
