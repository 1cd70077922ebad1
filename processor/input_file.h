/* input_file.h - a text file read in one piece: decks, fx tables and call records of others. */
#ifndef CALLFOLD_PROCESSOR_INPUT_FILE_H
#define CALLFOLD_PROCESSOR_INPUT_FILE_H

#include "events/encode.h"

#define INPUT_FILE_MOST ((size_t)4 << 30) /* bytes; a line of a deck or a call takes some 100 */

/* Reads the bytes of the file at path ("-" is stdin) into *buffer, less a
 * UTF-8 byte order mark; a NUL that does not count stands behind them. EX_OK,
 * or the exit code after a message: EX_IOERR when it cannot be read, EX_DATAERR
 * when it is UTF-16, 64 KiB of nothing but NULs or longer than INPUT_FILE_MOST.
 * The buffer is to be empty. */
int input_file_read(const char *path, struct buffer *buffer);
/* What messages call it: the path, or "standard input". */
const char *input_file_name(const char *path);

#endif
