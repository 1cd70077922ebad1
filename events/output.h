/* output.h - what callfold says, typed: the outputs of one event.
 *
 * An output's id is <partition>:<offset>:<n>, n its place among all outputs of
 * the event that caused it. Texts are borrowed: from the event, from the state
 * or from the update that carries the output; they live until the next
 * fold_step. An absent text, or a false has_ flag, is a member that is not
 * written.
 */
#ifndef CALLFOLD_EVENTS_OUTPUT_H
#define CALLFOLD_EVENTS_OUTPUT_H

#include "events/event.h"

#define X(symbol, word) TOPIC_##symbol,
enum output_topic { OUTPUT_TOPICS(X) TOPIC_COUNT };
#undef X
#define X(symbol, word, topic) OUTPUT_##symbol,
enum output_type { OUTPUT_TYPES(X) OUTPUT_TYPE_COUNT };
#undef X
#define X(symbol, word) REJECT_##symbol,
enum reject_reason { REJECT_REASONS(X) REJECT_REASON_COUNT };
#undef X
#define X(symbol, word) DENIED_##symbol,
enum denial_reason { DENIAL_REASONS(X) DENIAL_REASON_COUNT };
#undef X
#define X(symbol, word) CUTOFF_##symbol,
enum cutoff_reason { CUTOFF_REASONS(X) CUTOFF_REASON_COUNT };
#undef X
#define X(symbol, word) NOTIFY_##symbol,
enum notify_kind { NOTIFY_KINDS(X) NOTIFY_KIND_COUNT };
#undef X
#define X(symbol, word) ENTRY_##symbol,
enum entry_kind { ENTRY_KINDS(X) ENTRY_KIND_COUNT };
#undef X
#define X(symbol, word) ENDED_BY_##symbol,
enum call_ending { CALL_ENDINGS(X) CALL_ENDING_COUNT };
#undef X

#define HASH_SIZE        32 /* SHA-256, bytes */
#define HASH_HEX         (2 * HASH_SIZE)
#define DIGEST_HEX       32 /* the state's 128-bit digest, hex digits */
#define POSTINGS_MAX     6
#define RAISED_MAX       1000  /* raised rates listed in ratedeck.accepted */
#define REJECT_BYTES_MAX 32768 /* of payload and of key, kept in a reject */

/* A side of a ledger entry. `prefix` is "customer:", "cash:" ...; the account's
 * name is prefix and name together. */
struct posting {
    const char *prefix;
    struct text name;
    int64_t micros;
    uint32_t currency;
};

struct raised_rate {
    struct text origin, prefix, destination;
    int64_t from_micros, to_micros; /* per minute, each deck's own currency */
};

struct output {
    enum output_type type;
    uint32_t n;          /* its place among the outputs of its event */
    struct text subject; /* absent where the output belongs to no account */
    /* clang-format off */
    union {
        struct {
            struct text call_id;
            bool charged, has_max_duration;
            struct text destination, prefix, deck_id; /* absent when no rate was looked up */
            bool has_price;
            int64_t price_micros; /* per minute, account currency */
            uint32_t currency;    /* with has_price */
            int64_t max_duration_ms;
        } authorized;
        struct { struct text call_id; enum denial_reason reason; struct text detail; } denied;
        struct { struct text call_id; int64_t at_duration_ms; enum cutoff_reason reason; uint32_t revision; } cutoff;
        struct { struct text call_id; uint32_t revision; } withdrawn;
        struct { struct amount amount; } recharge; /* recharge_id is the output's own id */
        struct { enum notify_kind kind; } notify;
        struct { struct text message_id; } sms_allowed;
        struct { struct text message_id; enum denial_reason reason; struct text detail; } sms_denied;
        struct {
            struct text deck_id;
            int64_t effective_at_ms, rates, raised_count;
            size_t raised_listed; /* min(raised_count, RAISED_MAX) */
            const struct raised_rate *raised;
        } deck_accepted;
        struct {
            int64_t entry;
            enum entry_kind kind;
            struct text account; /* also the subject */
            int64_t amount_micros, balance_micros;
            uint32_t currency;
            int32_t date;
            bool has_for_date;
            int32_t for_date;
            struct text reference;
            size_t posting_count;
            struct posting postings[POSTINGS_MAX];
            struct text line;
            char prev[HASH_HEX], hash[HASH_HEX]; /* hex, no NUL */
        } entry;
        struct {
            struct text call_id, from, to, member_id;
            enum call_direction direction;
            bool charged;
            struct text destination, prefix, deck_id;
            bool has_price;
            int64_t price_micros;
            bool has_fx;
            uint32_t fx_from, fx_to;
            int64_t fx_nanos;
            uint32_t currency;
            int64_t started_at_ms, ended_at_ms, duration_ms, billed_ms;
            int64_t amount_micros, uncollected_micros;
            bool voicemail;
            enum call_ending ended_by;
        } call;
        struct { int64_t balance_micros, available_micros, entry; uint32_t currency; } balance;
        struct {
            enum reject_reason reason;
            struct text detail;
            struct text payload, key; /* the whole record: size, SHA-256 and the first REJECT_BYTES_MAX are written */
        } rejected;
        struct {
            int64_t next_offset, entries, inputs;
            uint32_t fold_version;
            char chain[HASH_HEX], input[HASH_HEX], digest[DIGEST_HEX]; /* hex, no NUL */
        } attested;
    } data;
    /* clang-format on */
};

/* The outputs of one record, in order. */
struct output_list {
    uint32_t partition;
    int64_t offset;  /* of the record that caused them */
    int64_t time_ms; /* partition time */
    size_t count;
    const struct output *items;
};

const char *output_type_name(enum output_type type); /* without TYPE_PREFIX */
enum output_topic output_topic_of(enum output_type type);
const char *output_topic_name(enum output_topic topic); /* without TYPE_PREFIX */
const char *reject_reason_name(enum reject_reason reason);
const char *denial_reason_name(enum denial_reason reason);
const char *cutoff_reason_name(enum cutoff_reason reason);
const char *notify_kind_name(enum notify_kind kind);
const char *entry_kind_name(enum entry_kind kind);
const char *call_ending_name(enum call_ending ending);

#endif
