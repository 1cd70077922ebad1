/* Where the next increment is to be bought, and the last one to be given back,
 * without asking every call.
 *
 * A round of grants usually moves a few increments: a tick asks for six seconds
 * that credits no longer cover, an end sets some free. So that an account with
 * thousands of calls does not look at all of them for each such event while its
 * credits run out, its book keeps them in two orders of increments: the last ones
 * of calls without a limit, and the next ones of calls with one. It says nothing
 * that the records do not: it is made by the first round that wants it, follows
 * every move of a call, and goes when rounds have become rare, so that an account
 * with ample credits has none.
 *
 * Each order is a treap: a search tree by (extra talk time, call start), a heap by
 * a hash of the start, and so about log n deep whatever the order of insertion.
 * Each node knows the least cost in its subtree, which leads to the first
 * increment that a pool covers.
 *
 * What still takes time with the number of calls, once an event of its kind: a
 * chargeback, which makes all grants anew; a new policy; a round that moves more
 * increments than there are calls; the day's limit, the removal of a number or a
 * member (cutoff.c). And making a book, once for twice as many moves at the most. */
#include "processor/fold/internal.h"

#include <assert.h>
#include <stdlib.h>

#ifndef BOOK_LEAST
#define BOOK_LEAST 8 /* charged calls; fewer are as soon asked one by one */
#endif
#define BOOK_KEPT 2 /* moves without a round, for each call */

struct book_entry {
    struct book_entry *before, *after; /* subtrees */
    struct book_entry **tree;          /* the root of the one it is in, or NULL */
    struct record *call;
    int64_t extra_ms, start_offset; /* its place in the order */
    int64_t cost_micros;            /* of a buyer's next increment; 0: it has all that it wants */
    int64_t least_micros;           /* of the subtree's costs */
};

struct book {
    struct book_entry *givers; /* no limit; by where the last increment begins that they hold */
    struct book_entry *buyers; /* limited for lack of credits; by where the next one begins */
    uint64_t moves;            /* of calls, since the last round */
};

/* --- a treap --- */

static bool precedes(const struct book_entry *a, const struct book_entry *b)
{
    return a->extra_ms < b->extra_ms || (a->extra_ms == b->extra_ms && a->start_offset < b->start_offset);
}

/* The finalizer of splitmix64: offsets that follow each other become unlike. */
static uint64_t priority(const struct book_entry *entry)
{
    uint64_t z = (uint64_t)entry->start_offset + UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void reckon_least(struct book_entry *entry)
{
    int64_t least = entry->cost_micros;
    if (entry->before && entry->before->least_micros < least)
        least = entry->before->least_micros;
    if (entry->after && entry->after->least_micros < least)
        least = entry->after->least_micros;
    entry->least_micros = least;
}

/* What of a tree comes before and after an entry that is not in it. */
static void split(struct book_entry *tree, const struct book_entry *at, struct book_entry **before,
                  struct book_entry **after)
{
    if (!tree) {
        *before = *after = NULL;
        return;
    }
    if (precedes(tree, at)) {
        split(tree->after, at, &tree->after, after);
        *before = tree;
    } else {
        split(tree->before, at, before, &tree->before);
        *after = tree;
    }
    reckon_least(tree);
}

static struct book_entry *join(struct book_entry *before, struct book_entry *after)
{
    if (!before || !after)
        return before ? before : after;
    struct book_entry *root = priority(before) > priority(after) ? before : after;
    if (root == before)
        root->after = join(before->after, after);
    else
        root->before = join(before, after->before);
    reckon_least(root);
    return root;
}

static void insert(struct book_entry **tree, struct book_entry *entry)
{
    struct book_entry *root = *tree;
    if (root && priority(root) > priority(entry)) {
        insert(precedes(entry, root) ? &root->before : &root->after, entry);
    } else {
        split(root, entry, &entry->before, &entry->after);
        *tree = entry;
    }
    reckon_least(*tree);
}

static void erase(struct book_entry **tree, struct book_entry *entry)
{
    struct book_entry *root = *tree;
    assert(root);
    if (root == entry) {
        *tree = join(entry->before, entry->after);
        return;
    }
    erase(precedes(entry, root) ? &root->before : &root->after, entry);
    reckon_least(root);
}

static void entry_move(struct book_entry *entry, const struct book_entry *to)
{
    if (entry->tree)
        erase(entry->tree, entry);
    *entry = *to;
    if (entry->tree)
        insert(entry->tree, entry);
}

/* --- following the calls --- */

/* The place that a call's record gives it. A call that wants nothing, or only
 * what is free of charge, has nothing to give back. */
static struct book_entry entry_of(struct book *book, struct record *record)
{
    const struct call_record *call = call_of(record);
    const struct account_record *account = record_body(record_links(record)->live.account);
    struct book_entry entry = {.call = record, .start_offset = call->start_offset};
    if (bid_takes_part(call, ROUND_GRANT)) {
        struct bid bid = bid_of(account, record, ROUND_GRANT);
        if (bid.full_cost_micros > bid.cost_micros) {
            entry.tree = &book->givers;
            entry.extra_ms = charge_previous_end_ms(&bid.tariff, bid.full_end_ms) - bid.duration_ms;
        }
    } else if (bid_takes_part(call, ROUND_BUY_ON)) {
        struct bid bid = bid_of(account, record, ROUND_BUY_ON);
        entry.tree = &book->buyers;
        entry.extra_ms = bid.end_ms - bid.duration_ms;
        if (bid.end_ms < bid.full_end_ms)
            entry.cost_micros = charge_next_cost(&bid.tariff, bid.end_ms);
    }
    return entry;
}

void book_place(struct book *book, struct record *call)
{
    struct book_entry **entry = &record_links(call)->live.entry;
    struct book_entry place = entry_of(book, call);
    book->moves++;
    if (!*entry)
        *entry = must_alloc(calloc(1, sizeof **entry));
    if ((*entry)->tree != place.tree || (*entry)->extra_ms != place.extra_ms ||
        (*entry)->cost_micros != place.cost_micros)
        entry_move(*entry, &place);
}

void book_leave(struct record *call)
{
    struct book_entry **entry = &record_links(call)->live.entry;
    if (*entry && (*entry)->tree)
        erase((*entry)->tree, *entry);
    free(*entry);
    *entry = NULL;
}

struct book *book_open(struct account_step *step)
{
    struct book **book = &record_links(step->record)->account.book;
    if (!*book && step->account->charged_calls >= BOOK_LEAST) {
        *book = must_alloc(calloc(1, sizeof **book));
        for (struct record *r = first_call(step); r; r = next_call(r))
            if (call_of(r)->charging == CHARGING_CREDITS)
                book_place(*book, r);
    }
    if (*book)
        (*book)->moves = 0;
    return *book;
}

void book_drop(struct record *account)
{
    struct account_links *links = &record_links(account)->account;
    if (!links->book)
        return;
    for (struct record *r = links->first; r; r = next_call(r)) {
        free(record_links(r)->live.entry);
        record_links(r)->live.entry = NULL;
    }
    free(links->book);
    links->book = NULL;
}

void books_free(struct fold *fold)
{
    /* An account with a book has live calls, and each of those a deadline. */
    for (size_t i = 0; i < fold->heap_count; i++)
        if (fold->heap[i].record && record_kind_of(fold->heap[i].record) == RECORD_LIVE_CALL)
            book_drop(record_links(fold->heap[i].record)->live.account);
}

void book_review(struct account_step *step)
{
    const struct book *book = record_links(step->record)->account.book;
    uint64_t calls = step->account->charged_calls;
    if (book && (calls < BOOK_LEAST || book->moves > BOOK_KEPT * calls))
        book_drop(step->record);
}

/* --- what a round asks --- */

struct record *book_first_covered(const struct book *book, int64_t pool)
{
    const struct book_entry *entry = book->buyers;
    if (!entry || !charge_covers(pool, entry->least_micros))
        return NULL;
    for (;;) {
        if (entry->before && charge_covers(pool, entry->before->least_micros))
            entry = entry->before;
        else if (charge_covers(pool, entry->cost_micros))
            return entry->call;
        else
            entry = entry->after;
    }
}

struct increment book_give_back(struct book *book)
{
    struct book_entry *last = book->givers;
    assert(last);
    while (last->after)
        last = last->after;
    const struct call_record *call = call_of(last->call);
    struct tariff tariff = call_tariff(call);
    struct book_entry to = *last;
    struct increment increment = {.call = last->call, .begin_ms = last->extra_ms + call->duration_ms};
    increment.cost_micros = charge_next_cost(&tariff, increment.begin_ms);
    if (increment.begin_ms > charge_billed_ms(&tariff, call->duration_ms))
        to.extra_ms = charge_previous_end_ms(&tariff, increment.begin_ms) - call->duration_ms;
    else
        to.tree = NULL;
    entry_move(last, &to);
    return increment;
}
