/* Who gets what there is: credits are auctioned in increments of talk time.
 *
 * Increments are bought in order of the extra talk time at which each begins, so
 * that no call goes silent while another has minutes in hand. A call whose next
 * increment is too dear is passed over; cheaper ones go on. */
#include "processor/fold/internal.h"

struct bid {
    struct record *call;
    struct tariff tariff;
    int64_t duration_ms; /* last reported */
    int64_t end_ms;      /* of the last increment bought or charged */
    int64_t cost_micros; /* up to there */
    int64_t full_end_ms; /* of the last increment wanted: the one that reaches the horizon */
    int64_t full_cost_micros;
    bool passed_over;
};

/* The calls that take part, in order of their starts, and a heap of those that
 * want increments: whose increment is the next to be bought, or the next to be
 * given back. */
struct auction {
    struct bid *bids;
    uint32_t *heap;
    size_t count, heap_count;
    bool selling; /* the heap's order is the reverse */
};

/* Two increments are bought in order of the extra talk time at which they
 * begin, ties by call start. */
static bool begins_before(int64_t extra_a, uint32_t a, int64_t extra_b, uint32_t b)
{
    return extra_a < extra_b || (extra_a == extra_b && a < b);
}

static int64_t previous_end_ms(const struct bid *bid)
{
    return bid->end_ms == bid->tariff.first_ms ? 0 : bid->end_ms - bid->tariff.step_ms;
}

/* Where the increment begins that the heap orders the bid by. */
static int64_t extra_ms(const struct auction *auction, uint32_t i)
{
    const struct bid *bid = &auction->bids[i];
    return (auction->selling ? previous_end_ms(bid) : bid->end_ms) - bid->duration_ms;
}

static bool comes_first(const struct auction *auction, uint32_t a, uint32_t b)
{
    int64_t x = extra_ms(auction, a), y = extra_ms(auction, b);
    return auction->selling ? begins_before(y, b, x, a) : begins_before(x, a, y, b);
}

static void sift_down(struct auction *auction, size_t i)
{
    uint32_t moving = auction->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < auction->heap_count && comes_first(auction, auction->heap[child + 1], auction->heap[child]))
            child++;
        if (child >= auction->heap_count || !comes_first(auction, auction->heap[child], moving))
            break;
        auction->heap[i] = auction->heap[child];
        i = child;
    }
    auction->heap[i] = moving;
}

static void heap_build(struct auction *auction)
{
    auction->heap_count = 0;
    for (uint32_t i = 0; i < auction->count; i++)
        if (auction->bids[i].end_ms < auction->bids[i].full_end_ms)
            auction->heap[auction->heap_count++] = i;
}

static void heap_order(struct auction *auction)
{
    for (size_t i = auction->heap_count / 2; i-- > 0;)
        sift_down(auction, i);
}

/* The first of the heap has got another increment: it stays, or leaves. */
static void heap_moved(struct auction *auction, bool stays)
{
    if (!stays)
        auction->heap[0] = auction->heap[--auction->heap_count];
    if (auction->heap_count > 0)
        sift_down(auction, 0);
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
    struct bid bid = {.call = record, .tariff = call_tariff(call), .duration_ms = call->duration_ms};
    int64_t from_ms = call->duration_ms;
    if (call->limit_ms != NO_LIMIT && (round == ROUND_BUY_ON || call->limit_ms < from_ms))
        from_ms = call->limit_ms;
    bid.end_ms = charge_billed_ms(&bid.tariff, from_ms);
    bid.cost_micros = charge_cost(&bid.tariff, from_ms);
    int64_t until_ms = call->duration_ms + step->account->horizon_ms;
    if (until_ms > step->account->max_call_ms)
        until_ms = step->account->max_call_ms;
    if (call->limit_ms != NO_LIMIT && call->limit_reason == CUTOFF_MAX_DURATION && call->limit_ms < until_ms)
        until_ms = call->limit_ms; /* taken back it may be, but it never grows */
    bid.full_end_ms = bid.end_ms;
    bid.full_cost_micros = bid.cost_micros;
    if (bid.end_ms < until_ms) {
        bid.full_end_ms = charge_billed_ms(&bid.tariff, until_ms);
        bid.full_cost_micros = charge_cost(&bid.tariff, until_ms);
    }
    return bid;
}

/* What the calls may spend, and what they would like to. */
struct purse {
    int64_t pool;
    __int128 demand; /* of many calls: leaves 64 bits */
    bool is_beyond;  /* one of them wants more than any credits */
};

static struct auction auction_open(struct account_step *step, enum round round, struct purse *purse)
{
    struct account_record *account = step->account;
    struct arena *arena = &step->fold->arena;
    struct auction auction = {.bids = arena_alloc(arena, account->charged_calls * sizeof(struct bid)),
                              .heap = arena_alloc(arena, account->charged_calls * sizeof(uint32_t))};
    int64_t pool = round == ROUND_BUY_ON ? account_uncommitted(account) : account->posted_micros - account->held_micros;
    *purse = (struct purse){.pool = pool};
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        if (!takes_part(call, round))
            continue;
        struct bid bid = bid_of(step, r, round);
        purse->pool += call_held(call) - (bid.cost_micros - call->posted_micros);
        purse->demand += bid.full_cost_micros - bid.cost_micros;
        purse->is_beyond |= bid.full_cost_micros == COST_BEYOND;
        auction.bids[auction.count++] = bid;
    }
    heap_build(&auction);
    return auction;
}

/* Buys the bid's next increment if the pool covers it. */
static bool buy(struct bid *bid, int64_t *pool)
{
    int64_t next_end_ms = charge_next_end_ms(&bid->tariff, bid->end_ms);
    int64_t next_cost = charge_cost(&bid->tariff, next_end_ms);
    if (bid->passed_over || !charge_covers(saturating_add(bid->cost_micros, *pool), next_cost)) {
        bid->passed_over = true;
        return false;
    }
    *pool -= next_cost - bid->cost_micros;
    bid->end_ms = next_end_ms;
    bid->cost_micros = next_cost;
    return true;
}

/* Little is affordable: from the first increment on, until none is. */
static void buy_from_the_start(struct auction *auction, int64_t pool)
{
    heap_order(auction);
    while (auction->heap_count > 0) {
        struct bid *bid = &auction->bids[auction->heap[0]];
        heap_moved(auction, buy(bid, &pool) && bid->end_ms < bid->full_end_ms);
    }
}

/* Most is affordable: everything is bought, and given back from the last
 * increment on until it fits; what was given back is then offered again in
 * order. That is the same outcome, for whatever comes before the last one
 * given back was affordable. The work is that of the increments in question,
 * not of all. */
static void give_back_from_the_end(struct arena *arena, struct auction *auction, __int128 deficit)
{
    size_t count = 0, capacity = 256;
    uint32_t *given_back = arena_alloc(arena, capacity * sizeof *given_back);
    int64_t *begins_ms = arena_alloc(arena, auction->count * sizeof *begins_ms);
    for (size_t i = 0; i < auction->count; i++) {
        struct bid *bid = &auction->bids[i];
        begins_ms[i] = bid->end_ms;
        bid->end_ms = bid->full_end_ms;
        bid->cost_micros = bid->full_cost_micros;
    }
    auction->selling = true;
    heap_order(auction);
    for (; deficit > 0; count++) {
        uint32_t i = auction->heap[0];
        struct bid *bid = &auction->bids[i];
        if (count == capacity) {
            uint32_t *more = arena_alloc(arena, 2 * capacity * sizeof *more);
            memcpy(more, given_back, capacity * sizeof *more);
            given_back = more;
            capacity *= 2;
        }
        given_back[count] = i;
        int64_t cost = bid->cost_micros;
        bid->end_ms = previous_end_ms(bid);
        bid->cost_micros = charge_cost(&bid->tariff, bid->end_ms);
        deficit -= cost - bid->cost_micros;
        heap_moved(auction, bid->end_ms > begins_ms[i]);
    }
    int64_t pool = (int64_t)-deficit;
    while (count-- > 0)
        buy(&auction->bids[given_back[count]], &pool);
}

/* What a call got becomes its limit, or lifts it. */
static void award(struct account_step *step, const struct bid *bid)
{
    const struct call_record *call = call_of(bid->call);
    bool was_limited = call->limit_ms != NO_LIMIT;
    bool was_max = was_limited && call->limit_reason == CUTOFF_MAX_DURATION;
    bool whole = bid->end_ms >= bid->full_end_ms;
    if (was_max && (whole || call->limit_ms == bid->end_ms))
        return;
    if (!whole)
        cutoff_limit(step, bid->call, bid->end_ms, CUTOFF_CREDITS_EXHAUSTED);
    else if (cutoff_is_near_max(step, call))
        cutoff_limit_to_max(step, bid->call);
    else if (was_limited)
        cutoff_lift(step, bid->call);
}

void grant_round(struct account_step *step, enum round round)
{
    struct purse purse;
    struct auction auction = auction_open(step, round, &purse);
    __int128 deficit = purse.demand - purse.pool;
    if (round == ROUND_REGRANT && purse.pool < 0)
        step->fold->broken = "an account's charged credits exceed its posted credits";
    if (deficit < purse.pool && !purse.is_beyond)
        give_back_from_the_end(&step->fold->arena, &auction, deficit);
    else
        buy_from_the_start(&auction, purse.pool);
    for (size_t i = 0; i < auction.count; i++)
        award(step, &auction.bids[i]);
}
