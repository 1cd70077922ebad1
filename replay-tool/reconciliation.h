/* reconciliation.h - our call records against a carrier's.
 *
 * Ours are the call records of a history: outbound calls, of a stale call that
 * was found again the last record. A line of the carrier's is matched with the
 * call of its id, or with the call of its numbers that started nearest, within
 * the tolerance; each call once. What is matched is compared; what is left over
 * on our side, and was talked on, is missing on theirs.
 *
 * The calls are sorted by what they are matched by, and those that are taken are
 * skipped at a step, so that it takes n log n whatever the calls are. About 200
 * bytes a call are held in memory.
 */
#ifndef CALLFOLD_REPLAY_TOOL_RECONCILIATION_H
#define CALLFOLD_REPLAY_TOOL_RECONCILIATION_H

#include "replay-tool/cdr.h"
#include "replay-tool/history.h"

/* How two records differ: a set of these. */
enum {
    DIFFERS_MISSING = 1,  /* they do not have it */
    DIFFERS_EXTRA = 2,    /* we do not have it */
    DIFFERS_REPEATED = 4, /* an extra line about a call that a line before was about */
    DIFFERS_NUMBER = 8,   /* another from or to under the same id */
    DIFFERS_START = 16,
    DIFFERS_DURATION = 32,
    DIFFERS_BILLED = 64,
    DIFFERS_AMOUNT = 128,
    DIFFERS_CURRENCY = 256,
};

struct our_call {
    struct text account, call_id, from, to, destination;
    int64_t start_ms, duration_ms, billed_ms, amount_micros;
    uint32_t currency;
    uint32_t order;  /* of its record among all */
    char *bytes;     /* the texts' own memory */
    struct text key; /* what it is matched by */
    char *key_bytes; /* NULL when it borrows from bytes */
};

struct tolerances {
    int64_t duration_ms, start_ms, amount_micros;
};

struct difference_found {
    unsigned kinds;
    const struct our_call *ours;   /* NULL: extra */
    const struct cdr_line *theirs; /* NULL: missing */
};
/* For every line of theirs, the same ones too (kinds 0), and every missing call. */
typedef void reconciliation_visit(void *context, const struct difference_found *found);

struct reconciliation;

struct reconciliation *reconciliation_new(void);
void reconciliation_free(struct reconciliation *reconciliation);
/* Takes the call records among the step's outputs. */
void reconciliation_step(struct reconciliation *reconciliation, const struct history_step *step);
/* All records are in: matches the file with those that started from first_ms on
 * and before end_ms. by_id: else by numbers and start. */
void reconciliation_run(struct reconciliation *reconciliation, struct cdr *cdr, bool by_id, int64_t first_ms,
                        int64_t end_ms, const struct tolerances *tolerances, reconciliation_visit *visit,
                        void *context);

#endif
