/* scan_judge.c - what each type asks of the members that scan.c has noted. It
 * agrees with decode_account.c, decode_call.c and decode_credit.c. */
#include "events/scan_judge.h"

#include "events/currency.h"
#include "events/decode.h"
#include "events/money.h"
#include "events/phone.h"

typedef bool judge(const struct members *members, struct event *event);

/* The value if there is one of that kind; else NULL. */
static inline const struct value *value_of(const struct members *members, enum member member, enum kind kind)
{
    const struct value *value = &members->values[member];

    return members->present & 1u << member && value->kind == kind ? value : NULL;
}

static inline bool is_absent(const struct members *members, enum member member)
{
    return !(members->present & 1u << member);
}

static inline bool take_text(const struct members *members, enum member member, bool (*valid)(struct text),
                             struct text *out)
{
    const struct value *value = value_of(members, member, STRING);

    if (!value || !valid(value->text))
        return false;
    *out = value->text;
    return true;
}

static bool take_id(const struct members *members, enum member member, struct text *out)
{
    const struct value *value = value_of(members, member, VALID_ID);

    if (!value)
        return false;
    *out = value->text;
    return true;
}

static bool take_e164(const struct members *members, enum member member, struct text *out)
{
    return take_text(members, member, phone_is_e164, out);
}

static bool take_dialled(const struct members *members, enum member member, struct text *out)
{
    return take_text(members, member, dialled_is_valid, out);
}

static bool take_boolean(const struct members *members, enum member member, bool *out)
{
    const struct value *value = value_of(members, member, BOOLEAN);

    *out = value && value->integer;
    return value != NULL;
}

/* An integer from 0 on; the scanner takes no sign. */
static bool take_integer(const struct members *members, enum member member, int64_t most, int64_t *out)
{
    const struct value *value = value_of(members, member, INTEGER);

    if (!value || value->integer > most)
        return false;
    *out = value->integer;
    return true;
}

static bool take_decimal(const struct members *members, enum member member, int64_t least, int64_t *out)
{
    const struct value *value = value_of(members, member, STRING);

    return value && money_parse(value->text, out) && *out >= least;
}

static bool take_currency(const struct members *members, uint32_t *out)
{
    const struct value *value = value_of(members, CURRENCY, STRING);

    return value && currency_parse(value->text, out);
}

static bool take_money(const struct members *members, struct amount *out)
{
    return take_decimal(members, AMOUNT, 1, &out->micros) && take_currency(members, &out->currency);
}

/* The index of a word of a list; words are few. */
static bool take_word(const struct members *members, enum member member, const char *const words[], int count, int *out)
{
    const struct value *value = value_of(members, member, STRING);

    for (*out = 0; value && *out < count; ++*out)
        if (text_equal(value->text, text_of(words[*out])))
            return true;
    return false;
}

/* --- calls --- */

static bool call_started(const struct members *members, struct event *event)
{
    const struct value *direction = value_of(members, DIRECTION, STRING);
    bool inbound = direction && text_equal(direction->text, TEXT_LIT("inbound"));

    if (!inbound && (!direction || !text_equal(direction->text, TEXT_LIT("outbound"))))
        return false;
    event->data.call_started.direction = inbound ? DIRECTION_INBOUND : DIRECTION_OUTBOUND;
    event->data.call_started.member_id = TEXT_NONE;
    return take_id(members, CALL_ID, &event->data.call_started.call_id) &&
           (inbound ? take_dialled : take_e164)(members, FROM, &event->data.call_started.from) &&
           take_dialled(members, TO, &event->data.call_started.to) &&
           ((inbound && is_absent(members, MEMBER_ID)) ||
            take_id(members, MEMBER_ID, &event->data.call_started.member_id));
}

static bool call_ticked(const struct members *members, struct event *event)
{
    return take_id(members, CALL_ID, &event->data.call_ticked.call_id) &&
           take_integer(members, DURATION_MS, DURATION_MAX_MS, &event->data.call_ticked.duration_ms);
}

static bool call_ended(const struct members *members, struct event *event)
{
    event->data.call_ended.voicemail = false;
    return take_id(members, CALL_ID, &event->data.call_ended.call_id) &&
           take_integer(members, DURATION_MS, DURATION_MAX_MS, &event->data.call_ended.duration_ms) &&
           (is_absent(members, VOICEMAIL) || take_boolean(members, VOICEMAIL, &event->data.call_ended.voicemail));
}

static bool sms_requested(const struct members *members, struct event *event)
{
    return take_id(members, MESSAGE_ID, &event->data.sms.message_id) &&
           take_e164(members, FROM, &event->data.sms.from) && take_e164(members, TO, &event->data.sms.to);
}

/* --- accounts --- */

static bool account_opened(const struct members *members, struct event *event)
{
    return take_currency(members, &event->data.account_opened.currency) &&
           take_id(members, OWNER, &event->data.account_opened.owner);
}

static bool member_set(const struct members *members, struct event *event)
{
#define X(symbol, word) word,
    static const char *const roles[] = {MEMBER_ROLES(X)};
#undef X
    int role;

    if (!take_id(members, MEMBER_ID, &event->data.member.member_id) ||
        !take_word(members, ROLE, roles, ROLE_COUNT, &role))
        return false;
    event->data.member.role = (enum member_role)role;
    return true;
}

static bool member_removed(const struct members *members, struct event *event)
{
    return take_id(members, MEMBER_ID, &event->data.member.member_id);
}

static bool number_added(const struct members *members, struct event *event)
{
    return take_e164(members, NUMBER, &event->data.number.number) &&
           take_id(members, ORIGIN, &event->data.number.origin);
}

static bool number_removed(const struct members *members, struct event *event)
{
    return take_e164(members, NUMBER, &event->data.number.number);
}

static bool assignment(const struct members *members, struct event *event)
{
    return take_e164(members, NUMBER, &event->data.assignment.number) &&
           take_id(members, MEMBER_ID, &event->data.assignment.member_id);
}

static bool toggle(const struct members *members, struct event *event)
{
    return take_e164(members, NUMBER, &event->data.toggle.number) && take_id(members, ACTOR, &event->data.toggle.actor);
}

static bool block(const struct members *members, struct event *event)
{
    event->data.block.number = TEXT_NONE;
    return take_text(members, PREFIX, phone_is_prefix, &event->data.block.prefix) &&
           (is_absent(members, NUMBER) || take_e164(members, NUMBER, &event->data.block.number)) &&
           take_id(members, ACTOR, &event->data.block.actor);
}

/* --- credits --- */

static bool auto_recharge(const struct members *members, struct event *event)
{
    int64_t daily_limit = DAILY_LIMIT_DEFAULT;

    event->data.auto_recharge.threshold_micros = 0;
    if (!take_boolean(members, ENABLED, &event->data.auto_recharge.enabled) ||
        !take_money(members, &event->data.auto_recharge.amount))
        return false;
    if (!is_absent(members, THRESHOLD) &&
        !take_decimal(members, THRESHOLD, 0, &event->data.auto_recharge.threshold_micros))
        return false;
    if (!is_absent(members, DAILY_LIMIT) && !take_integer(members, DAILY_LIMIT, DAILY_LIMIT_MAX, &daily_limit))
        return false;
    event->data.auto_recharge.daily_limit = (uint32_t)daily_limit;
    return take_id(members, ACTOR, &event->data.auto_recharge.actor);
}

/* paid is an object: for decode.c. */
static bool topped_up(const struct members *members, struct event *event)
{
    event->data.topup.recharge_id = TEXT_NONE;
    event->data.topup.has_paid = false;
    if (!is_absent(members, PAID) || !take_id(members, TOPUP_ID, &event->data.topup.topup_id) ||
        !take_money(members, &event->data.topup.amount))
        return false;
    event->data.topup.paid = event->data.topup.amount;
    return is_absent(members, RECHARGE_ID) || take_id(members, RECHARGE_ID, &event->data.topup.recharge_id);
}

static bool topup_reversed(const struct members *members, struct event *event)
{
    return take_id(members, TOPUP_ID, &event->data.reversal.topup_id) &&
           take_text(members, REASON, words_are_valid, &event->data.reversal.reason);
}

static bool recharge_failed(const struct members *members, struct event *event)
{
    return take_id(members, RECHARGE_ID, &event->data.recharge_failed.recharge_id) &&
           take_text(members, REASON, words_are_valid, &event->data.recharge_failed.reason);
}

static judge *const judges[EVENT_TYPE_COUNT] = {
    [EVENT_ACCOUNT_OPENED] = account_opened,   [EVENT_MEMBER_SET] = member_set,
    [EVENT_MEMBER_REMOVED] = member_removed,   [EVENT_NUMBER_ADDED] = number_added,
    [EVENT_NUMBER_REMOVED] = number_removed,   [EVENT_MEMBER_ASSIGNED] = assignment,
    [EVENT_MEMBER_UNASSIGNED] = assignment,    [EVENT_INTERNATIONAL_ENABLED] = toggle,
    [EVENT_INTERNATIONAL_DISABLED] = toggle,   [EVENT_DESTINATION_BLOCKED] = block,
    [EVENT_DESTINATION_UNBLOCKED] = block,     [EVENT_AUTO_RECHARGE_CONFIGURED] = auto_recharge,
    [EVENT_CREDIT_TOPPED_UP] = topped_up,      [EVENT_TOPUP_REVERSED] = topup_reversed,
    [EVENT_RECHARGE_FAILED] = recharge_failed, [EVENT_CALL_STARTED] = call_started,
    [EVENT_CALL_TICKED] = call_ticked,         [EVENT_CALL_ENDED] = call_ended,
    [EVENT_SMS_REQUESTED] = sms_requested,
};

bool scanned_type(struct text name, enum event_type *type)
{
    if (text_equal(name, TEXT_LIT(TYPE_PREFIX "call.ticked"))) {
        *type = EVENT_CALL_TICKED; /* nearly always */
        return true;
    }
    return event_type_of(name, type) && judges[*type] != NULL;
}

bool judge_members(const struct members *members, struct event *event)
{
    return judges[event->type](members, event);
}
