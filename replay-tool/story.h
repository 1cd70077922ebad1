/* story.h - one call, from what was asked to what it cost, with the place of every record.
 *
 * A story is told by the steps of a history: what the call.started was judged
 * by, each report, each limit that was said, each ledger entry, the call record.
 * All figures are the fold's own: what it put out, the call's record in its
 * state, and charge.h's functions over that record's tariff.
 */
#ifndef CALLFOLD_REPLAY_TOOL_STORY_H
#define CALLFOLD_REPLAY_TOOL_STORY_H

#include "replay-tool/witness.h"

enum moment_kind {
    MOMENT_REPORTED,  /* call.ticked, call.ended */
    MOMENT_UNCHANGED, /* an event of the call that was a duplicate */
    MOMENT_REJECTED,  /* one that was rejected */
    MOMENT_LIMITED,   /* call.cutoff */
    MOMENT_WITHDRAWN, /* call.cutoff_withdrawn */
    MOMENT_POSTED,    /* a ledger entry */
    MOMENT_RECORDED   /* call.recorded */
};

/* Why an entry was posted. */
enum posting_cause { POSTED_AT_CLOSE, POSTED_PAST_MIDNIGHT, POSTED_LATE };

struct ledger_entry {
    int64_t number, amount_micros, balance_micros;
    int32_t date;
    bool has_for_date;
    int32_t for_date;
};

struct call_recorded {
    int64_t ended_at_ms, duration_ms, billed_ms, amount_micros, uncollected_micros;
    bool voicemail;
    enum call_ending ended_by;
};

struct moment {
    enum moment_kind kind;
    struct place place;     /* of the record that caused it */
    const char *type;       /* that record's type, "call.ticked"; "" when it could not be read */
    bool is_own;            /* it is an event of this very call */
    struct name by;         /* else whose: another call, a top-up, an actor; may be empty */
    int64_t duration_ms;    /* as a report says */
    int64_t charged_micros; /* after it */
    /* clang-format off */
    union {
        struct { int64_t talked_ms; } report; /* that counts after it: never less than before */
        struct { const char *reason; char detail[DETAIL_MAX]; } rejected;
        struct {
            int64_t at_ms;
            enum cutoff_reason reason;
            uint32_t revision;
            int64_t posted_micros, committed_micros; /* of the account, after the step */
            uint32_t charged_calls;
        } limit;
        struct { struct ledger_entry entry; enum posting_cause cause; } posted;
        struct call_recorded recorded;
    } data;
    /* clang-format on */
};

/* One currency in another, and where the rates are from. */
struct conversion {
    uint32_t from, to, base;
    int64_t numerator, denominator; /* so much of `to` for one of `from` */
    int64_t effective_at_ms;
    struct place published;
};
struct conversion conversion_of(const struct witness *witness, const struct fx_record *table, uint32_t partition,
                                uint32_t from, uint32_t to);

/* The rate as the deck has it, and how it came into the account's currency. */
struct pricing_facts {
    bool has_deck, has_rate, has_fx;
    struct name deck_id, origin, prefix, destination;
    uint32_t deck_currency;
    int64_t effective_at_ms;
    struct place published;
    enum rate_status status;
    bool domestic;
    int64_t price_micros, connect_micros; /* deck's currency */
    uint32_t first_s, step_s;
    struct conversion fx; /* with has_fx: from the deck's currency to the account's */
};

struct call_story {
    uint32_t partition;
    struct name account, id, from, to, member;
    enum call_direction direction;
    struct place start;
    bool is_authorized;
    bool is_charged, has_max_duration;
    int64_t max_duration_ms;
    enum denial_reason denial;
    char detail[DETAIL_MAX]; /* of the denial */

    uint32_t currency;                       /* of the account */
    int64_t posted_micros, committed_micros; /* of the account, before the step */
    bool is_priced;
    struct tariff tariff; /* account's currency; locked for the call's life */
    struct pricing_facts pricing;
    bool has_added, has_toggle, has_assigned, has_block;
    struct setting added, toggle, assigned, block; /* the last of each before the call */
    struct place policy;                           /* of the member that denied it; offset -1: a default */

    struct moment *moments;
    size_t moment_count, moment_capacity;
    int64_t talked_ms, charged_micros; /* last reported and charged */
    int64_t limit_ms;                  /* last said, NO_LIMIT if none stands */
    bool is_closed;
    struct call_recorded record; /* the last one, which holds */
    int records;                 /* how many there were: a stale call's is replaced */
    int64_t entries_micros;      /* what its ledger entries took, > 0 */
};

/* Begins a story with the step of its call.started. NULL when the step is not
 * the start of a call (a duplicate, another event). story_free it. */
struct call_story *story_begin(const struct witness *witness, const struct history_step *step);
void story_free(struct call_story *story);
/* Adds what a step means for the call; not for the step that began it, whose
 * own outputs are in already. */
void story_step(struct call_story *story, const struct witness *witness, const struct history_step *step);

/* The call that an event is about; absent for other events. */
struct text event_call_id(const struct event *event);

/* The cost of billed talk time, taken apart: all micros. */
struct cost_parts {
    int64_t first_ms, step_ms, steps; /* first + steps x step = the billed time */
    int64_t whole, remainder;         /* billed_ms x price = whole x 60000 + remainder */
    int64_t rounded;                  /* charge_cost less connect */
    int64_t connect, cost;
};
struct cost_parts cost_take_apart(const struct tariff *tariff, int64_t billed_ms);

/* The step of the contract's section 4 that a reason belongs to. */
int denial_step(enum denial_reason reason);

/* True when the parts add up: entries, call record, and the cost of what was billed. */
bool story_adds_up(const struct call_story *story);

#endif
