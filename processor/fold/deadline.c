/* What happens because time passes: deadlines on the second clock, and the
 * forgetting of closed calls by partition time.
 *
 * The heap holds one entry for each live call and recharge in flight. A tick
 * only moves the call's true deadline; the entry is brought up to it when it
 * comes to the top, so that a tick costs nothing here. An entry is therefore
 * never later than the true deadline. A call that ends leaves its entry without a
 * record, so that an end moves no others: it goes when it comes to the top, or
 * when half of the entries are like it. */
#include "processor/fold/internal.h"

#include <stdlib.h>

static size_t *heap_index(struct record *record)
{
    union record_links *links = record_links(record);
    return record_kind_of(record) == RECORD_LIVE_CALL ? &links->live.heap_index : &links->recharge.heap_index;
}

#define GONE_KEPT 64 /* entries without a record: so many are never worth the trouble */

/* One call.started can begin a call and cause a recharge: then both have one
 * place in the log, and the call comes first. */
static bool earlier(const struct deadline *a, const struct deadline *b)
{
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms;
    if (a->order != b->order)
        return a->order < b->order;
    return a->record && b->record && record_kind_of(a->record) == RECORD_LIVE_CALL &&
           record_kind_of(b->record) == RECORD_RECHARGE;
}

static void place(struct fold *fold, size_t i, struct deadline deadline)
{
    fold->heap[i] = deadline;
    if (deadline.record)
        *heap_index(deadline.record) = i;
}

static void sift_up(struct fold *fold, size_t i)
{
    struct deadline moving = fold->heap[i];
    for (; i > 0 && earlier(&moving, &fold->heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(fold, i, fold->heap[(i - 1) / 2]);
    place(fold, i, moving);
}

static void sift_down(struct fold *fold, size_t i)
{
    struct deadline moving = fold->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < fold->heap_count && earlier(&fold->heap[child + 1], &fold->heap[child]))
            child++;
        if (child >= fold->heap_count || !earlier(&fold->heap[child], &moving))
            break;
        place(fold, i, fold->heap[child]);
        i = child;
    }
    place(fold, i, moving);
}

void deadline_add(struct fold *fold, int64_t at_ms, int64_t order, struct record *record)
{
    if (fold->heap_count == fold->heap_capacity) {
        fold->heap_capacity = fold->heap_capacity ? fold->heap_capacity * 2 : 64;
        fold->heap = must_alloc(realloc(fold->heap, fold->heap_capacity * sizeof *fold->heap));
    }
    fold->heap[fold->heap_count] = (struct deadline){.at_ms = at_ms, .order = order, .record = record};
    sift_up(fold, fold->heap_count++);
}

static void remove_gone(struct fold *fold)
{
    size_t kept = 0;
    for (size_t i = 0; i < fold->heap_count; i++)
        if (fold->heap[i].record)
            place(fold, kept++, fold->heap[i]);
    fold->heap_count = kept;
    fold->heap_gone = 0;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(fold, i);
}

void deadline_remove(struct fold *fold, struct record *record)
{
    fold->heap[*heap_index(record)].record = NULL;
    fold->heap_gone++;
    if (fold->heap_gone > GONE_KEPT && fold->heap_gone * 2 > fold->heap_count)
        remove_gone(fold);
}

/* True when there is a first entry; it has a record then. */
static bool has_first(struct fold *fold)
{
    while (fold->heap_count > 0 && !fold->heap[0].record) {
        fold->heap_gone--;
        fold->heap[0] = fold->heap[--fold->heap_count];
        if (fold->heap_count > 0)
            sift_down(fold, 0);
    }
    return fold->heap_count > 0;
}

static int64_t true_deadline(struct record *record)
{
    if (record_kind_of(record) == RECORD_RECHARGE) {
        const struct recharge_record *recharge = record_body(record);
        return recharge->clock_ms + recharge->timeout_ms;
    }
    const struct account_record *account = record_body(record_links(record)->live.account);
    return call_of(record)->last_clock_ms + account->stale_after_ms;
}

void deadline_sooner(struct fold *fold, struct record *record)
{
    size_t i = *heap_index(record);
    int64_t at_ms = true_deadline(record);
    if (at_ms >= fold->heap[i].at_ms)
        return;
    fold->heap[i].at_ms = at_ms;
    sift_up(fold, i);
}

/* Puts the first entry where its true deadline belongs; true when it is there already. */
static bool first_is_true(struct fold *fold)
{
    int64_t at_ms = true_deadline(fold->heap[0].record);
    if (at_ms <= fold->heap[0].at_ms)
        return true;
    fold->heap[0].at_ms = at_ms;
    sift_down(fold, 0);
    return false;
}

int64_t deadline_first(struct fold *fold)
{
    while (has_first(fold))
        if (first_is_true(fold))
            return fold->heap[0].at_ms;
    return INT64_MAX;
}

void deadlines_meet(struct fold *fold)
{
    while (has_first(fold) && fold->heap[0].at_ms <= fold->p->clock_ms) {
        struct record *record = fold->heap[0].record;
        if (!first_is_true(fold))
            continue;
        if (record_kind_of(record) == RECORD_LIVE_CALL)
            call_close_stale(fold, record);
        else
            recharge_time_out(fold, record);
    }
}

/* --- forgetting --- */

#define DENIED_KEPT_MS MS_PER_DAY
/* So that an hour's calls that come due at once after a quiet night do not
 * stop the fold; it catches up at more than one an event. */
#define FORGOTTEN_A_STEP 4

/* The mark only rises: a longer retention does not bring back what was forgotten. */
static void raise_marks(struct fold *fold)
{
    if (fold->p->time_ms == TIME_NEVER)
        return;
    for (int queue = 0; queue < EXPIRY_QUEUES; queue++) {
        struct expiry_queue *ends = &fold->p->expiry[queue];
        int64_t kept_ms = queue == EXPIRY_DENIED ? DENIED_KEPT_MS : fold->policy->number[POLICY_RETENTION_MS];
        if (kept_ms == 0)
            kept_ms = 1; /* the mark stays behind what may still be closed at this very instant */
        if (fold->p->time_ms - kept_ms > ends->forgotten_ms)
            ends->forgotten_ms = fold->p->time_ms - kept_ms;
    }
}

static void expiry_key(struct key *key, int queue, int64_t seq)
{
    key_begin(key, RECORD_EXPIRY);
    key_number(key, queue == EXPIRY_DENIED ? 'D' : 'C', 1);
    key_number(key, (uint64_t)seq, 8);
}

void expiry_add(struct fold *fold, int queue, const struct key *closed)
{
    struct expiry_queue *ends = &fold->p->expiry[queue];
    struct key key;
    expiry_key(&key, queue, ends->tail);
    struct expiry_record *entry = record_body(state_create(fold->state, &key, sizeof *entry + closed->len));
    entry->time_ms = fold->p->time_ms;
    memcpy(entry->key, closed->bytes, closed->len);
    if (ends->head == ends->tail)
        ends->head_time_ms = entry->time_ms;
    ends->tail++;
    expiry_key(&key, queue, ends->tail); /* where the next one goes, to be near by then */
    state_fetch_slot(fold->state, key_hash(&key));
}

/* The closed call goes unless its id has been used for a newer one since. */
static void forget_closed(struct fold *fold, struct record *entry)
{
    const struct expiry_record *body = record_body(entry);
    struct key key = {.len = record_body_len(entry) - sizeof *body};
    memcpy(key.bytes, body->key, key.len);
    struct record *closed = state_find(fold->state, &key);
    const struct closed_call_record *call = closed ? record_body(closed) : NULL;
    if (call && call->closed_at_ms == body->time_ms)
        state_remove(fold->state, closed);
    state_remove(fold->state, entry);
}

static void forget_head(struct fold *fold, int queue)
{
    struct expiry_queue *ends = &fold->p->expiry[queue];
    struct key key;
    expiry_key(&key, queue, ends->head);
    struct record *entry = state_find(fold->state, &key);
    if (!entry) {
        fold->broken = "the queue of closed calls has a hole";
        return;
    }
    forget_closed(fold, entry);
    ends->head++;
    if (ends->head == ends->tail)
        return;
    expiry_key(&key, queue, ends->head);
    entry = state_find(fold->state, &key);
    if (entry)
        ends->head_time_ms = ((struct expiry_record *)record_body(entry))->time_ms;
}

void expiry_forget(struct fold *fold)
{
    raise_marks(fold);
    for (int queue = 0; queue < EXPIRY_QUEUES; queue++) {
        const struct expiry_queue *ends = &fold->p->expiry[queue];
        for (int i = 0; i < FORGOTTEN_A_STEP && !fold->broken && ends->head < ends->tail &&
                        ends->head_time_ms <= ends->forgotten_ms;
             i++)
            forget_head(fold, queue);
    }
}
