/* reconciliation.c - see reconciliation.h. */
#include "replay-tool/reconciliation.h"

#include <stdlib.h>

#include "processor/fold/state.h"

struct reconciliation {
    struct our_call *calls;
    size_t count, capacity;
    /* Calls that are taken are skipped: the nearest free one at or after i, and
     * at or before i - 1; each a path that is shortened as it is walked. */
    size_t *next, *previous;
    bool *is_taken;
    /* while it runs */
    struct cdr *cdr;
    bool by_id;
    const struct tolerances *tolerances;
};

struct reconciliation *reconciliation_new(void)
{
    return must_alloc(calloc(1, sizeof(struct reconciliation)));
}

static void free_call(struct our_call *call)
{
    free(call->bytes);
    free(call->key_bytes);
}

void reconciliation_free(struct reconciliation *reconciliation)
{
    if (reconciliation == NULL)
        return;
    for (size_t i = 0; i < reconciliation->count; i++)
        free_call(&reconciliation->calls[i]);
    free(reconciliation->calls);
    free(reconciliation->next);
    free(reconciliation->previous);
    free(reconciliation->is_taken);
    free(reconciliation);
}

/* --- our records --- */

static struct text keep(char **at, struct text text)
{
    struct text kept = {*at, text.len};
    if (text.len > 0)
        memcpy(*at, text.at, text.len);
    *at += text.len;
    return kept;
}

static struct our_call call_of_output(const struct output *output, uint32_t order)
{
    struct text destination = output->data.call.destination;
    size_t len = output->subject.len + output->data.call.call_id.len + output->data.call.from.len +
                 output->data.call.to.len + destination.len;
    char *bytes = must_alloc(malloc(len + 1)), *at = bytes;
    struct our_call call = {.bytes = bytes, .order = order};
    call.account = keep(&at, output->subject);
    call.call_id = keep(&at, output->data.call.call_id);
    call.from = keep(&at, output->data.call.from);
    call.to = keep(&at, output->data.call.to);
    call.destination = keep(&at, destination);
    call.start_ms = output->data.call.started_at_ms;
    call.duration_ms = output->data.call.duration_ms;
    call.billed_ms = output->data.call.billed_ms;
    call.amount_micros = output->data.call.amount_micros;
    call.currency = output->data.call.currency;
    return call;
}

void reconciliation_step(struct reconciliation *reconciliation, const struct history_step *step)
{
    for (size_t i = 0; i < step->outputs->count; i++) {
        const struct output *output = &step->outputs->items[i];
        if (output->type != OUTPUT_CALL_RECORDED || output->data.call.direction != DIRECTION_OUTBOUND)
            continue;
        if (reconciliation->count == reconciliation->capacity) {
            reconciliation->capacity = reconciliation->capacity ? reconciliation->capacity * 2 : 1024;
            reconciliation->calls =
                must_alloc(realloc(reconciliation->calls, reconciliation->capacity * sizeof *reconciliation->calls));
        }
        reconciliation->calls[reconciliation->count] = call_of_output(output, (uint32_t)reconciliation->count);
        reconciliation->count++;
    }
}

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Records of one call stand together, the last one first. */
static int compare_calls(const void *left, const void *right)
{
    const struct our_call *a = left, *b = right;
    int order = text_compare(a->account, b->account);
    if (order == 0)
        order = text_compare(a->call_id, b->call_id);
    if (order == 0)
        order = compare_numbers(a->start_ms, b->start_ms);
    return order != 0 ? order : compare_numbers(b->order, a->order);
}

static bool is_same_call(const struct our_call *a, const struct our_call *b)
{
    return text_equal(a->account, b->account) && text_equal(a->call_id, b->call_id) && a->start_ms == b->start_ms;
}

/* Leaves the last record of each call, of those that started in time. */
static void choose_calls(struct reconciliation *reconciliation, int64_t first_ms, int64_t end_ms)
{
    struct our_call *calls = reconciliation->calls;
    size_t kept = 0;
    if (reconciliation->count > 0)
        qsort(calls, reconciliation->count, sizeof *calls, compare_calls);
    for (size_t i = 0; i < reconciliation->count; i++) {
        bool is_replaced = kept > 0 && is_same_call(&calls[kept - 1], &calls[i]);
        if (is_replaced || calls[i].start_ms < first_ms || calls[i].start_ms >= end_ms)
            free_call(&calls[i]);
        else
            calls[kept++] = calls[i];
    }
    reconciliation->count = kept;
}

/* --- what they are matched by --- */

static struct text join(char *to, struct text a, struct text b)
{
    char *at = to;
    keep(&at, a);
    *at++ = '\0';
    keep(&at, b);
    return (struct text){to, (size_t)(at - to)};
}

#define KEY_MAX (2 * 128 + 1)

/* The key of a call or a line: its id, with the account if they say it; or its
 * numbers' digits. at has room for KEY_MAX bytes. */
static struct text key_for(const struct reconciliation *reconciliation, struct text account, struct text call_id,
                           struct text from, struct text to, char *at)
{
    char caller[CDR_NUMBER_MAX], called[CDR_NUMBER_MAX];
    if (reconciliation->by_id)
        return cdr_has(reconciliation->cdr, CDR_ACCOUNT) ? join(at, account, call_id) : call_id;
    struct text caller_digits = {caller, cdr_number(from, caller)}, called_digits = {called, cdr_number(to, called)};
    return join(at, caller_digits, called_digits);
}

static void make_keys(struct reconciliation *reconciliation)
{
    for (size_t i = 0; i < reconciliation->count; i++) {
        struct our_call *call = &reconciliation->calls[i];
        char at[KEY_MAX];
        call->key = key_for(reconciliation, call->account, call->call_id, call->from, call->to, at);
        if (call->key.at != at)
            continue;
        call->key_bytes = must_alloc(malloc(call->key.len));
        memcpy(call->key_bytes, at, call->key.len);
        call->key.at = call->key_bytes;
    }
}

static int compare_keys(const void *left, const void *right)
{
    const struct our_call *a = left, *b = right;
    int order = text_compare(a->key, b->key);
    if (order == 0)
        order = compare_numbers(a->start_ms, b->start_ms);
    return order != 0 ? order : compare_numbers(a->order, b->order);
}

static void prepare(struct reconciliation *reconciliation)
{
    size_t count = reconciliation->count;
    make_keys(reconciliation);
    if (count > 0)
        qsort(reconciliation->calls, count, sizeof *reconciliation->calls, compare_keys);
    reconciliation->next = must_alloc(malloc((count + 1) * sizeof(size_t)));
    reconciliation->previous = must_alloc(malloc((count + 1) * sizeof(size_t)));
    reconciliation->is_taken = must_alloc(calloc(count + 1, sizeof(bool)));
    for (size_t i = 0; i <= count; i++)
        reconciliation->next[i] = reconciliation->previous[i] = i;
}

/* --- the nearest call that is free --- */

/* The end of i's path, which is then one step away from all that is on it. */
static size_t walk(size_t *path, size_t i)
{
    size_t end = i;
    while (path[end] != end)
        end = path[end];
    while (path[i] != end && i != end) {
        size_t after = path[i];
        path[i] = end;
        i = after;
    }
    return end;
}

static void take(struct reconciliation *reconciliation, size_t i)
{
    reconciliation->is_taken[i] = true;
    reconciliation->next[i] = i + 1;
    reconciliation->previous[i + 1] = i;
}

/* The first call of this key that starts at or after the instant; or the end of those that do not. */
static size_t lower_bound(const struct reconciliation *reconciliation, struct text key, int64_t start_ms)
{
    size_t from = 0, end = reconciliation->count;
    while (from < end) {
        size_t middle = from + (end - from) / 2;
        const struct our_call *call = &reconciliation->calls[middle];
        int order = text_compare(call->key, key);
        if (order < 0 || (order == 0 && call->start_ms < start_ms))
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

static bool has_key(const struct reconciliation *reconciliation, size_t i, struct text key)
{
    return i < reconciliation->count && text_equal(reconciliation->calls[i].key, key);
}

static int64_t apart(const struct reconciliation *reconciliation, size_t i, int64_t start_ms)
{
    int64_t start = reconciliation->calls[i].start_ms;
    return start > start_ms ? start - start_ms : start_ms - start;
}

/* The free call that the line is about; count when there is none. */
static size_t find_call(struct reconciliation *reconciliation, const struct cdr_line *line, bool *is_known)
{
    char at[KEY_MAX];
    struct text key = key_for(reconciliation, line->account, line->call_id, line->from, line->to, at);
    size_t bound = lower_bound(reconciliation, key, line->start_ms), found = reconciliation->count;
    size_t after = walk(reconciliation->next, bound), before = walk(reconciliation->previous, bound);
    *is_known = has_key(reconciliation, bound, key) || (bound > 0 && has_key(reconciliation, bound - 1, key));
    if (has_key(reconciliation, after, key))
        found = after;
    if (before > 0 && has_key(reconciliation, before - 1, key) &&
        (found == reconciliation->count ||
         apart(reconciliation, before - 1, line->start_ms) < apart(reconciliation, found, line->start_ms)))
        found = before - 1;
    if (found < reconciliation->count && !reconciliation->by_id &&
        apart(reconciliation, found, line->start_ms) > reconciliation->tolerances->start_ms)
        return reconciliation->count;
    return found;
}

/* --- comparing --- */

static bool is_off(int64_t ours, int64_t theirs, int64_t tolerance)
{
    __int128 difference = (__int128)ours - theirs;
    return (difference < 0 ? -difference : difference) > tolerance;
}

static bool is_other_number(struct text ours, struct text theirs)
{
    char a[CDR_NUMBER_MAX], b[CDR_NUMBER_MAX];
    size_t a_len = cdr_number(ours, a), b_len = cdr_number(theirs, b);
    return !text_equal((struct text){a, a_len}, (struct text){b, b_len});
}

static unsigned compare_money(const struct reconciliation *reconciliation, const struct our_call *ours,
                              const struct cdr_line *theirs)
{
    if (!cdr_has(reconciliation->cdr, CDR_AMOUNT))
        return 0;
    if (theirs->currency != 0 && theirs->currency != ours->currency)
        return DIFFERS_CURRENCY;
    return is_off(ours->amount_micros, theirs->amount_micros, reconciliation->tolerances->amount_micros)
               ? DIFFERS_AMOUNT
               : 0;
}

static unsigned compare(const struct reconciliation *reconciliation, const struct our_call *ours,
                        const struct cdr_line *theirs)
{
    const struct cdr *cdr = reconciliation->cdr;
    const struct tolerances *tolerances = reconciliation->tolerances;
    unsigned kinds = compare_money(reconciliation, ours, theirs);
    if ((cdr_has(cdr, CDR_FROM) && is_other_number(ours->from, theirs->from)) ||
        (cdr_has(cdr, CDR_TO) && is_other_number(ours->to, theirs->to)))
        kinds |= DIFFERS_NUMBER;
    if (cdr_has(cdr, CDR_START) && is_off(ours->start_ms, theirs->start_ms, tolerances->start_ms))
        kinds |= DIFFERS_START;
    if (cdr_has(cdr, CDR_DURATION) && is_off(ours->duration_ms, theirs->duration_ms, tolerances->duration_ms))
        kinds |= DIFFERS_DURATION;
    if (cdr_has(cdr, CDR_BILLED) && is_off(ours->billed_ms, theirs->billed_ms, tolerances->duration_ms))
        kinds |= DIFFERS_BILLED;
    return kinds;
}

static void take_line(struct reconciliation *reconciliation, const struct cdr_line *line, reconciliation_visit *visit,
                      void *context)
{
    bool is_known;
    struct difference_found found = {.theirs = line};
    size_t i = find_call(reconciliation, line, &is_known);
    if (i == reconciliation->count) {
        found.kinds = DIFFERS_EXTRA | (reconciliation->by_id && is_known ? DIFFERS_REPEATED : 0);
    } else {
        take(reconciliation, i);
        found.ours = &reconciliation->calls[i];
        found.kinds = compare(reconciliation, found.ours, line);
    }
    visit(context, &found);
}

void reconciliation_run(struct reconciliation *reconciliation, struct cdr *cdr, bool by_id, int64_t first_ms,
                        int64_t end_ms, const struct tolerances *tolerances, reconciliation_visit *visit, void *context)
{
    struct cdr_line line;
    reconciliation->cdr = cdr;
    reconciliation->by_id = by_id;
    reconciliation->tolerances = tolerances;
    choose_calls(reconciliation, first_ms, end_ms);
    prepare(reconciliation);
    while (cdr_next(cdr, &line))
        if (!cdr_has(cdr, CDR_START) || (line.start_ms >= first_ms && line.start_ms < end_ms))
            take_line(reconciliation, &line, visit, context);
    for (size_t i = 0; i < reconciliation->count; i++)
        if (!reconciliation->is_taken[i] && reconciliation->calls[i].duration_ms > 0)
            visit(context, &(struct difference_found){.kinds = DIFFERS_MISSING, .ours = &reconciliation->calls[i]});
}
