/* books.h - what a history means in money, as a database: ledger, calls, customers.
 *
 * Every step of a history is handed over; its outputs become rows (books.sql
 * says which), and whoever wants to know something asks by sql.h:
 *
 *     struct books *books = books_open(path, &range, &error);
 *     books_begin(books, history) && history_run(history, visit, ...), where visit calls books_step
 *     if (books_end(books, history)) ... sql_prepare(books_sql(books), "SELECT ...")
 *     books_close(books)
 *
 * The sums are checked on the way: an entry's postings, each account's balance
 * after each entry, and each call record against what was posted for the call.
 * One that is wrong is EX_SOFTWARE.
 *
 * Sums need every entry from the first on. With a base (base.h), one that is no later
 * than their range, the entries of the range are the same, and the books of one account
 * whole: what an account had then is its opening balance, and of its calls that were on
 * then what the ledger had charged is taken on trust. Not there are what other ledger
 * accounts stood at, the settings of before, and customers of whom nothing came.
 */
#ifndef CALLFOLD_REPLAY_TOOL_BOOKS_H
#define CALLFOLD_REPLAY_TOOL_BOOKS_H

#include "processor/fold/records.h"
#include "replay-tool/history.h"
#include "replay-tool/range.h"
#include "replay-tool/sql.h"

struct books;

/* A new database in the file. NULL on error. range and error are borrowed. */
struct books *books_open(const char *path, const struct range *range, struct store_error *error);
/* Before the history is run. False on error. */
bool books_begin(struct books *books, const struct history *history);
/* Takes the outputs of a step. False on error. */
bool books_step(struct books *books, const struct history_step *step);
/* All steps were taken; history says how far it went. False on error. */
bool books_end(struct books *books, const struct history *history);
/* An account's record in the fold, or NULL. */
const struct account_record *books_find_account(struct fold *fold, struct text account);
struct sql *books_sql(const struct books *books);
/* Closes the file. False on an error not told before. NULL is let be, and true. */
bool books_close(struct books *books);

#endif
