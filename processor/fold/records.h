/* records.h - the records that the state is made of, byte for byte.
 *
 * A record's body in memory is its body in the store: fixed-width little-endian
 * integers, every padding byte named and zero, followed where noted by strings
 * without terminators, back to back in the order of their lengths. A change of
 * anything here raises FOLD_VERSION. snapshots/FORMAT.md draws the same layouts.
 *
 * Keys: the kind's byte, then ids separated by NUL (which no id contains), so
 * that an account's records of a kind are neighbours; numbers in keys are big
 * endian, so that they sort.
 *
 *     P                               the partition
 *     Y                               policy
 *     F <seq:4>                       an fx table
 *     D <deck_no:4>                   a rate deck
 *     R <deck_no:4> <origin:2> digits a rate; origin = its index in the deck
 *     G account                       the recharge in flight
 *     L account NUL call              a live call
 *     A account                       an account
 *     M account NUL member            a member of its team
 *     N account NUL number            a number
 *     S account NUL number NUL member an assignment
 *     B account NUL number NUL digits a destination block; number may be empty
 *     T account NUL topup             a top-up
 *     C account NUL call              a closed or denied call
 *     E queue <seq:8>                 what is to be forgotten next; queue 'C' or 'D'
 *
 * Instants and durations are ms, amounts micros; currencies packed codes. A
 * `time_ms` of a setting is the event time of its last change, TIME_NEVER if none.
 */
#ifndef CALLFOLD_PROCESSOR_FOLD_RECORDS_H
#define CALLFOLD_PROCESSOR_FOLD_RECORDS_H

#include "events/event.h"
#include "events/output.h"
#include "events/phone.h"
#include "processor/fold/fold.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "record bodies are stored little endian, as they are in memory");

#define TIME_NEVER INT64_MIN
#define NO_LIMIT   (-1) /* limit_ms of a call that may go on */
#define DAY_NEVER  INT32_MIN

/* 128-bit hash of a fact's known members: "the same fact" without keeping it. */
struct contents {
    uint64_t half[2];
};

struct expiry_queue {
    int64_t head, tail;   /* sequence numbers: [head, tail) are stored */
    int64_t head_time_ms; /* partition time of the head; meaningless when empty */
    int64_t forgotten_ms; /* what was closed at or before this partition time is forgotten */
};
enum { EXPIRY_CLOSED, EXPIRY_DENIED, EXPIRY_QUEUES };

struct partition_record {
    int64_t next_offset, inputs, entries, duplicates;
    int64_t time_ms;      /* partition time, TIME_NEVER before the first event */
    int64_t clock_ms;     /* the second clock */
    int64_t timestamp_ms; /* of the last record that had one, TIME_NEVER if none */
    int64_t minute;       /* of the last attestation by time */
    int64_t live_calls;
    struct expiry_queue expiry[EXPIRY_QUEUES];
    uint32_t next_deck_no, next_fx_seq, next_publication;
    int32_t final_day;    /* the latest that was final under an earlier policy, DAY_NEVER if none */
    char chain[HASH_HEX]; /* hex */
    uint8_t attested_input[HASH_SIZE];
    uint8_t input_state[112]; /* SHA-256 since the last attestation, OpenSSL's SHA256_CTX */
    int64_t events[EVENT_TYPE_COUNT];
    int64_t rejects[REJECT_REASON_COUNT];
};

/* An amount in a list. */
struct amount_record {
    int64_t micros;
    uint32_t currency, zero;
};

struct policy_record {
    int64_t number[POLICY_NUMBER_COUNT];
    int64_t number_time_ms[POLICY_NUMBER_COUNT];
    int64_t map_time_ms[POLICY_MAP_COUNT];
    uint32_t map_count[POLICY_MAP_COUNT];
    uint32_t version, zero;      /* raised when a value changes */
    struct amount_record maps[]; /* the maps one after the other, each ascending by currency */
};

struct fx_record {
    int64_t effective_at_ms;
    uint32_t seq, base, count, zero;
    struct amount_record rates[]; /* nanos in `micros`; ascending by currency */
};

struct origin_record {
    char name[ID_MAX];
    char country[2];
    uint8_t name_len, zero;
    uint32_t currency;
};

struct deck_record {
    int64_t effective_at_ms;
    int64_t rate_count;
    uint32_t deck_no, currency;
    uint32_t publication; /* order of publication, from 1; 0 = not published */
    uint32_t origin_count;
    char id[ID_MAX];
    uint8_t id_len, spoilt, zero[6];
    struct origin_record origins[];
};

struct rate_record {
    int64_t price_micros, connect_micros; /* deck currency */
    uint32_t first_s, step_s;
    uint8_t status, domestic; /* enum rate_status; 0 or 1 */
    uint8_t destination_len, kind_len;
    uint8_t zero[4];
    char strings[]; /* destination kind */
};

struct recharge_record {
    int64_t clock_ms;   /* the second clock at the command */
    int64_t timeout_ms; /* as policy had it at the account's last event */
    int64_t offset;     /* of the event that caused the command: its id is */
    uint32_t n;         /* <partition>:<offset>:<n> */
    uint32_t zero;
};

/* How a call is charged. */
enum charging { CHARGING_CREDITS, CHARGING_FREE, CHARGING_DOMESTIC, CHARGING_INBOUND };

struct call_record {
    /* What reports and limits move: CALL_MOVING bytes. */
    int64_t last_time_ms;     /* latest event time of start, ticks and end */
    int64_t last_clock_ms;    /* the second clock at the last sign of life */
    int64_t duration_ms;      /* last reported */
    int64_t limit_ms;         /* NO_LIMIT or the talk time at which it is cut off */
    int64_t charged_micros;   /* cost(min(duration, limit)) */
    int64_t posted_micros;    /* of that, in the ledger already */
    int64_t committed_micros; /* its term in the account's sum of commitments */
    uint32_t revision;        /* of the last cutoff said, 0 = none */
    uint8_t limit_reason;
    uint8_t zero[3];
    /* What stands from the start on. */
    int64_t price_micros, connect_micros; /* account currency */
    uint32_t first_s, step_s;
    uint8_t charging, direction, from_len, to_len, member_len, destination_len, prefix_len, deck_len;
    int64_t start_offset; /* of call.started: the order of calls */
    int64_t started_at_ms;
    int64_t fx_nanos; /* 0: deck and account have one currency */
    uint32_t fx_from; /* the deck's currency */
    uint32_t none;    /* zero */
    struct contents contents;
    char strings[]; /* from to member destination prefix deck */
};
#define CALL_MOVING 64

enum {
    ACCOUNT_EXHAUSTED = 1, /* told, until the next top-up */
    ACCOUNT_LOW = 2,       /* told, until a top-up above low_credits */
    ACCOUNT_RECHARGE_ENABLED = 4,
    ACCOUNT_RECHARGE_SUSPENDED = 8,
    ACCOUNT_RECHARGE_WAITING = 16, /* after a failure, until a call reaches step 8 */
};

struct account_record {
    /* What every tick needs stands together. */
    int64_t posted_micros;           /* the balance: what the ledger says */
    int64_t accrued_micros;          /* sum over live calls: charged - posted */
    int64_t held_micros;             /* sum of what is charged or granted and not posted */
    int64_t committed_micros;        /* sum of commitments: held, and the horizon of calls without a limit */
    int64_t spent_micros[2];         /* charges of spent_day and of the day before it */
    int64_t horizon_ms, max_call_ms; /* as policy had them at the account's last event */
    uint32_t policy_version, currency;
    uint32_t unfrozen_calls; /* charged, with no limit or one for credits or max_duration */
    uint32_t limited_calls;  /* charged, with a limit for lack of credits */
    int32_t spent_day;
    uint8_t flags, recharge_failures;
    uint16_t block_lengths;             /* bit n: a prefix of n digits has been blocked account-wide */
    uint32_t live_calls, charged_calls; /* now live; of those, charged */
    int64_t stale_after_ms;             /* as policy had it, likewise */
    int64_t recharge_micros, threshold_micros, recharge_time_ms;
    uint32_t recharge_currency, recharge_daily_limit;
    uint32_t recharge_commands;               /* on recharge_day */
    int32_t recharge_day, recharge_limit_day; /* the latter: when recharge_limit_reached was told */
    uint8_t zero[4];
    struct contents contents;
    struct contents recharge_contents; /* of the last auto_recharge.configured */
};

struct member_record {
    int64_t time_ms, removed_at_ms;
    uint32_t generation; /* raised by each removal */
    uint8_t role, present, zero[2];
};

struct number_record {
    int64_t time_ms, removed_at_ms;
    int64_t toggle_time_ms;
    uint32_t generation;
    uint16_t block_lengths;
    uint8_t present, international;
    uint8_t origin_len, zero[7];
    char origin[ID_MAX];
};

/* A setting that belongs to a number, a member or both: it counts only while
 * theirs is the generation it was made under. */
struct assignment_record {
    int64_t time_ms;
    uint32_t number_generation, member_generation;
    uint8_t assigned, zero[7];
};

struct block_record {
    int64_t time_ms;
    uint32_t number_generation; /* 0 for an account-wide block */
    uint8_t blocked, zero[3];
};

enum { TOPUP_PAID_BY_RECHARGE = 1, TOPUP_REVERSED = 2 };

struct topup_record {
    struct contents contents, reversal;
    int64_t granted_micros; /* account currency */
    int64_t paid_micros;
    uint32_t paid_currency, flags;
};

enum closing { CLOSED_DENIED, CLOSED_ENDED, CLOSED_STALE };

struct closed_call_record {
    struct contents contents;
    int64_t closed_at_ms; /* partition time */
    int64_t duration_ms;
    uint8_t closing, zero[7];
    char call[]; /* CLOSED_STALE: the call_record as it was, for a late end */
};

struct expiry_record {
    int64_t time_ms;
    char key[]; /* of the C record */
};

/* Readers of records, for the fold and for who shows the state: pure functions
 * over bodies, so that what a record means is said once. Texts borrow from the
 * body or the key. */

/* False for a body that no fold has written: of another size than its fixed
 * part, counts and lengths add up to, or with a length or a word out of its
 * range. body.at is aligned as malloc aligns. A partition's and an account's
 * figures are not judged; the digest does that. */
bool record_is_whole(enum record_kind kind, struct text body);

enum call_string { CALL_FROM, CALL_TO, CALL_MEMBER, CALL_DESTINATION, CALL_PREFIX, CALL_DECK, CALL_STRING_COUNT };
struct text call_string(const struct call_record *call, enum call_string which);
struct text rate_destination(const struct rate_record *rate);
struct text rate_kind(const struct rate_record *rate);
struct text number_origin(const struct number_record *number);
/* The n-th (0 = the first) NUL-separated part of a key behind its kind byte. */
struct text record_key_part(struct text key, int n);

struct text deck_id(const struct deck_record *deck);
/* The name of the deck's origin at an index; index < origin_count. */
struct text deck_origin(const struct deck_record *deck, uint16_t index);
/* Finds the index of an origin; *index is untouched when the deck lacks it. */
bool deck_origin_index(const struct deck_record *deck, struct text origin, uint16_t *index);
/* Of two published decks: whether a counts before b where both are in force
 * (contract, section 4: the later effective_at, then the later published). */
bool deck_is_later(const struct deck_record *a, const struct deck_record *b);
/* Whether the deck is published, in force at the instant, and has the origin,
 * whose index then goes to *index. The latest such deck prices a call. */
bool deck_covers(const struct deck_record *deck, struct text origin, int64_t at_ms, uint16_t *index);

/* The size of a table of so many rates; and a table filled, but for its seq,
 * with what an fx.published says. */
size_t fx_record_size(size_t count);
void fx_fill(struct fx_record *table, const struct event *event);
/* Of two fx tables: whether a counts before b where both are in force. */
bool fx_is_later(const struct fx_record *a, const struct fx_record *b);
/* What one `from` costs in `to` as *numerator / *denominator, cross rates
 * through the base; false when the table lacks one of them. One currency is
 * 1/1 even without a table (NULL). */
bool fx_ratio_of(const struct fx_record *table, uint32_t from, uint32_t to, int64_t *numerator, int64_t *denominator);

/* Whether the member may call from the number: assigned, and neither of them
 * removed since. */
bool assignment_holds(const struct assignment_record *assignment, const struct number_record *number,
                      const struct member_record *member);
/* number: the one the block is for, NULL for the whole account's. */
bool block_holds(const struct block_record *block, const struct number_record *number);

#endif
