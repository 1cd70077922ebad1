#include "processor/fold/records.h"

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
