/* hear.h - what a piece of the command line says on stderr, as a person reads it;
 * what it prints meanwhile is dropped.
 *
 *     hear_begin();
 *     int code = deck_read(...);
 *     size_t lines = hear_end("callfold: ");
 *
 * Whatever the bytes of its input were, a message is whole lines of text that
 * begin with the program's name, are not endless and hold nothing that a
 * terminal would obey; hear_end aborts where that is not so.
 */
#ifndef CALLFOLD_TESTS_FUZZ_HEAR_H
#define CALLFOLD_TESTS_FUZZ_HEAR_H

#include <stddef.h>

void hear_begin(void);
/* How many lines were said since; each begins with `beginning`, or with "Try: ". */
size_t hear_end(const char *beginning);

/* A file of these bytes in memory, as a path that lives until the next call. */
const char *file_of_bytes(const void *bytes, size_t len);

#endif
