#include "processor/fold/records.h"

#include "events/money.h"

/* What snapshots/FORMAT.md draws; a layout that changes raises FOLD_VERSION. */
_Static_assert(sizeof(struct partition_record) == 760, "FORMAT.md");
_Static_assert(sizeof(struct policy_record) == 160, "FORMAT.md");
_Static_assert(sizeof(struct fx_record) == 24, "FORMAT.md");
_Static_assert(sizeof(struct deck_record) == 104, "FORMAT.md");
_Static_assert(sizeof(struct rate_record) == 32, "FORMAT.md");
_Static_assert(sizeof(struct recharge_record) == 32, "FORMAT.md");
_Static_assert(sizeof(struct call_record) == 144 && offsetof(struct call_record, price_micros) == CALL_MOVING,
               "FORMAT.md");
_Static_assert(sizeof(struct account_record) == 184, "FORMAT.md");
_Static_assert(sizeof(struct member_record) == 24, "FORMAT.md");
_Static_assert(sizeof(struct number_record) == 104, "FORMAT.md");
_Static_assert(sizeof(struct assignment_record) == 24, "FORMAT.md");
_Static_assert(sizeof(struct block_record) == 16, "FORMAT.md");
_Static_assert(sizeof(struct topup_record) == 56, "FORMAT.md");
_Static_assert(sizeof(struct closed_call_record) == 40, "FORMAT.md");
_Static_assert(sizeof(struct expiry_record) == 8, "FORMAT.md");
_Static_assert(sizeof(struct contents) == 16, "FORMAT.md");
_Static_assert(sizeof(struct expiry_queue) == 32, "FORMAT.md");
_Static_assert(sizeof(struct amount_record) == 16, "FORMAT.md");
_Static_assert(sizeof(struct origin_record) == 72, "FORMAT.md");

struct text call_string(const struct call_record *call, enum call_string which)
{
    const uint8_t lengths[CALL_STRING_COUNT] = {call->from_len,        call->to_len,     call->member_len,
                                                call->destination_len, call->prefix_len, call->deck_len};
    const char *at = call->strings;
    for (int i = 0; i < (int)which; i++)
        at += lengths[i];
    return (struct text){at, lengths[which]};
}

struct text rate_destination(const struct rate_record *rate)
{
    return (struct text){rate->strings, rate->destination_len};
}

struct text rate_kind(const struct rate_record *rate)
{
    return (struct text){rate->strings + rate->destination_len, rate->kind_len};
}

struct text number_origin(const struct number_record *number)
{
    return (struct text){number->origin, number->origin_len};
}

struct text record_key_part(struct text key, int n)
{
    const char *at = key.at + 1, *end = key.at + key.len;
    for (;; n--) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        if (!stop)
            stop = end;
        if (n == 0)
            return (struct text){at, (size_t)(stop - at)};
        at = stop < end ? stop + 1 : end;
    }
}

/* --- decks and fx tables --- */

struct text deck_id(const struct deck_record *deck)
{
    return (struct text){deck->id, deck->id_len};
}

struct text deck_origin(const struct deck_record *deck, uint16_t index)
{
    return (struct text){deck->origins[index].name, deck->origins[index].name_len};
}

bool deck_origin_index(const struct deck_record *deck, struct text origin, uint16_t *index)
{
    for (uint32_t i = 0; i < deck->origin_count; i++) {
        if (text_equal(deck_origin(deck, (uint16_t)i), origin)) {
            *index = (uint16_t)i;
            return true;
        }
    }
    return false;
}

bool deck_is_later(const struct deck_record *a, const struct deck_record *b)
{
    return a->effective_at_ms > b->effective_at_ms ||
           (a->effective_at_ms == b->effective_at_ms && a->publication > b->publication);
}

bool deck_covers(const struct deck_record *deck, struct text origin, int64_t at_ms, uint16_t *index)
{
    return deck->publication != 0 && deck->effective_at_ms <= at_ms && deck_origin_index(deck, origin, index);
}

size_t fx_record_size(size_t count)
{
    return sizeof(struct fx_record) + count * sizeof(struct amount_record);
}

void fx_fill(struct fx_record *table, const struct event *event)
{
    table->effective_at_ms = event->data.fx.effective_at_ms;
    table->base = event->data.fx.base;
    table->count = (uint32_t)event->data.fx.count;
    for (uint32_t i = 0; i < table->count; i++)
        table->rates[i] = (struct amount_record){.micros = event->data.fx.rates[i].nanos,
                                                 .currency = event->data.fx.rates[i].currency};
}

bool fx_is_later(const struct fx_record *a, const struct fx_record *b)
{
    return a->effective_at_ms > b->effective_at_ms || (a->effective_at_ms == b->effective_at_ms && a->seq > b->seq);
}

/* What one unit of the base costs in a currency, 0 when the table does not say. */
static int64_t fx_nanos(const struct fx_record *table, uint32_t currency)
{
    if (currency == table->base)
        return NANOS_PER_UNIT;
    for (uint32_t i = 0; i < table->count; i++)
        if (table->rates[i].currency == currency)
            return table->rates[i].micros;
    return 0;
}

bool fx_ratio_of(const struct fx_record *table, uint32_t from, uint32_t to, int64_t *numerator, int64_t *denominator)
{
    *numerator = from == to ? 1 : table ? fx_nanos(table, to) : 0;
    *denominator = from == to ? 1 : table ? fx_nanos(table, from) : 0;
    return *numerator > 0 && *denominator > 0;
}

/* --- settings of a team --- */

bool assignment_holds(const struct assignment_record *assignment, const struct number_record *number,
                      const struct member_record *member)
{
    return assignment->assigned && assignment->member_generation == member->generation &&
           assignment->number_generation == number->generation;
}

bool block_holds(const struct block_record *block, const struct number_record *number)
{
    return block->blocked && (!number || block->number_generation == number->generation);
}

/* --- is it one of ours? --- */

static bool policy_is_whole(struct text body)
{
    const struct policy_record *policy = (const void *)body.at;
    uint64_t amounts = 0;
    if (body.len < sizeof *policy)
        return false;
    for (int map = 0; map < POLICY_MAP_COUNT; map++)
        amounts += policy->map_count[map];
    return body.len == sizeof *policy + amounts * sizeof policy->maps[0];
}

static bool fx_is_whole(struct text body)
{
    const struct fx_record *table = (const void *)body.at;
    return body.len >= sizeof *table && body.len == fx_record_size(table->count);
}

static bool deck_is_whole(struct text body)
{
    const struct deck_record *deck = (const void *)body.at;
    if (body.len < sizeof *deck || deck->id_len > ID_MAX || deck->origin_count > UINT16_MAX + 1 ||
        body.len != sizeof *deck + deck->origin_count * sizeof deck->origins[0])
        return false;
    for (uint32_t i = 0; i < deck->origin_count; i++)
        if (deck->origins[i].name_len > ID_MAX)
            return false;
    return true;
}

static bool rate_is_whole(struct text body)
{
    const struct rate_record *rate = (const void *)body.at;
    return body.len >= sizeof *rate && rate->status < RATE_STATUS_COUNT &&
           body.len == sizeof *rate + rate->destination_len + rate->kind_len;
}

static bool call_is_whole(struct text body)
{
    const struct call_record *call = (const void *)body.at;
    if (body.len < sizeof *call || call->charging > CHARGING_INBOUND || call->direction >= DIRECTION_COUNT ||
        call->limit_reason >= CUTOFF_REASON_COUNT)
        return false;
    struct text last = call_string(call, CALL_DECK);
    return last.at + last.len == body.at + body.len;
}

static bool number_is_whole(struct text body)
{
    const struct number_record *number = (const void *)body.at;
    return body.len == sizeof *number && number->origin_len <= ID_MAX;
}

static bool member_is_whole(struct text body)
{
    const struct member_record *member = (const void *)body.at;
    return body.len == sizeof *member && member->role < ROLE_COUNT;
}

static bool closed_call_is_whole(struct text body)
{
    const struct closed_call_record *closed = (const void *)body.at;
    if (body.len < sizeof *closed || closed->closing > CLOSED_STALE)
        return false;
    struct text call = {closed->call, body.len - sizeof *closed};
    return closed->closing == CLOSED_STALE ? call_is_whole(call) : call.len == 0;
}

bool record_is_whole(enum record_kind kind, struct text body)
{
    switch (kind) {
    case RECORD_PARTITION: return body.len == sizeof(struct partition_record);
    case RECORD_POLICY: return policy_is_whole(body);
    case RECORD_FX: return fx_is_whole(body);
    case RECORD_DECK: return deck_is_whole(body);
    case RECORD_RATE: return rate_is_whole(body);
    case RECORD_RECHARGE: return body.len == sizeof(struct recharge_record);
    case RECORD_LIVE_CALL: return call_is_whole(body);
    case RECORD_ACCOUNT: return body.len == sizeof(struct account_record);
    case RECORD_MEMBER: return member_is_whole(body);
    case RECORD_NUMBER: return number_is_whole(body);
    case RECORD_ASSIGNMENT: return body.len == sizeof(struct assignment_record);
    case RECORD_BLOCK: return body.len == sizeof(struct block_record);
    case RECORD_TOPUP: return body.len == sizeof(struct topup_record);
    case RECORD_CLOSED_CALL: return closed_call_is_whole(body);
    case RECORD_EXPIRY: return body.len > sizeof(struct expiry_record);
    default: return false;
    }
}
