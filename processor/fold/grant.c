/* Who gets what there is: credits are auctioned in increments of talk time.
 *
 * Increments are bought in order of the extra talk time at which each begins, so
 * that no call goes silent while another has minutes in hand. A call whose next
 * increment is too dear is passed over; cheaper ones go on. */
#include "processor/fold/internal.h"

#include <stdlib.h>

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

/* Where the increment begins that the heap orders the bid by. */
static int64_t extra_ms(const struct auction *auction, uint32_t i)
{
    const struct bid *bid = &auction->bids[i];
    return (auction->selling ? charge_previous_end_ms(&bid->tariff, bid->end_ms) : bid->end_ms) - bid->duration_ms;
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

/* What the calls may spend, and what they would like to. */
struct purse {
    int64_t pool;
    __int128 demand; /* of many calls: leaves 64 bits */
    bool is_beyond;  /* one of them wants more than any credits */
};

static struct auction auction_open(struct account_step *step, enum round round, struct purse *purse)
{
    struct account_record *account = step->account;
    struct auction auction = {.bids = must_alloc(malloc(account->charged_calls * sizeof(struct bid))),
                              .heap = must_alloc(malloc(account->charged_calls * sizeof(uint32_t)))};
    int64_t pool = round == ROUND_BUY_ON ? account_uncommitted(account) : account->posted_micros - account->held_micros;
    *purse = (struct purse){.pool = pool};
    for (struct record *r = first_call(step); r; r = next_call(r)) {
        const struct call_record *call = call_of(r);
        if (!bid_takes_part(call, round))
            continue;
        struct bid bid = bid_of(account, r, round);
        purse->pool += call_held(call) - (bid.cost_micros - call->posted_micros);
        purse->demand += bid.full_cost_micros - bid.cost_micros;
        purse->is_beyond |= bid.full_cost_micros == COST_BEYOND;
        auction.bids[auction.count++] = bid;
    }
    heap_build(&auction);
    return auction;
}

/* Little is affordable: from the first increment on, until none is. */
static void buy_from_the_start(struct auction *auction, int64_t pool)
{
    heap_order(auction);
    while (auction->heap_count > 0) {
        struct bid *bid = &auction->bids[auction->heap[0]];
        heap_moved(auction, bid_buy(bid, &pool) && bid->end_ms < bid->full_end_ms);
    }
}

/* Most is affordable: everything is bought, and given back from the last
 * increment on until it fits; what was given back is then offered again in
 * order. That is the same outcome, for whatever comes before the last one
 * given back was affordable. The work is that of the increments in question,
 * not of all. */
static void give_back_from_the_end(struct auction *auction, __int128 deficit)
{
    size_t count = 0, capacity = 0;
    uint32_t *given_back = NULL;
    for (size_t i = 0; i < auction->count; i++) {
        struct bid *bid = &auction->bids[i];
        bid->end_ms = bid->full_end_ms;
        bid->cost_micros = bid->full_cost_micros;
    }
    auction->selling = true;
    heap_order(auction);
    for (; deficit > 0; count++) {
        struct bid *bid = &auction->bids[auction->heap[0]];
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 256;
            given_back = must_alloc(realloc(given_back, capacity * sizeof *given_back));
        }
        given_back[count] = auction->heap[0];
        int64_t cost = bid->cost_micros;
        bid->end_ms = charge_previous_end_ms(&bid->tariff, bid->end_ms);
        bid->cost_micros = charge_cost(&bid->tariff, bid->end_ms);
        deficit -= cost - bid->cost_micros;
        heap_moved(auction, bid->end_ms > bid->begin_ms);
    }
    int64_t pool = (int64_t)-deficit;
    while (count-- > 0)
        bid_buy(&auction->bids[given_back[count]], &pool);
    free(given_back);
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

/* All calls that take part are asked. */
static void whole_round(struct account_step *step, enum round round)
{
    struct purse purse;
    struct auction auction = auction_open(step, round, &purse);
    __int128 deficit = purse.demand - purse.pool;
    if (round == ROUND_REGRANT && purse.pool < 0)
        step->fold->broken = "an account's charged credits exceed its posted credits";
    if (deficit < purse.pool && !purse.is_beyond)
        give_back_from_the_end(&auction, deficit);
    else
        buy_from_the_start(&auction, purse.pool);
    for (size_t i = 0; i < auction.count; i++)
        award(step, &auction.bids[i]);
    free(auction.bids);
    free(auction.heap);
}

/* --- rounds that move few increments: the same outcome, found in the account's book ---
 *
 * A call that gets none and gives none back stays as it is: one without a limit
 * has its whole horizon, one with a limit was passed over. (A call that comes
 * near max_call_ms moved in this step; cutoff.c sees to it.) After as many
 * increments as the account has calls, the whole round is no dearer. */

/* What was given back, the last one first, is offered again in order. A call
 * that misses one is limited there and asks for no more. */
static void offer_again(struct account_step *step, struct book *book, const struct increment *given, size_t count,
                        int64_t pool)
{
    for (size_t i = count; i-- > 0;) {
        if (call_of(given[i].call)->limit_ms != NO_LIMIT)
            continue;
        if (given[i].cost_micros <= pool)
            pool -= given[i].cost_micros;
        else
            cutoff_limit(step, given[i].call, given[i].begin_ms, CUTOFF_CREDITS_EXHAUSTED);
    }
    for (size_t i = 0; i < count; i++)
        book_place(book, given[i].call);
}

/* The deficit of all commitments is that of the auction: the calls with a limit
 * hold what they are committed to. False, and nothing done, if there is too much
 * to give back. */
static bool give_back_by_book(struct account_step *step, struct book *book)
{
    size_t count = 0, most = step->account->charged_calls;
    struct increment *given = must_alloc(malloc(most * sizeof *given));
    int64_t deficit = -account_uncommitted(step->account);
    for (; deficit > 0 && count < most; count++) {
        given[count] = book_give_back(book);
        deficit -= given[count].cost_micros;
    }
    if (deficit <= 0)
        offer_again(step, book, given, count, -deficit);
    free(given);
    return deficit <= 0;
}

/* The pool only shrinks, so a call once passed over never fits again. False if
 * more can be bought: it is the whole round's to go on from there. */
static bool buy_on_by_book(struct account_step *step, struct book *book)
{
    struct record *call;
    uint32_t left = step->account->charged_calls;
    int64_t pool = account_uncommitted(step->account);
    while ((call = book_first_covered(book, pool))) {
        if (left-- == 0)
            return false;
        struct bid bid = bid_of(step->account, call, ROUND_BUY_ON);
        if (bid.end_ms < bid.full_end_ms)
            bid_buy(&bid, &pool);
        award(step, &bid);
    }
    return true;
}

static bool round_by_book(struct account_step *step, enum round round)
{
    struct book *book = round == ROUND_REGRANT || step->overdrawn ? NULL : book_open(step);
    if (!book)
        return false;
    return round == ROUND_GRANT ? give_back_by_book(step, book) : buy_on_by_book(step, book);
}

void grant_round(struct account_step *step, enum round round)
{
    if (step->account->charged_calls == 0 || round_by_book(step, round))
        return;
    book_drop(step->record); /* a whole round moves most calls */
    whole_round(step, round);
}
