/* Accounts, their members, numbers and settings: the data of each type.
 * scan_judge.c says the same of their plain form. */
#include "events/decode_internal.h"

bool decode_account_opened(const struct fields *data, struct event *event)
{
    return field_currency(data, "currency", &event->data.account_opened.currency) &&
           field_id(data, "owner", &event->data.account_opened.owner);
}

bool decode_member_set(const struct fields *data, struct event *event)
{
#define X(symbol, word) word,
    static const char *const roles[] = {MEMBER_ROLES(X)};
#undef X
    int role;

    if (!field_id(data, "member_id", &event->data.member.member_id) ||
        !field_word(data, "role", roles, ROLE_COUNT, &role))
        return false;
    event->data.member.role = (enum member_role)role;
    return true;
}

bool decode_member_removed(const struct fields *data, struct event *event)
{
    return field_id(data, "member_id", &event->data.member.member_id);
}

bool decode_number_added(const struct fields *data, struct event *event)
{
    return field_e164(data, "number", &event->data.number.number) &&
           field_id(data, "origin", &event->data.number.origin);
}

bool decode_number_removed(const struct fields *data, struct event *event)
{
    return field_e164(data, "number", &event->data.number.number);
}

bool decode_assignment(const struct fields *data, struct event *event)
{
    return field_e164(data, "number", &event->data.assignment.number) &&
           field_id(data, "member_id", &event->data.assignment.member_id);
}

bool decode_toggle(const struct fields *data, struct event *event)
{
    return field_e164(data, "number", &event->data.toggle.number) && field_id(data, "actor", &event->data.toggle.actor);
}

bool decode_block(const struct fields *data, struct event *event)
{
    return field_prefix(data, "prefix", &event->data.block.prefix) &&
           (!field_given(data, "number") || field_e164(data, "number", &event->data.block.number)) &&
           field_id(data, "actor", &event->data.block.actor);
}
