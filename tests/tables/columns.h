/* columns.h - how a table spells members: which one a bare word in a line
 * stands for, and what kind of value a member takes. */
#ifndef CALLFOLD_TESTS_TABLES_COLUMNS_H
#define CALLFOLD_TESTS_TABLES_COLUMNS_H

#include <jansson.h>

#include "events/text.h"

/* The member that the column-th bare word (from 0) of a line of this type
 * stands for; NULL when it has no such column. */
const char *column_name(const char *type, size_t column);

/* "08:00:10", as opposed to a whole instant. */
bool is_clock(const char *text);
/* A clock of day ("2026-11-23"), or a whole instant; false for neither. */
bool table_instant(const char *day, const char *text, int64_t *ms);

/* The value of a member as a new reference: JSON where the text is JSON,
 * integers and booleans where the member takes them (durations also as 90s,
 * 5m, 1h, 7d), instants for clocks, else a string. NULL when it cannot be. */
json_t *member_value(const char *day, const char *name, const char *text);

#endif
