/* statement.h - a customer's month, from the books of that account and month.
 *
 * Opening balance, top-ups, calls, chargebacks, closing balance; amounts are seen
 * from the customer (a call is below zero), so that everything adds up downwards.
 * Money is in the month that its ledger entries are dated in, a call without any in
 * the month in which it ended. A call is one line, whatever entries it has: one that
 * goes over midnight has two, one that goes over the month's end has a line in both
 * months, each with its share and what the whole call came to.
 */
#ifndef CALLFOLD_REPLAY_TOOL_STATEMENT_H
#define CALLFOLD_REPLAY_TOOL_STATEMENT_H

#include <stdio.h>

#include "replay-tool/books.h"
#include "terminal/table.h"

struct statement {
    struct sql *sql;           /* the books; borrowed, as all here */
    const struct range *range; /* theirs: the account, the first and the last day of the month */
    const char *month;         /* "2026-11" */
    /* What statement_sums reads. Texts live as long as the books. */
    struct text account, currency;
    char through[32]; /* partition time up to which events were folded */
    bool is_final;    /* nothing can be posted to the month any more */
    int64_t opening_micros, topups_micros, calls_micros, reversals_micros, closing_micros;
};

/* Reads and checks the sums. False with *error: EX_DATAERR when there is no such
 * account, EX_SOFTWARE when the lines do not add up to the closing balance. */
bool statement_sums(struct statement *statement, struct store_error *error);

/* The lines, as questions to the books; amounts in micros. */
enum { TOPUP_DATE, TOPUP_ID, TOPUP_PAID, TOPUP_PAID_CURRENCY, TOPUP_AMOUNT, TOPUP_FOR_DATE };
enum {
    CALL_STARTED,
    CALL_FROM_NUMBER,
    CALL_TO_NUMBER,
    CALL_PLACE,
    CALL_TALK,
    CALL_BILLED,
    CALL_PRICE,
    CALL_AMOUNT,
    CALL_WHOLE, /* what it came to in all, where that is another amount */
    CALL_REMARK,
    CALL_ID
};
enum { REVERSAL_DATE, REVERSAL_TOPUP, REVERSAL_AMOUNT, REVERSAL_REST, REVERSAL_FOR_DATE };
extern const char statement_topups[], statement_calls[], statement_reversals[];

/* Written to out; what fails is told by sql_is_sound and by out. */
void statement_table(const struct statement *statement, enum table_format format, FILE *out);
/* A page of its own for a browser or a printer: no script, nothing fetched. */
void statement_html(const struct statement *statement, FILE *out);

#endif
