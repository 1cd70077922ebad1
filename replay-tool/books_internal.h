/* books_internal.h - what the files of books.h share; nobody outside includes it.
 *
 * books.c        the database, its beginning and its end, customers and decks
 * books_call.c   calls
 * books_entry.c  ledger entries
 */
#ifndef CALLFOLD_REPLAY_TOOL_BOOKS_INTERNAL_H
#define CALLFOLD_REPLAY_TOOL_BOOKS_INTERNAL_H

#include "processor/fold/state.h"
#include "replay-tool/books.h"

#define CURRENCIES_MAX 256 /* remembered; ISO 4217 has fewer */

struct books {
    struct sql *sql;
    const struct range *range;
    struct store_error *error;
    int64_t entries[PARTITIONS_MAX]; /* of the ledger so far */
    bool is_from_base;               /* there may be calls of which we did not see the start */
    uint32_t currencies[CURRENCIES_MAX];
    size_t currency_count; /* of those that have a row */
    struct sql_statement *add_currency, *add_deck, *add_fx_rate, *add_customer, *move_balance;
    struct sql_statement *add_call, *find_call, *charge_call, *close_call, *link_entries;
    struct sql_statement *add_entry, *add_posting, *add_opening;
};

/* Cells of a row. A value that is not there is NULL. */
void books_put_currency(struct books *books, struct sql_statement *statement, uint32_t code);
void books_put_instant(struct sql_statement *statement, int64_t ms);
void books_put_day(struct sql_statement *statement, bool is_there, int32_t day);
void books_put_money(struct sql_statement *statement, bool is_there, int64_t micros);
/* The first two values of a statement: the account, and an id of its own. */
void books_name(struct sql_statement *statement, struct text account, struct text id);

/* The account's row, if it has none yet, from a base or from the first entry after it: what
 * it had then is its opening balance. */
void books_open_account(struct books *books, uint32_t partition, struct text id, uint32_t currency, int64_t micros);

/* books_call.c. What they take is of an account that is wanted. */
void books_authorized(struct books *books, const struct history_step *step, const struct output *output);
bool books_recorded(struct books *books, const struct history_step *step, const struct output *output);
/* An entry of kind call is about to become a row. */
void books_charge_call(struct books *books, const struct history_step *step, const struct output *entry);

/* books_entry.c */
bool books_posted(struct books *books, const struct history_step *step, const struct output *output);
/* A posting before the range. */
void books_add_opening(struct books *books, const struct posting *posting);

#endif
