/* The words of reasons.h by their enums. */
#include <assert.h>

#include "events/event.h"
#include "events/output.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A function `function(enum type value)` that gives the second column of LIST. */
#define NAMES(function, type, LIST)                      \
    const char *function(enum type value)                \
    {                                                    \
        static const char *const words[] = {LIST(WORD)}; \
        assert((size_t)value < COUNT(words));            \
        return words[value];                             \
    }
#define WORD(symbol, word, ...) word,

NAMES(event_type_name, event_type, EVENT_TYPES)
NAMES(member_role_name, member_role, MEMBER_ROLES)
NAMES(call_direction_name, call_direction, CALL_DIRECTIONS)
NAMES(rate_status_name, rate_status, RATE_STATUSES)
NAMES(policy_number_name, policy_number, POLICY_NUMBERS)
NAMES(policy_map_name, policy_map, POLICY_MAPS)
NAMES(output_type_name, output_type, OUTPUT_TYPES)
NAMES(output_topic_name, output_topic, OUTPUT_TOPICS)
NAMES(reject_reason_name, reject_reason, REJECT_REASONS)
NAMES(denial_reason_name, denial_reason, DENIAL_REASONS)
NAMES(cutoff_reason_name, cutoff_reason, CUTOFF_REASONS)
NAMES(notify_kind_name, notify_kind, NOTIFY_KINDS)
NAMES(entry_kind_name, entry_kind, ENTRY_KINDS)
NAMES(call_ending_name, call_ending, CALL_ENDINGS)

bool event_type_of(struct text name, enum event_type *type)
{
#define WHOLE_WORD(symbol, word) TEXT_LIT(TYPE_PREFIX word),
    static const struct text words[] = {EVENT_TYPES(WHOLE_WORD)};
#undef WHOLE_WORD

    for (size_t i = 0; i < COUNT(words); i++)
        if (text_equal(name, words[i])) {
            *type = (enum event_type)i;
            return true;
        }
    return false;
}

enum output_topic output_topic_of(enum output_type type)
{
#define TOPIC(symbol, word, topic) TOPIC_##topic,
    static const enum output_topic topics[] = {OUTPUT_TYPES(TOPIC)};
#undef TOPIC

    assert((size_t)type < COUNT(topics));
    return topics[type];
}

bool event_is_broadcast(enum event_type type)
{
    switch (type) {
    case EVENT_RATEDECK_OPENED:
    case EVENT_RATEDECK_RATES:
    case EVENT_RATEDECK_PUBLISHED:
    case EVENT_FX_PUBLISHED:
    case EVENT_POLICY_CONFIGURED: return true;
    default: return false;
    }
}
