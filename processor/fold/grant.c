/* Who gets what there is: credits are auctioned in increments of talk time.
 *
 * Increments are bought in order of the extra talk time at which each begins, so
 * that no call goes silent while another has minutes in hand. A call whose next
 * increment is too dear is passed over; cheaper ones go on. */
#include "processor/fold/internal.h"

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
    int64_t horizon_end_ms = call->duration_ms + step->account->horizon_ms;
    bid.until_ms = horizon_end_ms < step->account->max_call_ms ? horizon_end_ms : step->account->max_call_ms;
    if (call->limit_ms != NO_LIMIT && call->limit_reason == CUTOFF_MAX_DURATION && call->limit_ms < bid.until_ms)
        bid.until_ms = call->limit_ms; /* taken back it may be, but it never grows */
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

/* What a call got becomes its limit, or lifts it. */
static void award(struct account_step *step, const struct bid *bid)
{
    const struct call_record *call = call_of(bid->call);
    bool was_limited = call->limit_ms != NO_LIMIT;
    bool was_max = was_limited && call->limit_reason == CUTOFF_MAX_DURATION;
    if (was_max && (bid->whole || call->limit_ms == bid->end_ms))
        return;
    if (!bid->whole)
        cutoff_limit(step, bid->call, bid->end_ms, CUTOFF_CREDITS_EXHAUSTED);
    else if (cutoff_is_near_max(step, call))
        cutoff_limit_to_max(step, bid->call);
    else if (was_limited)
        cutoff_lift(step, bid->call);
}

void grant_round(struct account_step *step, enum round round)
{
    int64_t pool;
    struct auction auction = auction_open(step, round, &pool);
    if (round == ROUND_REGRANT && pool < 0)
        step->fold->broken = "an account's charged credits exceed its posted credits";
    auction_run(&auction, pool);
    for (size_t i = 0; i < auction.count; i++)
        award(step, &auction.bids[i]);
}
