/* isolated.h - work in a process of its own.
 *
 * LMDB trusts what it maps. What a failing machine or a forger left of a file
 * may kill its reader, so whatever opens a store that has not proved itself
 * does it in a child: that one's death is an answer like any other. Results
 * come back by shared memory and the exit code.
 */
#ifndef CALLFOLD_SNAPSHOTS_ISOLATED_H
#define CALLFOLD_SNAPSHOTS_ISOLATED_H

#include <stddef.h>
#include <sys/types.h>

/* Zeroed memory that a child's writes show in; never NULL. */
void *isolated_memory(size_t size);
void isolated_memory_free(void *memory, size_t size);

/* Starts work(context) in a child, which ends with its answer as exit code. It
 * dies with its parent, and holds none of its locks or files. -1: no process. */
pid_t isolated_start(int (*work)(void *context), void *context);
/* The child's exit code; EX_SOFTWARE when it died, or never was. */
int isolated_end(pid_t child);

#endif
