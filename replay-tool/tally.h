/* tally.h - what a history came to, before and after a change, by origin, destination and account.
 *
 * Two histories of the same records are shown to it, one after the other; each
 * step's outputs are added to the sums of its side. Revenue is what the ledger
 * took for calls; of a stale call's two records the later counts. The answers to
 * each call.started are compared: a call is refused when it was authorized on the
 * first side and is denied on the second, allowed the other way round.
 *
 * Its size grows with accounts, destinations and origins, with stale calls, and
 * by eight bytes for each call.
 */
#ifndef CALLFOLD_REPLAY_TOOL_TALLY_H
#define CALLFOLD_REPLAY_TOOL_TALLY_H

#include "replay-tool/history.h"
#include "replay-tool/witness.h"

enum tally_group { BY_TOTAL, BY_ORIGIN, BY_DESTINATION, BY_ACCOUNT, BY_REASON, TALLY_GROUPS };
enum tally_side { SIDE_BEFORE, SIDE_AFTER, TALLY_SIDES };

struct tally_row {
    enum tally_group group;
    struct name name;  /* empty for the total, and where there is none */
    uint32_t currency; /* 0 by reason */
    struct {
        int64_t calls; /* charged ones that were recorded */
        int64_t talked_ms, billed_ms;
        int64_t revenue_micros, uncollected_micros;
        int64_t cut; /* ended by a cutoff */
    } side[TALLY_SIDES];
    int64_t refused, allowed;
};

struct tally;

struct tally *tally_new(void);
void tally_free(struct tally *tally);
void tally_step(struct tally *tally, enum tally_side side, const struct history_step *step);
/* In order of group, name and currency. */
void tally_each(struct tally *tally, void (*visit)(void *context, const struct tally_row *row), void *context);

#endif
