/* Calls and text messages. scan_judge.c says the same of their plain form. */
#include "events/decode_internal.h"

bool decode_call_started(const struct fields *data, struct event *event)
{
#define X(symbol, word) word,
    static const char *const directions[] = {CALL_DIRECTIONS(X)};
#undef X
    int direction;

    if (!field_id(data, "call_id", &event->data.call_started.call_id) ||
        !field_word(data, "direction", directions, DIRECTION_COUNT, &direction))
        return false;
    event->data.call_started.direction = (enum call_direction)direction;

    bool inbound = direction == DIRECTION_INBOUND;
    return (inbound ? field_dialled : field_e164)(data, "from", &event->data.call_started.from) &&
           field_dialled(data, "to", &event->data.call_started.to) &&
           ((inbound && !field_given(data, "member_id")) ||
            field_id(data, "member_id", &event->data.call_started.member_id));
}

bool decode_call_ticked(const struct fields *data, struct event *event)
{
    return field_id(data, "call_id", &event->data.call_ticked.call_id) &&
           field_integer(data, "duration_ms", 0, DURATION_MAX_MS, &event->data.call_ticked.duration_ms);
}

bool decode_call_ended(const struct fields *data, struct event *event)
{
    return field_id(data, "call_id", &event->data.call_ended.call_id) &&
           field_integer(data, "duration_ms", 0, DURATION_MAX_MS, &event->data.call_ended.duration_ms) &&
           (!field_given(data, "voicemail") || field_boolean(data, "voicemail", &event->data.call_ended.voicemail));
}

bool decode_sms(const struct fields *data, struct event *event)
{
    return field_id(data, "message_id", &event->data.sms.message_id) &&
           field_e164(data, "from", &event->data.sms.from) && field_e164(data, "to", &event->data.sms.to);
}
