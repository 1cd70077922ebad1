/* files.h - the meter by two files that grow: progress.jsonl says how far it has
 * come, commands.jsonl what it wants done.
 *
 * The meter writes its commands before the progress that covers them, so once
 * progress has reached the platform's last line, every command that those lines
 * can cause is in the file, and no other.
 *
 * Waiting sleeps in the kernel until the progress file changes (inotify), the
 * meter's process ends (pidfd) or patience runs out.
 */
#ifndef CALLFOLD_EXAMPLES_FILES_H
#define CALLFOLD_EXAMPLES_FILES_H

#include <sys/types.h>

#include "examples/platform/meter.h"

/* Files that are not there yet are waited for, patience_ms at most. pid 0: the
 * meter's process is not known. False after a message; meter_close in either
 * case. Borrows the paths. */
bool files_open(struct meter *meter, const char *commands, const char *progress, pid_t pid, int patience_ms);

#endif
