/* csv.h - RFC 4180 read in place.
 *
 * The reader is given a file's bytes, which it may overwrite: a quoted field is
 * unquoted where it stands, so that no field is ever copied. Lines may end with
 * LF or CR LF, the last one with neither. Empty lines are skipped.
 *
 *     struct csv csv = {.at = bytes, .end = bytes + len, .next_line = 1};
 *     while (csv_next(&csv))
 *         if (csv.fault != NULL) ... line csv.line is no CSV, the next one may be
 *         else ... csv.fields[0 .. csv.count - 1]
 */
#ifndef CALLFOLD_PROCESSOR_CSV_H
#define CALLFOLD_PROCESSOR_CSV_H

#include "events/text.h"

#define CSV_FIELDS_MAX 64 /* of one line; more are a fault */

struct csv {
    char *at, *end;    /* what is still to be read */
    int64_t line;      /* on which the record began, from 1 */
    int64_t next_line; /* on which the next one will */
    size_t count;
    struct text fields[CSV_FIELDS_MAX]; /* of the record; empty ones are present */
    const char *fault;                  /* what is wrong with it, and the way out; else NULL */
};

/* Reads the next record. False at the end of the bytes. */
bool csv_next(struct csv *csv);

#endif
