/* survey.h - where the partitions stand, for the figures. */
#ifndef CALLFOLD_PROCESSOR_SURVEY_H
#define CALLFOLD_PROCESSOR_SURVEY_H

#include "processor/figures.h"
#include "processor/partition.h"

/* Fills in the partitions (by number, NULL: not ours), and what they mean:
 * is_ready, status. is_assigned: the log has said which are ours. */
void survey(struct figures *figures, struct log *log, struct partition *const *partitions, bool is_assigned);

#endif
