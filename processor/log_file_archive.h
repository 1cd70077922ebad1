/* log_file_archive.h - a line of the archive form to a record of its partition.
 *
 *     {"partition":3,"offset":17,"timestamp":1763884800000,"key":"acct-17","value":"{...}"}
 *
 * partition, offset and value (or value_base64) are needed; timestamp (ms) and
 * key (or key_base64) may be null or missing; other members are ignored, but
 * for specversion, which makes the line a bare event. A line that is not of
 * this form, or would be if it were not broken, is for the caller a bare one.
 */
#ifndef CALLFOLD_PROCESSOR_LOG_FILE_ARCHIVE_H
#define CALLFOLD_PROCESSOR_LOG_FILE_ARCHIVE_H

#include "processor/log.h"

/* What lines of a batch were parsed into; the records' texts point into it.
 * Zero it to begin. */
struct archive_memory {
    struct json_t **parsed;
    size_t count, capacity;
};
/* Frees what the records so far point into; the memory may be used again. */
void archive_forget(struct archive_memory *memory);

/* True: *partition and *record are filled from the line. */
bool archive_parse(struct archive_memory *memory, struct text line, uint32_t *partition, struct fold_record *record);

#endif
