/* query.h - what a question to the books gives, as a table (terminal/table.h).
 *
 * The columns of the table and those that the question selects are the same, in
 * one order: an amount is selected as micros, a duration as ms, a flag as 1 or 0,
 * all else as text. A cell without a value is NULL.
 */
#ifndef CALLFOLD_REPLAY_TOOL_QUERY_H
#define CALLFOLD_REPLAY_TOOL_QUERY_H

#include "replay-tool/sql.h"
#include "terminal/table.h"

/* Its values are bound. Adds a row to the table for each that it gives. */
void query_rows(struct sql_statement *question, struct table *table, const struct table_column *columns, size_t count);

#endif
