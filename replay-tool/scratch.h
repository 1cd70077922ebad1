/* scratch.h - a directory for what a history does not keep in memory.
 *
 * Made in $TMPDIR, or /var/tmp where large files belong, and removed with all
 * that is in it when the command ends, also by a signal; only a kill -9 leaves it.
 */
#ifndef CALLFOLD_REPLAY_TOOL_SCRATCH_H
#define CALLFOLD_REPLAY_TOOL_SCRATCH_H

#include "snapshots/store.h"

/* $TMPDIR or /var/tmp; borrowed. */
const char *scratch_parent(void);
/* Makes the directory; its path, malloc'd, or NULL with *error. */
char *scratch_make(struct store_error *error);
/* Removes it with all states in it and frees the path; NULL is let be. */
void scratch_remove(char *dir);

#endif
