/* log_file_lines.h - a file or stdin as numbered lines.
 *
 * Lines are borrowed from one buffer of fixed size. A line that outgrows it is
 * spooled into an unlinked temporary file and mapped, so that memory never
 * grows with the input. A last line without its newline is no line yet. Any
 * byte but the newline is content.
 */
#ifndef CALLFOLD_PROCESSOR_LOG_FILE_LINES_H
#define CALLFOLD_PROCESSOR_LOG_FILE_LINES_H

#include "processor/log.h"

#define LINE_IN_MEMORY_MAX ((size_t)8 << 20) /* bytes; a longer line is spooled */

struct lines;

struct line {
    struct text bytes; /* without the newline */
    int64_t number;    /* from 0 */
    int64_t end;       /* bytes of the input up to and including the newline */
};

enum lines_answer { LINES_MORE, LINES_IDLE, LINES_END, LINES_FAILED };

/* path "-" is stdin; spool names a directory. Both borrowed. follow: a regular
 * file's end is not the end. NULL with *error set (EX_DATAERR: the input cannot
 * be read). */
struct lines *lines_open(const char *path, const char *spool, bool follow, struct store_error *error);
void lines_close(struct lines *lines);
const char *lines_name(const struct lines *lines); /* for messages */

/* Bytes of a regular file at the moment; -1 for anything else. */
int64_t lines_size(const struct lines *lines);

/* Goes to the beginning of the line that ends at mark, so that it is the next
 * one and can be held against mark->check. Of an input that cannot seek the
 * next line stays the first one. Only before the first lines_next. False when
 * no line ends there. */
bool lines_seek(struct lines *lines, const struct log_mark *mark);

/* The next line that is complete in memory; false: fill. The bytes live until
 * the next lines_fill. */
bool lines_next(struct lines *lines, struct line *line);
/* Takes back the line that lines_next gave last. */
void lines_unread(struct lines *lines, const struct line *line);
/* Reads more, waiting up to wait_ms where there is nothing. LINES_MORE may
 * still be less than a line. Call it only when lines_next gave false. */
enum lines_answer lines_fill(struct lines *lines, int wait_ms, struct store_error *error);

#endif
