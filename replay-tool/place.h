/* place.h - offsets and ledger entries as command lines write them: "3:17" is
 * number 17 of partition 3, "17" alone of partition 0. */
#ifndef CALLFOLD_REPLAY_TOOL_PLACE_H
#define CALLFOLD_REPLAY_TOOL_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/* False for anything else, for a partition from PARTITIONS_MAX on, and for a
 * number that is not below INT64_MAX. */
bool place_parse(const char *text, uint32_t *partition, int64_t *number);

#endif
