/* log_file.h - the embedded log: JSON lines in, JSON lines out.
 *
 * In: a file or stdin, one record a line, bare or in archive form
 * (log_file_archive.h), read whole and in order (log_file_lines.h). Out: one
 * file a topic and progress.jsonl (log_file_outputs.h), whose last record that
 * the files cover is the commit that holds; on opening everything after it is
 * cut off.
 */
#ifndef CALLFOLD_PROCESSOR_LOG_FILE_H
#define CALLFOLD_PROCESSOR_LOG_FILE_H

#include "processor/log.h"

struct log_file_config {
    const char *events; /* a path, or "-" for stdin */
    const char *out;    /* directory of the outputs, made when missing */
    const char *state;  /* the state's directory, which exists; takes a line too long for memory */
    bool follow;        /* at the end of the file wait for more */
    /* Partitions that have a state already. Those without a commit are
     * assigned too, so that a state without its outputs is noticed. */
    const uint32_t *stored;
    size_t stored_count;
};

/* The texts are borrowed for the log's life. NULL on error. */
struct log *log_file_open(const struct log_file_config *config, struct store_error *error);

#endif
