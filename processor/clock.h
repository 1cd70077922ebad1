/* clock.h - time for a partition on which nothing happens.
 *
 * Calls go stale and recharges time out as records come, by their timestamps.
 * Where none come, one is written when it would meet a deadline:
 * callfold.clock.advanced, on a log that can be written to (a broker's; a file
 * is the platform's). Since the fold takes no more than CLOCK_STEP_MS of a
 * step, a deadline that is further off wants several, so that an idle partition
 * with live calls gets about one a minute, and one without gets none.
 *
 * Its time is partition time and the time idle: where events are as old as
 * their records that is the time of day, and a history that is being read in
 * stays in its own time.
 */
#ifndef CALLFOLD_PROCESSOR_CLOCK_H
#define CALLFOLD_PROCESSOR_CLOCK_H

#include "processor/log.h"
#include "processor/partition.h"

/* Writes one to the partition if it is time. */
void clock_watch(struct log *log, struct partition *partition);

#endif
