/* compose.c - see compose.h. */
#include "tests/fuzz/compose.h"

#include <stdio.h>

#include "events/currency.h"
#include "events/instant.h"

#define START_MS          1795420800000 /* 2026-11-23T08:00:00Z */
#define PICK(table, byte) ((table)[(byte) % (sizeof(table) / sizeof *(table))])
#define USD               ((uint32_t)('U' << 16 | 'S' << 8 | 'D'))
#define EUR               ((uint32_t)('E' << 16 | 'U' << 8 | 'R'))
#define JPY               ((uint32_t)('J' << 16 | 'P' << 8 | 'Y'))
#define QQQ               ((uint32_t)('Q' << 16 | 'Q' << 8 | 'Q')) /* listed nowhere */

static const char *const accounts[ACCOUNTS_MAX] = {"a", "b", "nobody"};
static const size_t account_places[] = {0, 1, 0, 2};
static const char *const members[] = {"boss", "boss", "kim", "lee"};
static const char *const numbers[] = {"+999555000", "+999555000", "+999555001", "+999555002"};
static const char *const origins[] = {"US", "FR"};
static const char *const prefixes[] = {"+1", "+33", "+336", "+44", "+447", "+81", "+8190"};
static const char *const dialled[] = {"+33612345678",  "+33123456789", "+447700900123", "+442071234567",
                                      "+819012345678", "+81312345678", "+12025550123",  "+599123456",
                                      "112",           "17",           "+112",          "anonymous"};
static const char *const decks[DECKS_MAX] = {"d0", "d1", "d2", "d3"};
static const uint32_t currencies[] = {USD, USD, EUR, JPY, USD, EUR, USD, QQQ};
static const int64_t amounts[] = {1,       10000,   50000,    100000,          250000,        500000,
                                  1000000, 2500000, 10000000, INT64_MAX / 100, INT64_MAX - 7, 3333333};
static const int64_t prices[] = {1500000, 600000, 20000, 1, 333300, 1000000, 3000000, 0, 60000, 30000000, 7654321};
static const int64_t connects[] = {0, 0, 0, 50000, 7, 500000};
static const uint32_t increments[][2] = {{1, 1}, {6, 6}, {30, 6}, {60, 60}, {7, 3}, {60, 1}};
static const int64_t steps_ms[] = {0,     1,     500,    1000,   6000,   6000,    6001,     20000,
                                   59999, 60000, 300000, 600000, 900000, 3600001, 21600000, 86400000};
static const int64_t lateness_ms[] = {0, 0, 0, 0, 1, 20000, MS_PER_DAY, -300001};
static const int64_t lags_ms[] = {0, 0, 0, 0, 5000, -90000, -7000000, 400000}; /* of the record's timestamp */
static const int64_t talk_steps_ms[] = {6000, 6000, 1000, 0, 1, 20000, 60000, 600000, -5000, 14400000, 30000, 500};
static const int64_t policy_values[] = {0,     1,     2,      5000,   6000,    10002,    20000,          30000,
                                        60000, 61500, 120000, 600000, 3600000, 14400000, DURATION_MAX_MS};

static struct text pick_text(const char *const *table, size_t count, uint8_t byte)
{
    return text_of(table[byte % count]);
}
#define PICK_TEXT(table, byte) pick_text(table, sizeof(table) / sizeof *(table), byte)

/* ---- one event each: b are the particulars, bytes 3 to 7 of a chunk ---- */

typedef void particulars(struct composer *c, struct event *event, const uint8_t *b);

static struct amount some_amount(uint8_t amount, uint8_t currency)
{
    return (struct amount){PICK(amounts, amount), PICK(currencies, currency)};
}

static struct text numbered(char out[ID_MAX + 1], char letter, size_t number)
{
    return (struct text){out, (size_t)snprintf(out, ID_MAX + 1, "%c%zu", letter, number)};
}

/* One of the last authorized calls, on its account; now and then any id, and
 * then the answer is NULL. */
static struct composed_call *earlier_call(struct composer *c, struct event *event, uint8_t byte, struct text *id)
{
    if (c->call_count == 0 || byte >= 240) {
        *id = numbered(c->id, 'c', byte % (c->started + 1));
        return NULL;
    }
    size_t back = byte % 8;
    struct composed_call *call = &c->calls[back < c->call_count ? c->call_count - 1 - back : 0];
    *id = text_of(call->id);
    event->subject = text_of(accounts[call->account]);
    return call;
}

static void call_started(struct composer *c, struct event *event, const uint8_t *b)
{
    __auto_type call = &event->data.call_started;

    if (b[0] >= 240)
        earlier_call(c, event, b[1], &call->call_id);
    else
        call->call_id = numbered(c->id, 'c', c->started++);
    call->direction = b[3] % 16 == 15 ? DIRECTION_INBOUND : DIRECTION_OUTBOUND;
    call->from = PICK_TEXT(numbers, b[1]);
    call->to = PICK_TEXT(dialled, b[2]);
    call->member_id = PICK_TEXT(members, b[3]);
}

/* On from the last report, or about where the last limit is. */
static int64_t next_duration(struct composed_call *call, const uint8_t *b)
{
    if (!call)
        return PICK(talk_steps_ms, b[1]) + 5000;
    int64_t next = b[2] % 4 == 3 ? call->limit_ms + b[1] % 3 - 1 : call->duration_ms + PICK(talk_steps_ms, b[1]);
    if (next < 0 || next > DURATION_MAX_MS)
        next = 0;
    if (next > call->duration_ms)
        call->duration_ms = next;
    return next;
}

static void call_ticked(struct composer *c, struct event *event, const uint8_t *b)
{
    struct composed_call *call = earlier_call(c, event, b[0], &event->data.call_ticked.call_id);

    event->data.call_ticked.duration_ms = next_duration(call, b);
}

static void call_ended(struct composer *c, struct event *event, const uint8_t *b)
{
    struct composed_call *call = earlier_call(c, event, b[0], &event->data.call_ended.call_id);

    event->data.call_ended.duration_ms = next_duration(call, b);
    event->data.call_ended.voicemail = b[3] % 8 == 7;
}

static void topped_up(struct composer *c, struct event *event, const uint8_t *b)
{
    __auto_type topup = &event->data.topup;
    bool again = b[0] >= 240 && c->topup_count > 0;

    topup->topup_id = numbered(c->id, 't', again ? b[0] % c->topup_count : c->topup_count++);
    topup->amount = some_amount(b[1], b[2]);
    topup->has_paid = b[3] % 4 == 3;
    topup->paid = topup->has_paid ? some_amount(b[3] / 4, b[4] / 4) : topup->amount;
    if (b[4] % 4 == 3) {
        snprintf(c->target, sizeof c->target, "%s", c->recharges[c->account]);
        topup->recharge_id = text_of(c->target);
    }
}

static void topup_reversed(struct composer *c, struct event *event, const uint8_t *b)
{
    event->data.reversal.topup_id = numbered(c->id, 't', b[0] % (c->topup_count + 1));
    event->data.reversal.reason = b[1] % 8 == 7 ? TEXT_LIT("error") : TEXT_LIT("fraud");
}

static void recharge_failed(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)b;
    event->data.recharge_failed.recharge_id = text_of(c->recharges[c->account]);
    event->data.recharge_failed.reason = TEXT_LIT("declined");
}

static void account_opened(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    event->data.account_opened.currency = PICK(currencies, b[0]);
    event->data.account_opened.owner = TEXT_LIT("boss");
}

static void member(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    event->data.member.member_id = PICK_TEXT(members, b[0]);
    event->data.member.role = (enum member_role)(b[1] % ROLE_COUNT);
}

static void number(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    event->data.number.number = PICK_TEXT(numbers, b[0]);
    event->data.number.origin = b[1] % 16 == 15 ? TEXT_LIT("XX") : PICK_TEXT(origins, b[1]);
}

static void assignment(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    event->data.assignment.number = PICK_TEXT(numbers, b[0]);
    event->data.assignment.member_id = PICK_TEXT(members, b[1]);
}

static void toggle(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    event->data.toggle.number = PICK_TEXT(numbers, b[0]);
    event->data.toggle.actor = PICK_TEXT(members, b[1]);
}

static void block(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    event->data.block.prefix = PICK_TEXT(prefixes, b[0]);
    event->data.block.number = b[1] % 2 ? PICK_TEXT(numbers, b[1] / 2) : TEXT_NONE;
    event->data.block.actor = PICK_TEXT(members, b[2]);
}

static void auto_recharge(struct composer *c, struct event *event, const uint8_t *b)
{
    __auto_type settings = &event->data.auto_recharge;

    (void)c;
    settings->enabled = b[3] % 8 != 7;
    settings->amount = some_amount(b[0], b[1]);
    settings->threshold_micros = b[2] % 2 ? 0 : PICK(amounts, b[2] / 2);
    settings->daily_limit = b[3] / 8 % 4;
    settings->actor = PICK_TEXT(members, b[4]);
}

static void sms(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    event->data.sms.message_id = TEXT_LIT("m");
    event->data.sms.from = PICK_TEXT(numbers, b[0]);
    event->data.sms.to = PICK_TEXT(dialled, b[1]);
}

static void nothing(struct composer *c, struct event *event, const uint8_t *b)
{
    (void)c;
    (void)event;
    (void)b;
}

static void deck_opened(struct composer *c, struct event *event, const uint8_t *b)
{
    __auto_type deck = &event->data.deck_opened;

    c->deck_rates[b[0] % DECKS_MAX] = 0;
    c->origins[0] = (struct deck_origin){text_of(origins[0]), TEXT_LIT("US"), USD};
    c->origins[1] = (struct deck_origin){text_of(origins[1]), TEXT_LIT("FR"), EUR};
    deck->deck_id = PICK_TEXT(decks, b[0]);
    deck->currency = b[1] % 4 == 3 ? EUR : USD;
    deck->effective_at_ms = c->now_ms + (b[2] % 2 ? 1 : -1) * PICK(steps_ms, b[2] / 2);
    deck->origin_count = b[3] % 4 == 3 ? 1 : 2;
    deck->origins = c->origins;
}

static void deck_rates(struct composer *c, struct event *event, const uint8_t *b)
{
    size_t prefix_count = sizeof prefixes / sizeof *prefixes, origin = b[1] % 2;

    event->data.deck_rates.deck_id = PICK_TEXT(decks, b[0]);
    event->data.deck_rates.rates = c->rates;
    event->data.deck_rates.count = 1 + b[1] / 2 % RATES_A_EVENT;
    for (size_t i = 0; i < event->data.deck_rates.count; i++) {
        size_t prefix = (b[2] + i) % prefix_count;
        const uint32_t *increment = PICK(increments, b[4] / 16);
        c->deck_rates[b[0] % DECKS_MAX] |= 1U << (origin * prefix_count + prefix);
        c->rates[i] = (struct deck_rate){.origin = text_of(origins[origin]),
                                         .prefix = text_of(prefixes[prefix]),
                                         .destination = TEXT_LIT("Côte d'Ivoire"),
                                         .status = b[4] % 16 == 15   ? RATE_BLOCKED
                                                   : b[4] % 16 == 14 ? RATE_FREE
                                                                     : RATE_OPEN,
                                         .domestic = b[4] % 16 == 13,
                                         .price_micros = PICK(prices, b[3] + i),
                                         .connect_micros = PICK(connects, b[3] / 16),
                                         .first_s = increment[0],
                                         .step_s = increment[1]};
    }
}

static void deck_published(struct composer *c, struct event *event, const uint8_t *b)
{
    int64_t sent = __builtin_popcount(c->deck_rates[b[0] % DECKS_MAX]);

    event->data.deck_published.deck_id = PICK_TEXT(decks, b[0]);
    event->data.deck_published.rates = sent + (b[1] % 8 == 7);
}

static void fx(struct composer *c, struct event *event, const uint8_t *b)
{
    c->fx[0] = (struct fx_rate){EUR, 920000000 + b[0] % 3};
    c->fx[1] = (struct fx_rate){JPY, 151300000000 - b[1] % 2};
    event->data.fx.base = USD;
    event->data.fx.effective_at_ms = c->now_ms + (b[2] % 2 ? 1 : -1) * PICK(steps_ms, b[2] / 2);
    event->data.fx.count = b[3] % 4 == 3 ? 1 : 2;
    event->data.fx.rates = c->fx;
}

static void policy(struct composer *c, struct event *event, const uint8_t *b)
{
    __auto_type policy = &event->data.policy;
    size_t which = b[0] % (POLICY_NUMBER_COUNT + POLICY_MAP_COUNT);

    if (which < POLICY_NUMBER_COUNT) {
        policy->has_number[which] = true;
        policy->number[which] = PICK(policy_values, b[1]);
        return;
    }
    which -= POLICY_NUMBER_COUNT;
    c->map[0] = some_amount(b[1], b[2] % 4);
    policy->has_map[which] = true;
    policy->map_count[which] = b[3] % 8 != 7;
    policy->map[which] = c->map;
}

/* ---- what happens, and how often ---- */

static particulars *const composers[EVENT_TYPE_COUNT] = {
    [EVENT_ACCOUNT_OPENED] = account_opened,
    [EVENT_MEMBER_SET] = member,
    [EVENT_MEMBER_REMOVED] = member,
    [EVENT_NUMBER_ADDED] = number,
    [EVENT_NUMBER_REMOVED] = number,
    [EVENT_MEMBER_ASSIGNED] = assignment,
    [EVENT_MEMBER_UNASSIGNED] = assignment,
    [EVENT_INTERNATIONAL_ENABLED] = toggle,
    [EVENT_INTERNATIONAL_DISABLED] = toggle,
    [EVENT_DESTINATION_BLOCKED] = block,
    [EVENT_DESTINATION_UNBLOCKED] = block,
    [EVENT_AUTO_RECHARGE_CONFIGURED] = auto_recharge,
    [EVENT_CREDIT_TOPPED_UP] = topped_up,
    [EVENT_TOPUP_REVERSED] = topup_reversed,
    [EVENT_CREDIT_REFUNDED] = nothing,
    [EVENT_RECHARGE_FAILED] = recharge_failed,
    [EVENT_CALL_STARTED] = call_started,
    [EVENT_CALL_TICKED] = call_ticked,
    [EVENT_CALL_ENDED] = call_ended,
    [EVENT_SMS_REQUESTED] = sms,
    [EVENT_CLOCK_ADVANCED] = nothing,
    [EVENT_RATEDECK_OPENED] = deck_opened,
    [EVENT_RATEDECK_RATES] = deck_rates,
    [EVENT_RATEDECK_PUBLISHED] = deck_published,
    [EVENT_FX_PUBLISHED] = fx,
    [EVENT_POLICY_CONFIGURED] = policy,
};

enum { SENT_AGAIN = EVENT_TYPE_COUNT, SPOILT, HAPPENING_COUNT };

/* Half of the bytes are for anything alike, half for what calls are made of. */
static unsigned happening_of(uint8_t byte)
{
    static const uint8_t usual[] = {EVENT_CALL_STARTED, EVENT_CALL_TICKED,      EVENT_CALL_TICKED,
                                    EVENT_CALL_TICKED,  EVENT_CALL_ENDED,       EVENT_CALL_STARTED,
                                    EVENT_CALL_TICKED,  EVENT_CREDIT_TOPPED_UP, EVENT_POLICY_CONFIGURED};

    return byte < 128 ? byte % HAPPENING_COUNT : PICK(usual, byte);
}

/* How every history begins. */
static const uint8_t beginning[][CHUNK] = {
    {EVENT_FX_PUBLISHED, 0, 0, 0, 0, 30},
    {EVENT_RATEDECK_OPENED, 0, 0, 0, 0, 28},
    {EVENT_RATEDECK_RATES, 0, 0, 0, 6, 1, 0, 0},
    {EVENT_RATEDECK_RATES, 0, 0, 0, 0, 0, 0, 13},
    {EVENT_RATEDECK_RATES, 0, 0, 0, 0, 5, 1, 0x30},
    {EVENT_RATEDECK_RATES, 0, 0, 0, 0, 6, 0, 14},
    {EVENT_RATEDECK_RATES, 0, 0, 0, 7, 1, 2, 0},
    {EVENT_RATEDECK_RATES, 0, 0, 0, 3, 5, 0, 0x20},
    {EVENT_RATEDECK_PUBLISHED, 0, 0, 0},
    {EVENT_ACCOUNT_OPENED, 0, 0, 0},
    {EVENT_NUMBER_ADDED, 0, 0, 0, 0},
    {EVENT_INTERNATIONAL_ENABLED, 0, 0, 0, 0},
    {EVENT_MEMBER_ASSIGNED, 0, 0, 0, 0},
    {EVENT_CREDIT_TOPPED_UP, 0, 0, 0, 7},
    {EVENT_ACCOUNT_OPENED, 1, 0, 2},
    {EVENT_NUMBER_ADDED, 1, 0, 0, 1},
    {EVENT_INTERNATIONAL_ENABLED, 1, 0, 0, 0},
    {EVENT_MEMBER_ASSIGNED, 1, 0, 0, 0},
    {EVENT_CREDIT_TOPPED_UP, 1, 0, 0, 6, 2},
};

/* ---- a record ---- */

static void compose_event(struct composer *c, enum event_type type, const uint8_t chunk[CHUNK])
{
    struct event event = {.type = type, .time_ms = c->now_ms - PICK(lateness_ms, chunk[1] / 4)};

    c->account = PICK(account_places, chunk[1]);
    if (!event_is_broadcast(type) && type != EVENT_CLOCK_ADVANCED)
        event.subject = text_of(accounts[c->account]);
    composers[type](c, &event, chunk + 3);
    c->key = event.subject;
    c->value.len = 0;
    event_encode(&c->value, &event, TEXT_LIT("e"), TEXT_LIT("/fuzz"));
}

/* One byte of the record before is another one, is left out or comes in. */
static void spoil(struct composer *c, const uint8_t *b)
{
    size_t place = (size_t)(b[0] << 8 | b[1]) % c->value.len;
    char byte = b[2] == '\n' ? ' ' : (char)b[2]; /* a line stays a line */
    char *at;

    buffer_reserve(&c->value, 1);
    at = c->value.at + place;
    if (b[3] % 4 == 3) {
        memmove(at + 1, at, c->value.len - place);
        c->value.len++;
    }
    if (b[3] % 4 == 2 && c->value.len > 1)
        memmove(at, at + 1, --c->value.len - place);
    else
        *at = byte;
}

static void take_record(struct composer *c, const uint8_t chunk[CHUNK], struct fold_record *record)
{
    *record = (struct fold_record){.offset = c->offset++, .value = {c->value.at, c->value.len}};
    if (!c->archived)
        return;
    record->has_timestamp = true;
    record->timestamp_ms = c->now_ms - PICK(lags_ms, chunk[2] / 16);
    record->has_key = true;
    record->key = c->key;
    if (chunk[2] >= 0xF0)
        record->key = chunk[2] % 2 ? TEXT_NONE : TEXT_LIT("other");
}

void compose_begin(struct composer *composer, const uint8_t *data, size_t size)
{
    *composer = (struct composer){.at = data, .end = data + size, .now_ms = START_MS};
    composer->archived = size >= CHUNK && (data[1] & 0x80) != 0;
    for (size_t i = 0; i < ACCOUNTS_MAX; i++)
        strcpy(composer->recharges[i], "0:0:0");
}

bool compose_next(struct composer *c, struct fold_record *record)
{
    size_t beginning_count = sizeof beginning / sizeof *beginning;
    const uint8_t *chunk = c->at;

    if (c->begun < beginning_count)
        chunk = beginning[c->begun++];
    else if (c->end - c->at < CHUNK)
        return false;
    else
        c->at += CHUNK;
    unsigned happening = happening_of(chunk[0]);
    c->now_ms += PICK(steps_ms, chunk[2]);
    c->disturbance = (enum disturbance)(chunk[1] / 32 % 4);
    if (happening < EVENT_TYPE_COUNT)
        compose_event(c, (enum event_type)happening, chunk);
    else if (happening == SPOILT)
        spoil(c, chunk + 3);
    take_record(c, chunk, record);
    return true;
}

/* ---- what the fold says ---- */

static size_t account_place(struct text subject)
{
    return text_equal(subject, text_of(accounts[1])) ? 1 : 0;
}

static void hear_authorized(struct composer *c, const struct output *output)
{
    if (c->call_count == CALLS_MAX)
        return;
    struct composed_call *call = &c->calls[c->call_count++];
    *call = (struct composed_call){.account = account_place(output->subject)};
    snprintf(call->id, sizeof call->id, "%.*s", TEXT_ARGS(output->data.authorized.call_id));
}

static void hear_cutoff(struct composer *c, const struct output *output)
{
    for (size_t i = 0; i < c->call_count; i++)
        if (text_equal(output->data.cutoff.call_id, text_of(c->calls[i].id)))
            c->calls[i].limit_ms = output->data.cutoff.at_duration_ms;
}

void compose_hear(struct composer *c, const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct output *output = &outputs->items[i];
        if (output->type == OUTPUT_CALL_AUTHORIZED)
            hear_authorized(c, output);
        if (output->type == OUTPUT_CALL_CUTOFF)
            hear_cutoff(c, output);
        if (output->type == OUTPUT_ACCOUNT_RECHARGE)
            snprintf(c->recharges[account_place(output->subject)], ID_MAX + 1, "%u:%lld:%u", outputs->partition,
                     (long long)outputs->offset, output->n);
    }
}

void compose_end(struct composer *composer)
{
    buffer_free(&composer->value);
}
