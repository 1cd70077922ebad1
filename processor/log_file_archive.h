/* log_file_archive.h - the archive form: a record of any partition as a line.
 *
 *     {"partition":3,"offset":17,"timestamp":1763884800000,"key":"acct-17","value":"{...}"}
 *     {"partition":0,"offset":17,"bare":true,"value":"{...}"}
 *
 * partition, offset and value (or value_base64) are needed; timestamp (ms) and
 * key (or key_base64) may be null or missing. bare: the record was a bare line,
 * which has neither a key nor a timestamp; both must then be missing. Other
 * members are ignored, but for specversion, which makes the line a bare event.
 * A line that is not of this form, or would be if it were not broken, is for the
 * caller a bare one.
 *
 * Lines as archive_encode writes them are read without a JSON parser, unless
 * they hold what only one can judge (escapes by number, bytes beyond ASCII).
 */
#ifndef CALLFOLD_PROCESSOR_LOG_FILE_ARCHIVE_H
#define CALLFOLD_PROCESSOR_LOG_FILE_ARCHIVE_H

#include "events/encode.h"
#include "processor/log.h"

/* What lines of a batch were parsed into; the records' texts point into it.
 * Zero it to begin. */
struct archive_memory {
    struct json_t **parsed;
    size_t count, capacity;
    struct archive_block *blocks; /* unescaped texts; the newest block first */
};
/* What the records so far point into may be used again, for other lines. */
void archive_forget(struct archive_memory *memory);
/* Frees it. */
void archive_free(struct archive_memory *memory);

/* True: *partition and *record are filled from the line. */
bool archive_parse(struct archive_memory *memory, struct text line, uint32_t *partition, struct fold_record *record);
/* By the JSON parser alone: the reference. Same contract. */
bool archive_parse_reference(struct archive_memory *memory, struct text line, uint32_t *partition,
                             struct fold_record *record);

/* Appends the record as a line, without its newline; archive_parse gives it back. */
void archive_encode(struct buffer *buffer, uint32_t partition, const struct fold_record *record);

#endif
