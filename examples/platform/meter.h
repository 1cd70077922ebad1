/* meter.h - the meter as its platform sees it: two files that grow.
 *
 * progress.jsonl says how far the meter has come, commands.jsonl what it wants
 * done. The meter writes its commands before the progress that covers them, so
 * once progress has reached the platform's last line, every command that those
 * lines can cause is in the file, and no other. That makes a day repeatable
 * although two processes play it.
 *
 * Waiting sleeps in the kernel until the progress file changes (inotify), the
 * meter's process ends (pidfd) or patience runs out.
 */
#ifndef CALLFOLD_EXAMPLES_METER_H
#define CALLFOLD_EXAMPLES_METER_H

#include <jansson.h>
#include <sys/types.h>

#include "events/output.h"

/* One of the meter's commands, parsed. Texts are absent and numbers 0 where it has no such
 * member; they live until the next meter_order. */
struct order {
    enum output_type type;
    struct text id, subject;
    struct text call_id, message_id, deck_id, recharge_id;
    struct text reason; /* of a cutoff or denial; the kind of a notification */
    int64_t at_duration_ms, revision, raised_count;
    bool charged, has_max_duration;
    struct amount amount; /* of a recharge */
};

/* A file read as it grows. */
struct tail {
    const char *path;
    int fd;
    char *bytes; /* read and not yet handed out: from..len */
    size_t from, len, capacity;
    int64_t offset; /* of the file, behind bytes */
};

struct meter {
    struct tail commands, progress;
    int inotify, process; /* descriptors; process -1 when no pid was given */
    int patience_ms;
    int64_t folded; /* lines of the events file that progress covers */
    json_t *record; /* of the last order */
};

/* Files that are not there yet are waited for, patience_ms at most. pid 0: the
 * meter's process is not known. False after a message. Borrows the paths. */
bool meter_open(struct meter *meter, const char *commands, const char *progress, pid_t pid, int patience_ms);
/* Waits until the meter has committed that many lines. False after a message:
 * it died, or nothing moved for patience_ms. */
bool meter_await(struct meter *meter, int64_t lines);
/* The next command, if there is one. A line that is no command ends the
 * program with EX_PROTOCOL. */
bool meter_order(struct meter *meter, struct order *order);
void meter_close(struct meter *meter);

#endif
