/* log_file_recall.h - attestations.jsonl read back; private to log_file.c.
 *
 * What is folded again asks for its attestations in the order in which the
 * lines stand in the file, whatever their partitions, so it is read once, from
 * its beginning, and never held.
 */
#ifndef CALLFOLD_PROCESSOR_LOG_FILE_RECALL_H
#define CALLFOLD_PROCESSOR_LOG_FILE_RECALL_H

#include <stdio.h>

#include "processor/log.h"

struct recall {
    FILE *file; /* NULL: not opened yet */
    char *line; /* getline's */
    size_t room;
    int64_t lines;
    char where[320]; /* "PATH, line" */
};

/* Fills *published, but for a fault or the file's end. path: attestations.jsonl,
 * which holds committed lines up to length. */
enum log_answer recall_next(struct recall *recall, const char *path, int64_t length, uint32_t partition, int64_t inputs,
                            struct log_published *published, struct store_error *error);
void recall_close(struct recall *recall);

#endif
