#include "processor/fold/fold.h"

#include "events/partitioner.h"
#include "processor/fold/internal.h"

#include <assert.h>
#include <stdlib.h>

#define TIME_AHEAD_MS  (5 * MS_PER_MINUTE)
#define ATTEST_RECORDS 50000

/* Who handles a type, and whether its account must exist (a report of a live
 * call comes to its account by the call, which saves a look-up). */
static const struct {
    handler *handle;
    bool needs_account;
} handlers[EVENT_TYPE_COUNT] = {
    [EVENT_ACCOUNT_OPENED] = {account_opened, false},
    [EVENT_MEMBER_SET] = {member_set, true},
    [EVENT_MEMBER_REMOVED] = {member_removed, true},
    [EVENT_NUMBER_ADDED] = {number_added, true},
    [EVENT_NUMBER_REMOVED] = {number_removed, true},
    [EVENT_MEMBER_ASSIGNED] = {member_assigned, true},
    [EVENT_MEMBER_UNASSIGNED] = {member_unassigned, true},
    [EVENT_INTERNATIONAL_ENABLED] = {international_enabled, true},
    [EVENT_INTERNATIONAL_DISABLED] = {international_disabled, true},
    [EVENT_DESTINATION_BLOCKED] = {destination_blocked, true},
    [EVENT_DESTINATION_UNBLOCKED] = {destination_unblocked, true},
    [EVENT_AUTO_RECHARGE_CONFIGURED] = {auto_recharge_configured, true},
    [EVENT_CREDIT_TOPPED_UP] = {credit_topped_up, true},
    [EVENT_TOPUP_REVERSED] = {topup_reversed, true},
    [EVENT_RECHARGE_FAILED] = {recharge_failed, true},
    [EVENT_CALL_STARTED] = {call_started, false},
    [EVENT_CALL_TICKED] = {call_ticked, false},
    [EVENT_CALL_ENDED] = {call_ended, false},
    [EVENT_SMS_REQUESTED] = {sms_requested, true},
    [EVENT_RATEDECK_OPENED] = {ratedeck_opened, false},
    [EVENT_RATEDECK_RATES] = {ratedeck_rates, false},
    [EVENT_RATEDECK_PUBLISHED] = {ratedeck_published, false},
    [EVENT_FX_PUBLISHED] = {fx_published, false},
    [EVENT_POLICY_CONFIGURED] = {policy_configured, false},
};

static void partition_create(struct fold *fold)
{
    struct key key;
    key_begin(&key, RECORD_PARTITION);
    fold->partition_record = state_create(fold->state, &key, sizeof *fold->p);
    fold->p = record_body(fold->partition_record);
    fold->p->time_ms = fold->p->timestamp_ms = TIME_NEVER;
    fold->p->minute = INT64_MIN;
    fold->p->final_day = DAY_NEVER;
    for (int queue = 0; queue < EXPIRY_QUEUES; queue++)
        fold->p->expiry[queue].forgotten_ms = TIME_NEVER;
    memset(fold->p->chain, '0', sizeof fold->p->chain);
    input_begin(fold);
}

struct fold *fold_new(uint32_t partition, uint32_t partition_count, const struct fold_loader *loader)
{
    struct fold *fold = must_alloc(calloc(1, sizeof *fold));
    fold->partition = partition;
    fold->partition_count = partition_count;
    fold->state = state_new(loader);
    fold->supersede_at_ms = INT64_MIN;
    partition_create(fold);
    policy_create(fold);
    return fold;
}

void fold_free(struct fold *fold)
{
    if (!fold)
        return;
    for (size_t i = 0; i < fold->deck_count; i++)
        free(fold->decks[i].rates);
    restored_free(fold);
    books_free(fold);
    state_free(fold->state);
    arena_free(&fold->arena);
    free(fold->heap);
    free(fold->decks);
    free(fold->fx);
    free(fold->outputs);
    free(fold);
}

/* --- time --- */

static void advance_time(struct fold *fold, const struct fold_record *record, const struct event *event)
{
    struct partition_record *p = fold->p;
    int64_t before_ms = p->time_ms, step_ms = 0;
    if (event && (p->time_ms == TIME_NEVER || event->time_ms > p->time_ms))
        p->time_ms = event->time_ms;
    if (record->has_timestamp) {
        step_ms = p->timestamp_ms == TIME_NEVER ? 0 : record->timestamp_ms - p->timestamp_ms;
        p->timestamp_ms = record->timestamp_ms;
    } else if (before_ms != TIME_NEVER) {
        step_ms = p->time_ms - before_ms;
    }
    if (step_ms > 0)
        p->clock_ms += step_ms < CLOCK_STEP_MS ? step_ms : CLOCK_STEP_MS;
}

static void forget_superseded(struct fold *fold)
{
    if (fold->p->time_ms == TIME_NEVER || fold->p->time_ms < fold->supersede_at_ms)
        return;
    fold->supersede_at_ms = INT64_MAX;
    fx_supersede(fold);
    decks_supersede(fold);
}

/* --- one record --- */

static bool key_matches(const struct fold *fold, const struct fold_record *record, const struct event *event)
{
    if (!record->has_key || !text_present(event->subject))
        return true;
    return text_present(record->key) && text_equal(record->key, event->subject) &&
           (fold->partition_count == 0 || partition_of_key(event->subject, fold->partition_count) == fold->partition);
}

static bool is_time_ahead(const struct fold_record *record, const struct event *event)
{
    return record->has_timestamp && event->time_ms > record->timestamp_ms + TIME_AHEAD_MS;
}

/* What is wrong with the record whatever the state says. */
static enum verdict screen(struct fold *fold, const struct fold_record *record, const struct event *event,
                           const struct decode_error *error)
{
    if (!event)
        return reject(fold, error->reason, "%s", error->detail);
    if (!key_matches(fold, record, event))
        return reject(fold, REJECT_KEY_MISMATCH,
                      "the record's key is not the subject %.*s, or the partition is not the one of that key",
                      TEXT_ARGS(event->subject));
    if (is_time_ahead(record, event))
        return reject(fold, REJECT_TIME_AHEAD, "time: %lld ms ahead of the record's timestamp; 300000 are allowed",
                      (long long)(event->time_ms - record->timestamp_ms));
    return APPLIED;
}

static enum verdict dispatch(struct fold *fold, const struct event *event)
{
    if (event->type == EVENT_CREDIT_REFUNDED)
        return reject(fold, REJECT_NON_REFUNDABLE, "credits are not refunded; a chargeback is topup.reversed");
    handler *handle = handlers[event->type].handle;
    if (!handle) /* clock.advanced only moves time */
        return APPLIED;
    if (!handlers[event->type].needs_account)
        return handle(fold, event, NULL);
    struct record *account = account_find(fold, event->subject);
    return account ? handle(fold, event, account) : account_unknown(fold, event);
}

static void emit_rejected(struct fold *fold, const struct fold_record *record, struct text subject)
{
    struct output *output = emit(fold, OUTPUT_EVENT_REJECTED, subject);
    output->data.rejected.reason = fold->reject_reason;
    output->data.rejected.detail = fold->reject_detail;
    output->data.rejected.payload = record->value;
    output->data.rejected.key = record->key;
    fold->p->rejects[fold->reject_reason]++;
}

/* --- attestation --- */

static int64_t minute_of(int64_t ms)
{
    int64_t minute = ms / MS_PER_MINUTE;
    return ms % MS_PER_MINUTE < 0 ? minute - 1 : minute;
}

static void attest(struct fold *fold)
{
    struct partition_record *p = fold->p;
    int64_t minute = p->time_ms == TIME_NEVER ? INT64_MIN : minute_of(p->time_ms);
    if (minute <= p->minute && p->inputs % ATTEST_RECORDS != 0)
        return;
    p->minute = minute > p->minute ? minute : p->minute;
    input_attest(fold);

    struct output *output = emit(fold, OUTPUT_STATE_ATTESTED, TEXT_NONE);
    output->data.attested.next_offset = p->next_offset;
    output->data.attested.entries = p->entries;
    output->data.attested.inputs = p->inputs;
    output->data.attested.fold_version = FOLD_VERSION;
    memcpy(output->data.attested.chain, p->chain, HASH_HEX);
    hex_encode(p->attested_input, HASH_SIZE, output->data.attested.input);
    fold_digest(fold, output->data.attested.digest);
}

void fold_step(struct fold *fold, const struct fold_record *record, const struct event *event,
               const struct decode_error *error, struct output_list *outputs)
{
    struct partition_record *p = fold->p;
    arena_reset(&fold->arena);
    fold->output_count = 0;
    fold->record = record;
    state_changed(fold->state, fold->partition_record);
    input_take(fold, record);

    enum verdict verdict = screen(fold, record, event, error);
    advance_time(fold, record, verdict == REJECTED ? NULL : event);
    forget_superseded(fold);
    expiry_forget(fold);
    deadlines_meet(fold);
    if (verdict != REJECTED) {
        p->events[event->type]++;
        verdict = dispatch(fold, event);
    }
    if (verdict == REJECTED)
        emit_rejected(fold, record, event ? event->subject : error->subject);
    p->duplicates += verdict == DUPLICATE;
    if (record->offset >= p->next_offset)
        p->next_offset = record->offset + 1;
    state_settle(fold->state);
    attest(fold);

    outputs->partition = fold->partition;
    outputs->offset = record->offset;
    outputs->time_ms = p->time_ms == TIME_NEVER ? 0 : p->time_ms;
    outputs->count = fold->output_count;
    outputs->items = fold->outputs;
}

/* --- what is coming --- */

static void expect_key(const struct fold *fold, struct fold_hint *hint, const struct key *key)
{
    uint64_t hash = key_hash(key);
    hint->hashes[hint->count++] = hash;
    state_fetch_slot(fold->state, hash);
}

static void expect_start(const struct fold *fold, const struct event *event, struct fold_hint *hint)
{
    struct text account = event->subject, from = event->data.call_started.from;
    struct text call = event->data.call_started.call_id, member = event->data.call_started.member_id;
    struct key key;
    key_make(&key, RECORD_ACCOUNT, account);
    expect_key(fold, hint, &key);
    key_make2(&key, RECORD_LIVE_CALL, account, call);
    expect_key(fold, hint, &key);
    key.bytes[0] = RECORD_CLOSED_CALL;
    expect_key(fold, hint, &key);
    key_make2(&key, RECORD_NUMBER, account, from);
    expect_key(fold, hint, &key);
    key_make3(&key, RECORD_ASSIGNMENT, account, from, member);
    expect_key(fold, hint, &key);
    key_make2(&key, RECORD_MEMBER, account, member);
    expect_key(fold, hint, &key);
}

void fold_expect(const struct fold *fold, const struct event *event, struct fold_hint *hint)
{
    struct key key;
    hint->is_report = event->type == EVENT_CALL_TICKED || event->type == EVENT_CALL_ENDED;
    hint->count = 0;
    if (event->type == EVENT_CALL_TICKED) {
        key_make2(&key, RECORD_LIVE_CALL, event->subject, event->data.call_ticked.call_id);
        expect_key(fold, hint, &key);
    } else if (event->type == EVENT_CALL_ENDED) {
        key_make2(&key, RECORD_LIVE_CALL, event->subject, event->data.call_ended.call_id);
        expect_key(fold, hint, &key);
        key.bytes[0] = RECORD_CLOSED_CALL;
        expect_key(fold, hint, &key);
    } else if (event->type == EVENT_CALL_STARTED) {
        expect_start(fold, event, hint);
    } else if (text_present(event->subject)) {
        key_make(&key, RECORD_ACCOUNT, event->subject);
        expect_key(fold, hint, &key);
    }
}

void fold_expect_call(const struct fold *fold, const struct fold_hint *hint)
{
    bool is_tick = hint->is_report && hint->count == 1;
    for (int i = 0; i < hint->count; i++)
        state_fetch_record(fold->state, hint->hashes[i], is_tick ? TICK_LINES : RECORD_LINES);
}

void fold_expect_account(const struct fold *fold, const struct fold_hint *hint)
{
    struct record *call = hint->is_report ? state_guess(fold->state, hint->hashes[0]) : NULL;
    if (call && record_kind_of(call) == RECORD_LIVE_CALL && record_links(call)->live.account)
        record_fetch(record_links(call)->live.account, TICK_LINES);
}

bool fold_is_broken(const struct fold *fold, const char **what)
{
    *what = fold->broken;
    return fold->broken != NULL;
}

/* --- what others ask --- */

int64_t fold_time_after(const struct fold *fold, const struct fold_record *record, const struct event *event)
{
    int64_t now_ms = fold->p->time_ms;
    bool counts = event && key_matches(fold, record, event) && !is_time_ahead(record, event);
    return counts && event->time_ms > now_ms ? event->time_ms : now_ms;
}

bool fold_find(struct fold *fold, struct text key, struct text *body)
{
    struct key wanted = {.len = key.len};
    assert(key.len <= sizeof wanted.bytes);
    memcpy(wanted.bytes, key.at, key.len);
    struct record *record = state_find(fold->state, &wanted);
    if (!record)
        return false;
    *body = (struct text){record_body(record), record_body_len(record)};
    return true;
}

void fold_position(const struct fold *fold, struct fold_position *position)
{
    const struct partition_record *p = fold->p;
    *position = (struct fold_position){.next_offset = p->next_offset,
                                       .entries = p->entries,
                                       .inputs = p->inputs,
                                       .time_ms = p->time_ms == TIME_NEVER ? 0 : p->time_ms,
                                       .timestamp_ms = p->timestamp_ms == TIME_NEVER ? 0 : p->timestamp_ms,
                                       .clock_ms = p->clock_ms,
                                       .final_day = ledger_final_day(fold)};
    memcpy(position->chain, p->chain, HASH_HEX);
}

int64_t fold_next_deadline(struct fold *fold)
{
    int64_t at_ms = deadline_first(fold);
    return at_ms == INT64_MAX ? at_ms : at_ms - fold->p->clock_ms;
}

void fold_digest_format(const uint64_t sum[2], char digest[DIGEST_HEX])
{
    uint8_t bytes[16];
    put_be(bytes, sum[1], 8);
    put_be(bytes + 8, sum[0], 8);
    hex_encode(bytes, sizeof bytes, digest);
}

void fold_digest(struct fold *fold, char digest[DIGEST_HEX])
{
    uint64_t sum[2];
    input_keep(fold);
    state_digest(fold->state, sum);
    fold_digest_format(sum, digest);
}

void fold_counts(const struct fold *fold, struct fold_counts *counts)
{
    memcpy(counts->events, fold->p->events, sizeof counts->events);
    memcpy(counts->rejects, fold->p->rejects, sizeof counts->rejects);
    counts->duplicates = fold->p->duplicates;
    counts->live_calls = fold->p->live_calls;
    counts->records_in_memory = (int64_t)state_count(fold->state);
}

void fold_dirty(struct fold *fold, fold_visit *visit, void *context)
{
    input_keep(fold);
    state_dirty(fold->state, visit, context);
}

void fold_clean(struct fold *fold)
{
    state_clean(fold->state);
}

void fold_evict(struct fold *fold, size_t keep)
{
    state_evict(fold->state, keep);
}
