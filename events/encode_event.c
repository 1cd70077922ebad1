/* encode_event.c - input events as the platform writes them. Not on the meter's
 * path: used to publish rate decks, to generate traffic and in tests. A member
 * is left out only where the event itself says it is absent, or where it is
 * false or zero and the contract's default says the same. */
#include "events/encode_write.h"

static void write_texts(struct buffer *buffer, struct text member_a, struct text a, struct text member_b, struct text b)
{
    char *p = write_begin(buffer, FIXED_ROOM + text_room(a) + text_room(b));
    p = put_text(p, member_a, a);
    p = put_text(p, member_b, b);
    write_end(buffer, p);
}

static void write_opened(struct buffer *buffer, const struct event *event)
{
    struct text owner = event->data.account_opened.owner;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(owner));
    p = put_currency(p, MEMBER("currency"), event->data.account_opened.currency);
    p = put_text(p, MEMBER("owner"), owner);
    write_end(buffer, p);
}

static void write_member(struct buffer *buffer, const struct event *event)
{
    struct text role = TEXT_NONE;
    if (event->type == EVENT_MEMBER_SET)
        role = text_of(member_role_name(event->data.member.role));
    write_texts(buffer, MEMBER("member_id"), event->data.member.member_id, MEMBER("role"), role);
}

static void write_number(struct buffer *buffer, const struct event *event)
{
    struct text origin = event->type == EVENT_NUMBER_ADDED ? event->data.number.origin : TEXT_NONE;
    write_texts(buffer, MEMBER("number"), event->data.number.number, MEMBER("origin"), origin);
}

static void write_assignment(struct buffer *buffer, const struct event *event)
{
    write_texts(buffer, MEMBER("number"), event->data.assignment.number, MEMBER("member_id"),
                event->data.assignment.member_id);
}

static void write_toggle(struct buffer *buffer, const struct event *event)
{
    write_texts(buffer, MEMBER("number"), event->data.toggle.number, MEMBER("actor"), event->data.toggle.actor);
}

static void write_block(struct buffer *buffer, const struct event *event)
{
    __auto_type block = &event->data.block;
    char *p =
        write_begin(buffer, FIXED_ROOM + text_room(block->prefix) + text_room(block->number) + text_room(block->actor));
    p = put_text(p, MEMBER("prefix"), block->prefix);
    p = put_text(p, MEMBER("number"), block->number);
    p = put_text(p, MEMBER("actor"), block->actor);
    write_end(buffer, p);
}

static char *put_amount(char *p, struct amount amount)
{
    p = put_money(p, MEMBER("amount"), amount.micros);
    return put_currency(p, MEMBER("currency"), amount.currency);
}

static void write_auto_recharge(struct buffer *buffer, const struct event *event)
{
    __auto_type settings = &event->data.auto_recharge;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(settings->actor));
    p = put_bool(p, MEMBER("enabled"), settings->enabled);
    p = put_amount(p, settings->amount);
    p = put_money(p, MEMBER("threshold"), settings->threshold_micros);
    p = put_integer(p, MEMBER("daily_limit"), settings->daily_limit);
    p = put_text(p, MEMBER("actor"), settings->actor);
    write_end(buffer, p);
}

static void write_topup(struct buffer *buffer, const struct event *event)
{
    __auto_type topup = &event->data.topup;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(topup->topup_id) + text_room(topup->recharge_id));
    p = put_text(p, MEMBER("topup_id"), topup->topup_id);
    p = put_amount(p, topup->amount);
    if (topup->has_paid) {
        char *object = put_raw(p, MEMBER("paid"));
        p = object_end(object, put_amount(object, topup->paid));
    }
    p = put_text(p, MEMBER("recharge_id"), topup->recharge_id);
    write_end(buffer, p);
}

static void write_reversal(struct buffer *buffer, const struct event *event)
{
    write_texts(buffer, MEMBER("topup_id"), event->data.reversal.topup_id, MEMBER("reason"),
                event->data.reversal.reason);
}

static void write_recharge_failed(struct buffer *buffer, const struct event *event)
{
    write_texts(buffer, MEMBER("recharge_id"), event->data.recharge_failed.recharge_id, MEMBER("reason"),
                event->data.recharge_failed.reason);
}

static void write_started(struct buffer *buffer, const struct event *event)
{
    __auto_type call = &event->data.call_started;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(call->call_id) + text_room(call->from) + text_room(call->to) +
                                      text_room(call->member_id));
    p = put_text(p, MEMBER("call_id"), call->call_id);
    p = put_word(p, MEMBER("direction"), call_direction_name(call->direction));
    p = put_text(p, MEMBER("from"), call->from);
    p = put_text(p, MEMBER("to"), call->to);
    p = put_text(p, MEMBER("member_id"), call->member_id);
    write_end(buffer, p);
}

static void write_ticked(struct buffer *buffer, const struct event *event)
{
    struct text call_id = event->data.call_ticked.call_id;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(call_id));
    p = put_text(p, MEMBER("call_id"), call_id);
    p = put_integer(p, MEMBER("duration_ms"), event->data.call_ticked.duration_ms);
    write_end(buffer, p);
}

static void write_ended(struct buffer *buffer, const struct event *event)
{
    struct text call_id = event->data.call_ended.call_id;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(call_id));
    p = put_text(p, MEMBER("call_id"), call_id);
    p = put_integer(p, MEMBER("duration_ms"), event->data.call_ended.duration_ms);
    if (event->data.call_ended.voicemail)
        p = put_bool(p, MEMBER("voicemail"), true);
    write_end(buffer, p);
}

static void write_sms(struct buffer *buffer, const struct event *event)
{
    __auto_type sms = &event->data.sms;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(sms->message_id) + text_room(sms->from) + text_room(sms->to));
    p = put_text(p, MEMBER("message_id"), sms->message_id);
    p = put_text(p, MEMBER("from"), sms->from);
    p = put_text(p, MEMBER("to"), sms->to);
    write_end(buffer, p);
}

/* clock.advanced and credit.refunded: nothing in their data is looked at. */
static void write_nothing(struct buffer *buffer, const struct event *event)
{
    (void)buffer;
    (void)event;
}

static void write_origin(struct buffer *buffer, const struct deck_origin *origin)
{
    size_t object = element_open(buffer);
    char *p = write_begin(buffer, FIXED_ROOM + text_room(origin->origin) + text_room(origin->country));
    p = put_text(p, MEMBER("origin"), origin->origin);
    p = put_text(p, MEMBER("country"), origin->country);
    p = put_currency(p, MEMBER("currency"), origin->currency);
    write_end(buffer, p);
    object_close(buffer, object);
}

static void write_deck_opened(struct buffer *buffer, const struct event *event)
{
    __auto_type deck = &event->data.deck_opened;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(deck->deck_id));
    p = put_text(p, MEMBER("deck_id"), deck->deck_id);
    p = put_currency(p, MEMBER("currency"), deck->currency);
    p = put_instant(p, MEMBER("effective_at"), deck->effective_at_ms);
    p = put_raw(p, MEMBER("origins"));
    write_end(buffer, p);
    size_t array = buffer->len;
    for (size_t i = 0; i < deck->origin_count; i++)
        write_origin(buffer, &deck->origins[i]);
    array_close(buffer, array);
}

static void write_rate(struct buffer *buffer, const struct deck_rate *rate)
{
    size_t object = element_open(buffer);
    char *p = write_begin(buffer, FIXED_ROOM + text_room(rate->origin) + text_room(rate->prefix) +
                                      text_room(rate->destination) + text_room(rate->kind));
    p = put_text(p, MEMBER("origin"), rate->origin);
    p = put_text(p, MEMBER("prefix"), rate->prefix);
    p = put_text(p, MEMBER("destination"), rate->destination);
    p = put_word(p, MEMBER("status"), rate_status_name(rate->status));
    if (rate->status == RATE_OPEN || rate->price_micros)
        p = put_money(p, MEMBER("price"), rate->price_micros);
    if (rate->connect_micros)
        p = put_money(p, MEMBER("connect"), rate->connect_micros);
    p = put_integer(p, MEMBER("first_s"), rate->first_s);
    p = put_integer(p, MEMBER("step_s"), rate->step_s);
    p = put_text(p, MEMBER("kind"), rate->kind);
    if (rate->domestic)
        p = put_bool(p, MEMBER("domestic"), true);
    write_end(buffer, p);
    object_close(buffer, object);
}

static void write_deck_rates(struct buffer *buffer, const struct event *event)
{
    __auto_type deck = &event->data.deck_rates;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(deck->deck_id));
    p = put_text(p, MEMBER("deck_id"), deck->deck_id);
    p = put_raw(p, MEMBER("rates"));
    write_end(buffer, p);
    size_t array = buffer->len;
    for (size_t i = 0; i < deck->count; i++)
        write_rate(buffer, &deck->rates[i]);
    array_close(buffer, array);
}

static void write_deck_published(struct buffer *buffer, const struct event *event)
{
    struct text deck_id = event->data.deck_published.deck_id;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(deck_id));
    p = put_text(p, MEMBER("deck_id"), deck_id);
    p = put_integer(p, MEMBER("rates"), event->data.deck_published.rates);
    write_end(buffer, p);
}

/* ,"EUR": as the name of a member of a map. */
static char *put_currency_member(char *p, uint32_t code)
{
    p = put_raw(p, TEXT_LIT(",\""));
    currency_format(code, p);
    return put_raw(p + CURRENCY_TEXT_MAX - 1, TEXT_LIT("\":"));
}

static void write_fx(struct buffer *buffer, const struct event *event)
{
    __auto_type fx = &event->data.fx;
    char *p = write_begin(buffer, FIXED_ROOM);
    p = put_currency(p, MEMBER("base"), fx->base);
    p = put_raw(p, MEMBER("rates"));
    write_end(buffer, p);
    size_t object = buffer->len;
    for (size_t i = 0; i < fx->count; i++) {
        p = put_currency_member(write_begin(buffer, FIXED_ROOM), fx->rates[i].currency);
        write_end(buffer, put_fx_rate(p, TEXT_LIT(""), fx->rates[i].nanos));
    }
    object_close(buffer, object);
    p = write_begin(buffer, FIXED_ROOM);
    write_end(buffer, put_instant(p, MEMBER("effective_at"), fx->effective_at_ms));
}

/* ,"name": where the name is one of the policy's words. */
static char *put_member_name(char *p, const char *name)
{
    p = put_raw(p, TEXT_LIT(","));
    p = put_quoted(p, text_of(name));
    *p++ = ':';
    return p;
}

static void write_policy_map(struct buffer *buffer, const struct event *event, enum policy_map map)
{
    char *p = put_member_name(write_begin(buffer, FIXED_ROOM), policy_map_name(map));
    write_end(buffer, p);
    size_t object = buffer->len;
    for (size_t i = 0; i < event->data.policy.map_count[map]; i++) {
        const struct amount *amount = &event->data.policy.map[map][i];
        p = put_currency_member(write_begin(buffer, FIXED_ROOM), amount->currency);
        write_end(buffer, put_money(p, TEXT_LIT(""), amount->micros));
    }
    object_close(buffer, object);
}

static void write_policy(struct buffer *buffer, const struct event *event)
{
    char *p = write_begin(buffer, FIXED_ROOM);
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++) {
        if (!event->data.policy.has_number[i])
            continue;
        p = put_member_name(p, policy_number_name((enum policy_number)i));
        p = put_decimal(p, event->data.policy.number[i]);
    }
    write_end(buffer, p);
    for (int i = 0; i < POLICY_MAP_COUNT; i++)
        if (event->data.policy.has_map[i])
            write_policy_map(buffer, event, (enum policy_map)i);
}

typedef void event_writer(struct buffer *buffer, const struct event *event);

static event_writer *const writers[EVENT_TYPE_COUNT] = {
    [EVENT_ACCOUNT_OPENED] = write_opened,
    [EVENT_MEMBER_SET] = write_member,
    [EVENT_MEMBER_REMOVED] = write_member,
    [EVENT_NUMBER_ADDED] = write_number,
    [EVENT_NUMBER_REMOVED] = write_number,
    [EVENT_MEMBER_ASSIGNED] = write_assignment,
    [EVENT_MEMBER_UNASSIGNED] = write_assignment,
    [EVENT_INTERNATIONAL_ENABLED] = write_toggle,
    [EVENT_INTERNATIONAL_DISABLED] = write_toggle,
    [EVENT_DESTINATION_BLOCKED] = write_block,
    [EVENT_DESTINATION_UNBLOCKED] = write_block,
    [EVENT_AUTO_RECHARGE_CONFIGURED] = write_auto_recharge,
    [EVENT_CREDIT_TOPPED_UP] = write_topup,
    [EVENT_TOPUP_REVERSED] = write_reversal,
    [EVENT_CREDIT_REFUNDED] = write_nothing,
    [EVENT_RECHARGE_FAILED] = write_recharge_failed,
    [EVENT_CALL_STARTED] = write_started,
    [EVENT_CALL_TICKED] = write_ticked,
    [EVENT_CALL_ENDED] = write_ended,
    [EVENT_SMS_REQUESTED] = write_sms,
    [EVENT_CLOCK_ADVANCED] = write_nothing,
    [EVENT_RATEDECK_OPENED] = write_deck_opened,
    [EVENT_RATEDECK_RATES] = write_deck_rates,
    [EVENT_RATEDECK_PUBLISHED] = write_deck_published,
    [EVENT_FX_PUBLISHED] = write_fx,
    [EVENT_POLICY_CONFIGURED] = write_policy,
};

void event_encode(struct buffer *buffer, const struct event *event, struct text id, struct text source)
{
    size_t envelope = buffer->len;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(id) + text_room(source) + text_room(event->subject));
    p = put_word(p, MEMBER("specversion"), "1.0");
    p = put_text(p, MEMBER("id"), id);
    p = put_text(p, MEMBER("source"), source);
    p = put_type(p, event_type_name(event->type));
    p = put_instant(p, MEMBER("time"), event->time_ms);
    p = put_text(p, MEMBER("subject"), event->subject);
    p = put_raw(p, MEMBER("data"));
    write_end(buffer, p);
    size_t data = buffer->len;
    writers[event->type](buffer, event);
    object_close(buffer, data);
    object_close(buffer, envelope);
}
