/* internal.h - what the fold's files share; nobody outside includes it.
 *
 * fold.c      one step: time, deadlines, the event's handler, attestation
 * update.c    the outputs of a step and the memory they live in
 * input.c     the chain over the input
 * account.c   account.opened; what is done around every event of an account
 * team.c      members, numbers, assignments, toggles, blocks
 * credit.c    top-ups and reversals          recharge.c  auto-recharge
 * judge.c     may this call go ahead?        call_start.c, call_report.c  its start; ticks and end
 * call.c      its terms in its account's sums, its closing
 * cutoff.c    limits: freezes, saying        grant.c     who gets what there is
 * bid.c       what a call would buy          book.c      whose increment is next
 * charge.c    what a call costs              ledger.c    double entry, the chain
 * deadline.c  stale calls, time-outs, forgetting
 * ratedeck.c  decks and longest match        fx.c        exchange rates
 * policy.c    policy.configured              restore.c   opening a stored state
 */
#ifndef CALLFOLD_PROCESSOR_FOLD_INTERNAL_H
#define CALLFOLD_PROCESSOR_FOLD_INTERNAL_H

#include "events/currency.h"
#include "events/hex.h"
#include "events/instant.h"
#include "events/money.h"
#include "processor/fold/charge.h"
#include "processor/fold/state.h"

#define OPENSSL_SUPPRESS_DEPRECATED /* a hash whose middle can be stored and taken up again */
#include <openssl/sha.h>

enum verdict { APPLIED, DUPLICATE, REJECTED };

/* Memory of one step: blocks, the newest first, of which the oldest is kept from step to step. */
struct arena {
    struct arena_block *first;
};
void *arena_alloc(struct arena *arena, size_t size);
void arena_reset(struct arena *arena);
void arena_free(struct arena *arena);

struct deadline {
    int64_t at_ms;         /* second clock; may be earlier than the true one, never later */
    int64_t order;         /* place in the log of the call's start or the recharge's command */
    struct record *record; /* NULL: not wanted any more */
};

struct input_chain {
    SHA256_CTX sha; /* p->input_state, at work */
    size_t waiting_len;
    uint8_t waiting[8192]; /* not hashed yet */
};

struct deck_view {
    struct deck_record *deck;
    struct record *record;
    struct record **rates; /* all of the deck's, in no order */
    size_t rate_count, rate_capacity;
    uint16_t lengths; /* bit n: a rate of the deck has a prefix of n digits */
};

struct fold {
    uint32_t partition, partition_count;
    struct state *state;
    struct record *partition_record;
    struct partition_record *p;
    const struct policy_record *policy;
    struct input_chain input;

    struct deadline *heap;
    size_t heap_count, heap_capacity, heap_gone; /* gone: entries without a record */
    struct deck_view *decks;
    size_t deck_count, deck_capacity;
    struct record **fx;
    size_t fx_count, fx_capacity;
    struct restored *restored; /* while a stored state is opened */
    int64_t supersede_at_ms;   /* partition time at which a deck or fx table may go */

    /* the step under way */
    const struct fold_record *record;
    struct arena arena;
    struct output *outputs;
    size_t output_count, output_capacity;
    enum reject_reason reject_reason;
    struct text reject_detail;
    const char *broken;
};

/* update.c */
struct output *emit(struct fold *fold, enum output_type type, struct text subject);
struct text text_copy(struct fold *fold, struct text text);
struct text text_format(struct fold *fold, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Notes the reason for the event's reject; returns REJECTED. */
enum verdict reject(struct fold *fold, enum reject_reason reason, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* value's lowest bytes, the most significant first. */
static inline void put_be(uint8_t *at, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, value >>= 8)
        at[i] = (uint8_t)value;
}

/* input.c */
void input_begin(struct fold *fold);
/* A record, whatever becomes of it. */
void input_take(struct fold *fold, const struct fold_record *record);
/* Finishes the hash for an attestation, and begins the next. */
void input_attest(struct fold *fold);
/* The hash under way to and from the partition's record, which is stored. */
void input_keep(struct fold *fold);
void input_restore(struct fold *fold);

/* restore.c */
void restored_free(struct fold *fold);

/* A fact's known members, in a fixed order, to the hash that stands for them. */
struct fact {
    char bytes[768];
    size_t len;
};
void fact_text(struct fact *fact, struct text text);
void fact_number(struct fact *fact, int64_t number);
struct contents fact_contents(const struct fact *fact);
bool contents_equal(struct contents a, struct contents b);

/* A call whose limit changes in a step, and what the platform was told last. */
struct limit_change {
    struct record *call;
    int64_t limit_ms;
    enum cutoff_reason reason;
};

/* account.c: every change of an account happens between begin and finish. */
struct account_step {
    struct fold *fold;
    struct record *record;
    struct account_record *account;
    int64_t time_ms; /* the event's own; partition time for a deadline */
    int64_t uncommitted_before;
    struct limit_change *changes; /* limits changed and not said yet */
    size_t change_count, change_capacity;
    struct record *touched; /* a call that moved: only it can have come near max_call_ms */
    bool charged;           /* credits were charged */
    bool reached;           /* a call reached its credits_exhausted limit */
    bool denied;            /* a call was denied insufficient_credits */
    bool regrant;           /* grants are to be made anew (a chargeback) */
    bool is_tick;           /* with no news of policy, moves no standing limit */
    bool is_deadline;       /* no event of the account's: brings no news of policy */
    bool every_call;        /* a policy change moved every call */
    bool overdrawn;         /* the sum of commitments left int64: uncommitted credits are below zero */
};
void account_keep(struct fold *fold, struct record *record);
struct record *account_find(struct fold *fold, struct text id);
struct text account_id(const struct record *account);
struct text step_id(const struct account_step *step);
enum verdict account_unknown(struct fold *fold, const struct event *event);
struct account_step account_begin(struct fold *fold, struct record *record, int64_t time_ms);
/* For a deadline, which is no event of the account's: it brings no news of policy. */
struct account_step account_begin_deadline(struct fold *fold, struct record *record);
void account_finish(struct account_step *step);
int64_t account_available(const struct account_record *account);
int64_t account_uncommitted(const struct account_record *account);
void account_spend(struct account_step *step, int64_t micros);
int64_t account_spent(const struct account_record *account, int32_t day);
void account_notify(struct account_step *step, enum notify_kind kind);
int64_t saturating_add(int64_t a, int64_t b);

/* team.c */
/* True when actor is an admin or manager of the account. */
bool member_may_act(struct fold *fold, struct text account, struct text actor);
enum verdict not_permitted(struct fold *fold, struct text actor);
struct number_record *number_find(struct fold *fold, struct text account, struct text number);
/* True when the member, a present one, is assigned to the account's number. */
bool number_assigned(struct fold *fold, struct text account, struct text number_text,
                     const struct number_record *number, struct text member_text);
/* True when the account, or the number, blocks a prefix of `to`. */
bool destination_is_blocked(struct fold *fold, struct record *account, struct text number_text,
                            const struct number_record *number, struct text to);

/* call.c */
static inline struct call_record *call_of(struct record *call)
{
    return (struct call_record *)(void *)(call->rest + sizeof(struct live_links) + key_room(call->key_len));
}
struct tariff call_tariff(const struct call_record *call);
/* Charged talk time: the duration, or the limit where that is less. */
static inline int64_t call_talked_ms(const struct call_record *call)
{
    return call->limit_ms != NO_LIMIT && call->limit_ms < call->duration_ms ? call->limit_ms : call->duration_ms;
}
/* Charged or granted, and not posted: what no other call may be given. */
static inline int64_t call_held(const struct call_record *call)
{
    return call->limit_ms == NO_LIMIT ? call->charged_micros - call->posted_micros : call->committed_micros;
}
/* The talk time that a call's commitment pays for: its limit, or the horizon ahead. */
int64_t call_ahead_ms(const struct account_record *account, const struct call_record *call);
/* Gives a call a duration and a limit (with its reason, which means nothing for
 * NO_LIMIT), and brings the account's sums and counts up to date. */
void call_move(struct account_step *step, struct record *call, int64_t duration_ms, int64_t limit_ms,
               enum cutoff_reason reason);
/* Gives a live call its place: the last of its account's calls (so in order of
 * start_offset), its deadline, its account in memory. */
void call_enlist(struct fold *fold, struct record *call, struct record *account);
struct record *call_find_live(struct fold *fold, struct text account, struct text call);
/* The memory of a closed or denied call; NULL when there is none, or none any more: what was left is removed. */
struct record *call_find_closed(struct fold *fold, struct text account, struct text call);
struct closed_call_record *closed_create(struct fold *fold, const struct key *key, struct contents contents,
                                         size_t more);
/* Posts what a live call has accrued; the day is that of its last report. */
void call_post(struct account_step *step, struct record *call);
/* What a call.recorded says that the call's record does not. */
struct closing_facts {
    struct text id;
    int64_t ended_at_ms, duration_ms, charged_ms, amount_micros;
    bool voicemail;
    enum call_ending ending;
};
void call_emit_record(struct account_step *step, const struct call_record *call, const struct closing_facts *facts);
/* Posts the rest, writes the call record and lets the call go. stale: the call
 * as it was before, kept for a late end; NULL when there cannot be one. */
void call_close(struct account_step *step, struct record *call, struct closing_facts *facts,
                const struct call_record *stale, size_t stale_len);
void call_close_stale(struct fold *fold, struct record *call);
struct text call_id(struct record *call);

/* An account's live calls, by start. */
static inline struct record *first_call(const struct account_step *step)
{
    return record_links(step->record)->account.first;
}
static inline struct record *next_call(struct record *call)
{
    return record_links(call)->live.next;
}

/* cutoff.c */
/* Remembers what the platform was told of a call whose limit is about to change. */
void cutoff_note(struct account_step *step, struct record *call);
/* Says every limit that is another one than before, in order of call start. */
void cutoff_say(struct account_step *step);
/* Limits a call to at_ms, or to a lower limit that stands, for good. */
void cutoff_freeze(struct account_step *step, struct record *call, int64_t at_ms, enum cutoff_reason reason);
void cutoff_number(struct account_step *step, struct text number, enum cutoff_reason reason);
void cutoff_member(struct account_step *step, struct text member, enum cutoff_reason reason);
/* All that a change of an account's credits or calls means for limits. */
void cutoff_settle(struct account_step *step);
/* Sets a call's limit, to be said at the end of the step. */
void cutoff_limit(struct account_step *step, struct record *call, int64_t at_ms, enum cutoff_reason reason);
void cutoff_lift(struct account_step *step, struct record *call);
/* A call's max_call_ms comes within the horizon, and credits cover it. */
bool cutoff_is_near_max(const struct account_step *step, const struct call_record *call);
void cutoff_limit_to_max(struct account_step *step, struct record *call);
static inline bool cutoff_is_frozen(const struct call_record *call)
{
    return call->limit_ms != NO_LIMIT && call->limit_reason != CUTOFF_CREDITS_EXHAUSTED &&
           call->limit_reason != CUTOFF_MAX_DURATION;
}

/* grant.c */
enum round {
    ROUND_GRANT,   /* commitments exceed credits: calls without a limit share what there is */
    ROUND_BUY_ON,  /* credits came free: calls with a limit buy on from it */
    ROUND_REGRANT, /* credits went: all grants are taken back and made anew */
};
void grant_round(struct account_step *step, enum round round);

/* bid.c */
struct bid {
    struct record *call;
    struct tariff tariff;
    int64_t duration_ms; /* last reported */
    int64_t begin_ms;    /* where the first increment begins that it may buy */
    int64_t end_ms;      /* of the last increment bought or charged */
    int64_t cost_micros; /* up to there */
    int64_t full_end_ms; /* of the last increment wanted: the one that reaches the horizon */
    int64_t full_cost_micros;
    bool passed_over;
};
bool bid_takes_part(const struct call_record *call, enum round round);
/* The bid of a call that takes part, nothing bought yet. */
struct bid bid_of(const struct account_record *account, struct record *call, enum round round);
/* Buys the bid's next increment if the pool covers it; else it is passed over. */
bool bid_buy(struct bid *bid, int64_t *pool);

/* book.c */
/* The account's book, made now if there is none; NULL while it has too few calls.
 * It belongs to the account, until book_drop. */
struct book *book_open(struct account_step *step);
/* Drops a book that is no longer worth its keep. */
void book_review(struct account_step *step);
void book_drop(struct record *account);
/* Drops every book, when the fold goes. */
void books_free(struct fold *fold);
/* Puts a charged call where its record says; and takes one out that closes. */
void book_place(struct book *book, struct record *call);
void book_leave(struct record *call);
/* The call with a limit whose next increment comes first of those that the pool
 * covers (or that wants none any more), or NULL. */
struct record *book_first_covered(const struct book *book, int64_t pool);
/* The last increment that a call without a limit would buy. The book holds it no
 * longer, until the call is placed again. Some such call must want one. */
struct increment {
    struct record *call;
    int64_t begin_ms, cost_micros;
};
struct increment book_give_back(struct book *book);

/* ledger.c */
struct entry {
    enum entry_kind kind;
    int64_t amount_micros;
    int32_t money_day; /* the UTC day the money belongs to by event time */
    struct text reference;
    size_t posting_count;
    struct posting postings[POSTINGS_MAX];
};
void entry_posting(struct entry *entry, const char *prefix, struct text name, int64_t micros, uint32_t currency);
struct text currency_text(struct fold *fold, uint32_t currency);
/* The last UTC day whose ledger is final, DAY_NEVER if none is. */
int32_t ledger_final_day(const struct fold *fold);
/* Before the policy changes: the days that are final stay so. */
void ledger_keep_final(struct fold *fold);
/* Moves the balance and emits ledger.posted and balance.changed. */
void ledger_post(struct account_step *step, const struct entry *entry);
void ledger_post_call(struct account_step *step, struct text call_id, struct text destination, int64_t micros,
                      int32_t money_day);

/* recharge.c */
void recharge_restore(struct fold *fold, struct record *recharge, struct record *account);
struct record *recharge_in_flight(struct fold *fold, struct text account);
bool recharge_is(struct fold *fold, struct record *recharge, struct text id);
void recharge_end(struct fold *fold, struct record *recharge);
void recharge_time_out(struct fold *fold, struct record *recharge);
void recharge_test(struct account_step *step);
void recharge_policy(struct fold *fold, struct record *account);

/* deadline.c */
void deadline_add(struct fold *fold, int64_t at_ms, int64_t order, struct record *record);
void deadline_remove(struct fold *fold, struct record *record);
/* The true deadline came nearer (a policy change). */
void deadline_sooner(struct fold *fold, struct record *record);
/* The first true deadline, INT64_MAX without one. */
int64_t deadline_first(struct fold *fold);
void deadlines_meet(struct fold *fold);
void expiry_add(struct fold *fold, int queue, const struct key *key);
/* Forgets what has been remembered long enough; before the event takes effect. */
void expiry_forget(struct fold *fold);

/* judge.c */
struct judgement {
    bool authorized;
    bool reached_credits;      /* step 8 */
    enum denial_reason reason; /* when not authorized */
    struct text detail;
    enum charging charging;
    const struct deck_record *deck; /* NULL when no rate was looked up */
    const struct rate_record *rate;
    struct text prefix;
    struct tariff tariff;
    uint32_t fx_from;
    int64_t fx_nanos;
    int64_t max_duration_ms;
};
void judge_call(struct account_step *step, const struct event *event, struct judgement *judgement);

/* ratedeck.c */
const struct deck_view *deck_in_force(struct fold *fold, struct text origin, int64_t at_ms, uint16_t *index);
/* The rate with the longest prefix of digits, or NULL; *matched its length. */
const struct rate_record *rate_match(struct fold *fold, const struct deck_view *view, uint16_t origin,
                                     struct text digits, size_t *matched);
void deck_restore(struct fold *fold, struct record *record);
bool rate_restore(struct fold *fold, struct record *record);
void decks_supersede(struct fold *fold);

/* fx.c */
/* amount of `from` times num / den is amount of `to`; false when no rate is in force. */
bool fx_ratio(struct fold *fold, uint32_t from, uint32_t to, int64_t at_ms, int64_t *num, int64_t *den);
/* Takes a table, new or stored, among those that may be in force. */
void fx_remember(struct fold *fold, struct record *record);
void fx_supersede(struct fold *fold);
#define SUPERSEDED_KEPT_MS MS_PER_HOUR

/* policy.c */
void policy_create(struct fold *fold);
/* The amount a policy map has for a currency; false when it has none. */
bool policy_amount(const struct fold *fold, enum policy_map map, uint32_t currency, int64_t *micros);

/* Handlers: account is NULL for broadcasts and where the handler finds it itself. */
typedef enum verdict handler(struct fold *fold, const struct event *event, struct record *account);
handler account_opened, member_set, member_removed, number_added, number_removed, member_assigned, member_unassigned,
    international_enabled, international_disabled, destination_blocked, destination_unblocked, auto_recharge_configured,
    credit_topped_up, topup_reversed, recharge_failed, call_started, call_ticked, call_ended, sms_requested,
    ratedeck_opened, ratedeck_rates, ratedeck_published, fx_published, policy_configured;

#endif
