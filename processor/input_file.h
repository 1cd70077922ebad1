/* input_file.h - a file read in one piece: decks and fx tables. */
#ifndef CALLFOLD_PROCESSOR_INPUT_FILE_H
#define CALLFOLD_PROCESSOR_INPUT_FILE_H

#include "events/encode.h"

/* Appends the bytes of the file at path ("-" is stdin) to *buffer, less a
 * UTF-8 byte order mark; a NUL that does not count stands behind them. EX_OK,
 * or the exit code after a message: EX_IOERR when it cannot be read,
 * EX_DATAERR when it is UTF-16. */
int input_file_read(const char *path, struct buffer *buffer);
/* What messages call it: the path, or "standard input". */
const char *input_file_name(const char *path);

#endif
