/* progress_json.h - what commits say, as JSON: the record
 * callfold.progress.committed, which tells operators how far the meter is and a
 * resuming meter where it was. A file holds one a commit, for all partitions;
 * a topic one a partition and commit. */
#ifndef CALLFOLD_PROCESSOR_PROGRESS_JSON_H
#define CALLFOLD_PROCESSOR_PROGRESS_JSON_H

#include <jansson.h>

#include "events/encode.h"
#include "processor/log.h"

/* Appends as printf would, at most 511 bytes. */
__attribute__((format(printf, 2, 3))) void append_format(struct buffer *buffer, const char *format, ...);

/* Appends the record up to the opening of its `data`. Its time is the wall
 * clock's: it is no part of the replayable output. */
void progress_open(struct buffer *buffer, int64_t position);
/* A member of `partitions`. */
void progress_encode(struct buffer *buffer, const struct log_progress *partition);
/* False when the object is no such member. */
bool progress_decode(const json_t *object, struct log_progress *partition);

/* The first member of a record of callfold.progress, which has one; false when
 * the value is no such record. */
bool progress_of_record(struct text value, struct log_progress *partition);

/* A member that is an integer from 0 on; *count is 0 when it is none. */
bool json_get_count(const json_t *object, const char *name, int64_t *count);

#endif
