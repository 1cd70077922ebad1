/* cdr.h - a carrier's call detail records: a CSV file, one call a line.
 *
 * The first line names the columns. Which column is which is found by the usual
 * names, upper or lower case alike, or said with --map OURS=THEIRS,...:
 *
 *     call_id      call_id, callid, call id      the platform's id of the call, if the carrier has it
 *     account      account, account_id           whose it is, if the carrier knows
 *     from, to     from, caller, a_number ...    with "+", "00" or neither
 *     start        start, started_at ...         RFC 3339, or seconds or milliseconds since 1970
 *     duration     duration, duration_ms ...     talk time, in s unless the name ends with ms
 *     billed       billed, billed_ms ...         the same in whole increments
 *     amount, currency, destination
 *
 * A file with a fault in any line is refused, each told with line and column
 * (twenty of them), before the first line is given out. It is held in memory.
 */
#ifndef CALLFOLD_REPLAY_TOOL_CDR_H
#define CALLFOLD_REPLAY_TOOL_CDR_H

#include "events/text.h"
#include "terminal/options.h"

#define CDR_COLUMNS(X)      \
    X(CALL_ID, "call_id")   \
    X(ACCOUNT, "account")   \
    X(FROM, "from")         \
    X(TO, "to")             \
    X(START, "start")       \
    X(DURATION, "duration") \
    X(BILLED, "billed")     \
    X(AMOUNT, "amount")     \
    X(CURRENCY, "currency") \
    X(DESTINATION, "destination")
#define X(symbol, word) CDR_##symbol,
enum cdr_column { CDR_COLUMNS(X) CDR_COLUMN_COUNT };
#undef X

struct cdr_options {
    const char *path;       /* "-" is stdin */
    struct option_list map; /* OURS=THEIRS[,OURS=THEIRS]... */
    const char *unit;       /* of durations: "s", "ms", or NULL: as the column's name says */
};

/* A line. Texts live until cdr_close; those without a column are absent. */
struct cdr_line {
    int64_t line; /* of the file */
    struct text call_id, account, from, to, destination;
    int64_t start_ms, duration_ms, billed_ms, amount_micros;
    uint32_t currency; /* 0: not said */
};

struct cdr;

/* Reads the file and checks all of it. EX_OK, or the exit code after messages. */
int cdr_open(struct cdr **cdr, const struct cdr_options *options);
/* NULL is let be. */
void cdr_close(struct cdr *cdr);
bool cdr_has(const struct cdr *cdr, enum cdr_column column);
const char *cdr_column_word(enum cdr_column column);
/* The next line; false at the end. */
bool cdr_next(struct cdr *cdr, struct cdr_line *line);
/* Digits of a number however it is written: without "+", "00" and what people put between. */
#define CDR_NUMBER_MAX 64
size_t cdr_number(struct text written, char digits[CDR_NUMBER_MAX]);

#endif
