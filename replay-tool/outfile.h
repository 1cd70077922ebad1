/* outfile.h - a file that is there whole or not at all; or stdout.
 *
 * What is written goes to FILE.partial beside it; keeping syncs that and gives it
 * its name. A kill or a full disk leaves no half file under the name, and what was
 * there before stays until the new one is whole. A FILE.partial that a kill left is
 * written over by the next run; two runs at once are refused.
 */
#ifndef CALLFOLD_REPLAY_TOOL_OUTFILE_H
#define CALLFOLD_REPLAY_TOOL_OUTFILE_H

#include <stdio.h>

#include "snapshots/store.h"

struct outfile {
    const char *path; /* NULL: stdout. Borrowed */
    char *partial;    /* its name so far; NULL with stdout */
    FILE *stream;     /* to be written to */
    int fd, fault;    /* of the file; the errno of the write that failed */
};
#define OUTPUT_OPTION_SPEC(path)                                                                      \
    {                                                                                                 \
        .name = "output", .kind = OPTION_TEXT, .target = &(path), .value = "FILE",                    \
        .help = "where to write (stdout); the file is there whole\nor, if anything fails, not at all" \
    }

/* False with *error. path NULL: stdout. */
bool outfile_open(struct outfile *file, const char *path, struct store_error *error);
/* All is written: gives the file its name. False with *error, and then no file. */
bool outfile_keep(struct outfile *file, struct store_error *error);
/* Something failed: removes what was written. Does nothing after outfile_keep. */
void outfile_drop(struct outfile *file);

#endif
