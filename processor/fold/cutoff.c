/* Limits: how far the credits let each call go (contract, section 6).
 *
 * All live charged calls of an account spend one balance. The sum of their
 * commitments is kept up to date call by call, so that while it fits nothing is
 * looped over and nothing is said. When it does not fit, what there is is
 * granted: increments are bought in order of the extra talk time at which each
 * begins, so that no call goes silent while another has minutes in hand. */
#include "processor/fold/internal.h"

#include <stdlib.h>

bool cutoff_is_frozen(const struct call_record *call)
{
    return call->limit_ms != NO_LIMIT && call->limit_reason != CUTOFF_CREDITS_EXHAUSTED &&
           call->limit_reason != CUTOFF_MAX_DURATION;
}

/* A call at its limit for lack of credits has exhausted the account. */
static void note_reached(struct account_step *step, const struct call_record *call)
{
    if (call->limit_ms != NO_LIMIT && call->limit_reason == CUTOFF_CREDITS_EXHAUSTED &&
        call->duration_ms >= call->limit_ms)
        step->reached = true;
}

void cutoff_say(struct account_step *step, struct record *record, int64_t at_ms, enum cutoff_reason reason)
{
    struct call_record *call = call_of(record);
    call_move(step, record, call->duration_ms, at_ms, reason);
    call->revision++;
    struct output *output = emit(step->fold, OUTPUT_CALL_CUTOFF, step_id(step));
    output->call_start = call->start_offset;
    output->data.cutoff.call_id = call_id(record);
    output->data.cutoff.at_duration_ms = at_ms;
    output->data.cutoff.reason = reason;
    output->data.cutoff.revision = call->revision;
    note_reached(step, call);
}

static void withdraw(struct account_step *step, struct record *record)
{
    struct call_record *call = call_of(record);
    call_move(step, record, call->duration_ms, NO_LIMIT, CUTOFF_CREDITS_EXHAUSTED);
    call->revision++;
    struct output *output = emit(step->fold, OUTPUT_CALL_CUTOFF_WITHDRAWN, step_id(step));
    output->call_start = call->start_offset;
    output->data.withdrawn.call_id = call_id(record);
    output->data.withdrawn.revision = call->revision;
}

void cutoff_freeze(struct account_step *step, struct record *record, int64_t at_ms, enum cutoff_reason reason)
{
    const struct call_record *call = call_of(record);
    bool limited = call->limit_ms != NO_LIMIT;
    int64_t limit_ms = limited && call->limit_ms < at_ms ? call->limit_ms : at_ms;
    if (!limited || call->limit_ms != limit_ms || call->limit_reason != reason)
        cutoff_say(step, record, limit_ms, reason);
}

static struct record *first_call(const struct account_step *step)
{
    return record_links(step->record)->account.first;
}

static struct record *next_call(struct record *call)
{
    return record_links(call)->live.next;
}

static void freeze_where(struct account_step *step, enum call_string which, struct text value, enum cutoff_reason reason)
{
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        if (call->charging <= CHARGING_FREE && text_equal(call_string(call, which), value))
            cutoff_freeze(step, r, call->duration_ms, reason);
    }
}

void cutoff_number(struct account_step *step, struct text number, enum cutoff_reason reason)
{
    freeze_where(step, CALL_FROM, number, reason);
}

void cutoff_member(struct account_step *step, struct text member, enum cutoff_reason reason)
{
    freeze_where(step, CALL_MEMBER, member, reason);
}

/* --- the day's limit --- */

static void settle_daily_spend(struct account_step *step)
{
    struct account_record *account = step->account;
    int32_t day = instant_day(step->time_ms);
    int64_t cap_micros;
    if (account->unfrozen_calls == 0 || day < account->spent_day ||
        !policy_amount(step->fold, POLICY_DAILY_SPEND, account->currency, &cap_micros) ||
        account_spent(account, day) < cap_micros)
        return;
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        if (call->charging != CHARGING_CREDITS || cutoff_is_frozen(call))
            continue;
        struct tariff tariff = call_tariff(call);
        cutoff_freeze(step, r, charge_billed_ms(&tariff, call_talked_ms(call)), CUTOFF_DAILY_SPEND_REACHED);
    }
}

/* --- grants --- */

enum round {
    ROUND_GRANT,   /* commitments exceed credits: calls without a limit share what there is */
    ROUND_BUY_ON,  /* credits came free: calls with a limit buy on from it */
    ROUND_REGRANT, /* credits went: all grants are taken back and made anew */
};

struct bid {
    struct record *call;
    struct tariff tariff;
    int64_t end_ms;   /* of the last increment bought or charged */
    int64_t cost_micros; /* up to there */
    int64_t until_ms; /* talk time before which increments are wanted */
    bool whole;       /* got every one of them */
};

/* Which call's increment comes next: a heap of bids by the extra talk time at
 * which their next increment begins; ties by call start, which is their order
 * in the array. */
struct auction {
    struct bid *bids;
    uint32_t *heap;
    size_t count, heap_count;
};

static int64_t extra_ms(const struct bid *bid)
{
    return bid->end_ms - call_of(bid->call)->duration_ms;
}

static bool bids_before(const struct auction *auction, uint32_t a, uint32_t b)
{
    int64_t x = extra_ms(&auction->bids[a]), y = extra_ms(&auction->bids[b]);
    return x < y || (x == y && a < b);
}

static void auction_sift_down(struct auction *auction, size_t i)
{
    uint32_t moving = auction->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < auction->heap_count &&
            bids_before(auction, auction->heap[child + 1], auction->heap[child]))
            child++;
        if (child >= auction->heap_count || !bids_before(auction, auction->heap[child], moving))
            break;
        auction->heap[i] = auction->heap[child];
        i = child;
    }
    auction->heap[i] = moving;
}

static bool takes_part(const struct call_record *call, enum round round)
{
    if (call->charging != CHARGING_CREDITS || cutoff_is_frozen(call))
        return false;
    if (round == ROUND_REGRANT)
        return true;
    bool limited = call->limit_ms != NO_LIMIT;
    if (round == ROUND_GRANT)
        return !limited;
    return limited && call->limit_reason == CUTOFF_CREDITS_EXHAUSTED;
}

static struct bid bid_of(const struct account_step *step, struct record *record, enum round round)
{
    const struct call_record *call = call_of(record);
    struct bid bid = {.call = record, .tariff = call_tariff(call)};
    int64_t from_ms = call->duration_ms;
    if (call->limit_ms != NO_LIMIT && (round == ROUND_BUY_ON || call->limit_ms < from_ms))
        from_ms = call->limit_ms;
    bid.end_ms = charge_billed_ms(&bid.tariff, from_ms);
    bid.cost_micros = charge_cost(&bid.tariff, from_ms);
    int64_t horizon_end_ms = call->duration_ms + step->fold->policy->number[POLICY_HORIZON_MS];
    int64_t max_call_ms = step->fold->policy->number[POLICY_MAX_CALL_MS];
    bid.until_ms = horizon_end_ms < max_call_ms ? horizon_end_ms : max_call_ms;
    bid.whole = bid.end_ms >= bid.until_ms;
    return bid;
}

/* Collects the bids in call order; *pool becomes what there is to spend. */
static struct auction auction_open(struct account_step *step, enum round round, int64_t *pool)
{
    struct account_record *account = step->account;
    struct arena *arena = &step->fold->arena;
    struct auction auction = {.bids = arena_alloc(arena, account->charged_calls * sizeof(struct bid)),
                              .heap = arena_alloc(arena, account->charged_calls * sizeof(uint32_t))};
    *pool = round == ROUND_BUY_ON ? account_uncommitted(account) : account->posted_micros - account->held_micros;
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        if (!takes_part(call, round))
            continue;
        struct bid bid = bid_of(step, r, round);
        *pool += call_held(call) - (bid.cost_micros - call->posted_micros);
        if (!bid.whole)
            auction.heap[auction.heap_count++] = (uint32_t)auction.count;
        auction.bids[auction.count++] = bid;
    }
    for (size_t i = auction.heap_count / 2; i-- > 0;)
        auction_sift_down(&auction, i);
    return auction;
}

static void auction_run(struct auction *auction, int64_t pool)
{
    while (auction->heap_count > 0) {
        struct bid *bid = &auction->bids[auction->heap[0]];
        int64_t next_end_ms = charge_next_end_ms(&bid->tariff, bid->end_ms);
        int64_t next_cost = charge_cost(&bid->tariff, next_end_ms);
        bool bought = next_cost - bid->cost_micros <= pool;
        if (bought) {
            pool -= next_cost - bid->cost_micros;
            bid->end_ms = next_end_ms;
            bid->cost_micros = next_cost;
            bid->whole = next_end_ms >= bid->until_ms;
        }
        if (!bought || bid->whole)
            auction->heap[0] = auction->heap[--auction->heap_count];
        if (auction->heap_count > 0)
            auction_sift_down(auction, 0);
    }
}

static bool is_near_max(const struct account_step *step, const struct call_record *call)
{
    return step->fold->policy->number[POLICY_MAX_CALL_MS] - call->duration_ms <=
           step->fold->policy->number[POLICY_HORIZON_MS];
}

/* A call is past max_call_ms, or has a limit there, only where a policy change
 * made it so: what it was charged or granted before is not taken back. */
static void limit_to_max(struct account_step *step, struct record *record)
{
    int64_t max_call_ms = step->fold->policy->number[POLICY_MAX_CALL_MS];
    const struct call_record *call = call_of(record);
    int64_t had_ms = call->limit_ms != NO_LIMIT ? call->limit_ms : call->duration_ms;
    cutoff_say(step, record, max_call_ms > had_ms ? max_call_ms : had_ms, CUTOFF_MAX_DURATION);
}

/* What a call got becomes its limit, or lifts it. */
static void award(struct account_step *step, const struct bid *bid)
{
    const struct call_record *call = call_of(bid->call);
    bool was_limited = call->limit_ms != NO_LIMIT;
    bool was_max = was_limited && call->limit_reason == CUTOFF_MAX_DURATION;
    if (bid->whole && was_max)
        return;
    if (bid->whole && is_near_max(step, call)) {
        limit_to_max(step, bid->call);
    } else if (bid->whole && was_limited) {
        withdraw(step, bid->call);
    } else if (!bid->whole && (!was_limited || was_max || call->limit_ms != bid->end_ms)) {
        cutoff_say(step, bid->call, bid->end_ms, CUTOFF_CREDITS_EXHAUSTED);
    }
}

static void run_round(struct account_step *step, enum round round)
{
    int64_t pool;
    struct auction auction = auction_open(step, round, &pool);
    if (round == ROUND_REGRANT && pool < 0)
        step->fold->broken = "an account's charged credits exceed its posted credits";
    auction_run(&auction, pool);
    for (size_t i = 0; i < auction.count; i++)
        award(step, &auction.bids[i]);
}

/* --- max_call_ms --- */

static void settle_max(struct account_step *step, struct record *record)
{
    const struct call_record *call = call_of(record);
    int64_t max_call_ms = step->fold->policy->number[POLICY_MAX_CALL_MS], talked_ms = call_talked_ms(call);
    int64_t most_ms = talked_ms > max_call_ms ? talked_ms : max_call_ms;
    if (call->limit_ms == NO_LIMIT && is_near_max(step, call))
        limit_to_max(step, record);
    else if (call->limit_ms > most_ms && call->limit_reason == CUTOFF_CREDITS_EXHAUSTED)
        cutoff_freeze(step, record, most_ms, CUTOFF_MAX_DURATION); /* a policy change */
}

static int by_call_start(const void *a, const void *b)
{
    const struct output *x = a, *y = b;
    if (x->call_start != y->call_start)
        return x->call_start < y->call_start ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
}

static bool is_limit(const struct output *output)
{
    return output->type == OUTPUT_CALL_CUTOFF || output->type == OUTPUT_CALL_CUTOFF_WITHDRAWN;
}

/* Limits are said in several rounds, each in order of call start; so that the
 * order of outputs owes nothing to the rounds, they are ordered as a whole. */
static void order_limits(struct account_step *step)
{
    struct fold *fold = step->fold;
    size_t from = fold->output_count;
    while (from > step->first_output && is_limit(&fold->outputs[from - 1]))
        from--;
    if (fold->output_count - from < 2)
        return;
    qsort(fold->outputs + from, fold->output_count - from, sizeof *fold->outputs, by_call_start);
    for (size_t i = from; i < fold->output_count; i++)
        fold->outputs[i].n = (uint32_t)i;
}

void cutoff_settle(struct account_step *step)
{
    if (step->touched)
        note_reached(step, call_of(step->touched));
    settle_daily_spend(step);
    int64_t uncommitted = account_uncommitted(step->account);
    if (step->regrant)
        run_round(step, ROUND_REGRANT);
    else if (step->overdrawn || uncommitted < 0)
        run_round(step, ROUND_GRANT);
    else if (step->account->limited_calls > 0 && uncommitted > step->uncommitted_before)
        run_round(step, ROUND_BUY_ON);
    if (step->every_call)
        for (struct record *r = first_call(step); r; r = next_call(r))
            settle_max(step, r);
    else if (step->touched)
        settle_max(step, step->touched);
    order_limits(step);
}
