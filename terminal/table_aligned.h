/* table_aligned.h - the table for people; private to table.c.
 *
 * libsmartcols lays the columns out. What is decided here is what it cannot
 * know: a column that tells nothing is hidden; on a terminal that is too
 * narrow the columns that can be spared go next, and then names are wrapped
 * between words. Elsewhere than on a terminal a table is as wide as it is.
 */
#ifndef CALLFOLD_TERMINAL_TABLE_ALIGNED_H
#define CALLFOLD_TERMINAL_TABLE_ALIGNED_H

#include "terminal/table.h"

struct aligned;

/* Never NULL. Columns are borrowed until aligned_end. is_card: headings stand
 * left of the cells, not above. */
struct aligned *aligned_begin(FILE *out, const struct table_column *columns, size_t count, bool is_card);
void aligned_row(struct aligned *aligned, const char *colour);
/* A cell of the last row; absent: nothing. */
void aligned_cell(struct aligned *aligned, size_t column, struct text text);
/* Prints, unless there is no row, and frees. */
void aligned_end(struct aligned *aligned);

/* True when colours may be sent to out: a terminal, and nobody said no. */
bool colours_wanted(FILE *out);

#endif
