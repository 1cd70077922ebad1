/* archiving.h - adding to an archive what a source has beyond it, and proving one.
 *
 * An archive goes on where its last segment of each partition ends. A segment
 * is finished when it is large enough, and at the source's end; each counts
 * from the moment when it is finished, so that a run that is killed has lost
 * nothing but the segment it was at.
 */
#ifndef CALLFOLD_REPLAY_TOOL_ARCHIVING_H
#define CALLFOLD_REPLAY_TOOL_ARCHIVING_H

#include "replay-tool/archive.h"
#include "replay-tool/source.h"

/* Adds to the archive in dir, or begins one there. segment_bytes: of lines,
 * from which on a segment is finished. *archive is what it is afterwards;
 * archive_release in either case. EX_CONFIG: the source is another one than the
 * archive was made from, or another process writes there. */
bool archiving_run(const struct source_options *options, const char *dir, int64_t segment_bytes,
                   struct archive *archive, struct store_error *error);

/* Reads every segment to its end and holds it against the manifest. EX_DATAERR
 * in *error: it is not what the manifest says. */
bool archiving_prove(const struct archive *archive, struct store_error *error);

#endif
