/* event.h - what a record of callfold.events says, typed.
 *
 * One tagged union: `type` tells which member of the union holds. Texts and
 * arrays are borrowed from the record's bytes or the decoder's arena and live
 * until the next event is decoded. A field that the contract calls optional
 * has its contract default here already, or an absent text where "absent" is
 * a fact of its own. All syntax has been checked (ids, E.164, amounts above
 * zero, currency letters); nothing that needs the state has.
 */
#ifndef CALLFOLD_EVENTS_EVENT_H
#define CALLFOLD_EVENTS_EVENT_H

#include "events/reasons.h"
#include "events/text.h"

#define X(symbol, word) EVENT_##symbol,
enum event_type { EVENT_TYPES(X) EVENT_TYPE_COUNT };
#undef X
#define X(symbol, word) ROLE_##symbol,
enum member_role { MEMBER_ROLES(X) ROLE_COUNT };
#undef X
#define X(symbol, word) DIRECTION_##symbol,
enum call_direction { CALL_DIRECTIONS(X) DIRECTION_COUNT };
#undef X
#define X(symbol, word) RATE_##symbol,
enum rate_status { RATE_STATUSES(X) RATE_STATUS_COUNT };
#undef X
#define X(symbol, word, preset, least, most) POLICY_##symbol,
enum policy_number { POLICY_NUMBERS(X) POLICY_NUMBER_COUNT };
#undef X
#define X(symbol, word) POLICY_##symbol,
enum policy_map { POLICY_MAPS(X) POLICY_MAP_COUNT };
#undef X

struct amount {
    int64_t micros;
    uint32_t currency; /* packed code, currency.h */
};

struct deck_origin {
    struct text origin;
    struct text country; /* two capital letters */
    uint32_t currency;   /* home currency of its users */
};

struct deck_rate {
    struct text origin;
    struct text prefix; /* with its "+" */
    struct text destination;
    struct text kind; /* absent when not given */
    enum rate_status status;
    bool domestic;
    int64_t price_micros; /* per minute, deck currency; 0 unless given */
    int64_t connect_micros;
    uint32_t first_s;
    uint32_t step_s;
};

struct fx_rate {
    uint32_t currency;
    int64_t nanos; /* one unit of base costs this much of currency, in billionths */
};

struct event {
    enum event_type type;
    int64_t time_ms;
    struct text subject; /* the account; absent in broadcasts and clock.advanced */
    /* clang-format off */
    union {
        struct { uint32_t currency; struct text owner; } account_opened;
        struct { struct text member_id; enum member_role role; } member; /* member.set, member.removed (no role) */
        struct { struct text number, origin; } number;                   /* number.added, number.removed (no origin) */
        struct { struct text number, member_id; } assignment;            /* member.assigned, member.unassigned */
        struct { struct text number, actor; } toggle;                    /* international_enabled, _disabled */
        struct { struct text prefix, number, actor; } block; /* destination.*; number absent = the whole account */
        struct {
            bool enabled;
            struct amount amount;
            int64_t threshold_micros; /* account currency */
            uint32_t daily_limit;
            struct text actor;
        } auto_recharge;
        struct {
            struct text topup_id;
            struct amount amount;
            bool has_paid;
            struct amount paid; /* equals amount when !has_paid */
            struct text recharge_id; /* absent when not given */
        } topup;
        struct { struct text topup_id, reason; } reversal;
        struct { struct text recharge_id, reason; } recharge_failed;
        struct {
            struct text call_id, from, to, member_id; /* member_id absent if inbound and not given */
            enum call_direction direction;
        } call_started;
        struct { struct text call_id; int64_t duration_ms; } call_ticked;
        struct { struct text call_id; int64_t duration_ms; bool voicemail; } call_ended;
        struct { struct text message_id, from, to; } sms;
        struct {
            struct text deck_id;
            uint32_t currency;
            int64_t effective_at_ms;
            size_t origin_count;
            const struct deck_origin *origins;
        } deck_opened;
        struct { struct text deck_id; size_t count; const struct deck_rate *rates; } deck_rates;
        struct { struct text deck_id; int64_t rates; } deck_published;
        struct {
            uint32_t base;
            int64_t effective_at_ms;
            size_t count;
            const struct fx_rate *rates; /* ascending by currency code, no currency twice */
        } fx;
        struct {
            bool has_number[POLICY_NUMBER_COUNT];
            int64_t number[POLICY_NUMBER_COUNT];
            bool has_map[POLICY_MAP_COUNT];
            size_t map_count[POLICY_MAP_COUNT];
            const struct amount *map[POLICY_MAP_COUNT]; /* ascending by currency code */
        } policy;
    } data;
    /* clang-format on */
};

/* "call.started" for EVENT_CALL_STARTED: the type without TYPE_PREFIX. */
const char *event_type_name(enum event_type type);
/* Finds a type by its whole name, prefix included; false for an unknown one. */
bool event_type_of(struct text name, enum event_type *type);
const char *member_role_name(enum member_role role);
const char *call_direction_name(enum call_direction direction);
const char *rate_status_name(enum rate_status status);
const char *policy_number_name(enum policy_number number);
const char *policy_map_name(enum policy_map map);
/* True for the types written to every partition without a subject. */
bool event_is_broadcast(enum event_type type);

#endif
