/* storing.c - see storing.h. */
#include "processor/storing.h"

#include <stdatomic.h>

#include "processor/thread.h"
#include "snapshots/fail_point.h"

static void *store(void *opaque)
{
    struct storing *storing = opaque;
    for (size_t i = 0; i < storing->count; i++) {
        partition_checkpoint_store(storing->partitions[i]);
        FAIL_POINT("between-partitions");
    }
    atomic_store(&storing->is_done, true);
    return NULL;
}

void storing_start(struct storing *storing, struct partition *const partitions[PARTITIONS_MAX])
{
    storing->count = 0;
    for (size_t i = 0; i < PARTITIONS_MAX; i++)
        if (partitions[i] != NULL)
            storing->partitions[storing->count++] = partitions[i];
    storing->is_done = false;
    storing->is_under_way = true;
    storing->thread = thread_start(store, storing);
}

bool storing_is_done(const struct storing *storing)
{
    return atomic_load(&storing->is_done);
}

void storing_join(struct storing *storing)
{
    if (storing->is_under_way)
        pthread_join(storing->thread, NULL);
    storing->is_under_way = false;
}
