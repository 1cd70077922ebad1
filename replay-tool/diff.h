/* diff.h - between cmd_diff.c and the two ways in which two directories differ:
 * states record by record (diff_states.c), outputs line by line (diff_outputs.c). */
#ifndef CALLFOLD_REPLAY_TOOL_DIFF_H
#define CALLFOLD_REPLAY_TOOL_DIFF_H

#include "replay-tool/published.h"
#include "terminal/table.h"

/* What a differing thing is found in. */
struct diff {
    const char *a, *b; /* as they were named */
    enum table_format format;
    struct table *table;
    int64_t count; /* rows so far */
};

enum diff_change { DIFF_CHANGED, DIFF_ADDED /* in b only */, DIFF_REMOVED /* in a only */ };

/* One row. kind: of record, or a topic. Absent texts are cells without a value. */
void diff_row(struct diff *diff, uint32_t partition, enum diff_change change, const char *kind, struct text key,
              struct text field, struct text a, struct text b);

/* Where a partition's state is: a state directory's partition, a snapshot, or
 * any directory with a data.mdb. */
struct diff_store {
    uint32_t partition;
    char *path;
};
struct diff_stores {
    struct diff_store *items; /* ascending by partition */
    size_t count;
};
/* Finds those that a directory stands for: a store itself, a state directory,
 * or a directory of snapshots, of which the newest of each partition count.
 * None when it is nothing of that. diff_stores_free in either case. */
void diff_stores_find(const char *dir, struct diff_stores *stores);
void diff_stores_free(struct diff_stores *stores);

/* Both give EX_OK or the exit code after a message. */
int diff_states(struct diff *diff, const struct diff_stores *a, const struct diff_stores *b);
int diff_outputs(struct diff *diff);

#endif
