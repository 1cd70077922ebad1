/* fold.h - the meter: one record of the log in, its outputs out.
 *
 * A struct fold is all that callfold knows of one partition. fold_step is the
 * only way to change it, and it is pure: it opens no file, reads no clock and
 * no environment, never blocks and never fails for its input's sake (bad input
 * becomes an event.rejected). The same records in the same order give the same
 * outputs and the same digest, whatever was in memory at the time.
 *
 * The state is a set of records, each a key and a body of bytes (layouts:
 * snapshots/FORMAT.md). A record that is not in memory is asked for through
 * the loader; changed records are handed out by fold_dirty and forgotten by
 * fold_clean once they are stored. Of some kinds every record is in memory
 * always (live calls, recharges in flight, rate decks, fx, policy, the partition itself); they
 * are fed back by fold_restore when a stored state is opened.
 */
#ifndef CALLFOLD_PROCESSOR_FOLD_FOLD_H
#define CALLFOLD_PROCESSOR_FOLD_FOLD_H

#include "events/decode.h"
#include "events/event.h"
#include "events/output.h"
#include "processor/fold/charge.h"

/* Raised by one whenever the same input could give other outputs or state. */
#define FOLD_VERSION 2

/* Record kinds: the first byte of a record's key. */
enum record_kind {
    RECORD_PARTITION = 'P',
    RECORD_POLICY = 'Y',
    RECORD_FX = 'F',
    RECORD_DECK = 'D',
    RECORD_RATE = 'R',
    RECORD_RECHARGE = 'G',
    RECORD_LIVE_CALL = 'L',
    RECORD_ACCOUNT = 'A',
    RECORD_MEMBER = 'M',
    RECORD_NUMBER = 'N',
    RECORD_ASSIGNMENT = 'S',
    RECORD_BLOCK = 'B',
    RECORD_TOPUP = 'T',
    RECORD_CLOSED_CALL = 'C',
    RECORD_EXPIRY = 'E',
};
/* The kinds that are always in memory, in the order fold_restore wants them. */
#define RESIDENT_KINDS "PYFDRGL"
#define RECORD_KEY_MAX 256

/* A read-only view of the stored state. */
struct fold_loader {
    /* Finds the body stored under key; true and *body set (valid until the
     * next call), or false when there is none. */
    bool (*load)(void *context, struct text key, struct text *body);
    void *context;
};

/* One record of the log. */
struct fold_record {
    int64_t offset;
    bool has_timestamp;   /* false in a file of bare events */
    int64_t timestamp_ms; /* the log's own, 0 without one */
    bool has_key;         /* a bare line has no key to compare the subject with */
    struct text key;      /* absent (null) or bytes */
    struct text value;
    const struct fold_hint *hint; /* NULL, or what fold_expect said of its event */
};

struct fold;

/* partition_count 0: not known, so the account's partition is not checked.
 * The loader is copied; loader may be NULL when nothing is stored. Never NULL. */
struct fold *fold_new(uint32_t partition, uint32_t partition_count, const struct fold_loader *loader);
void fold_free(struct fold *fold);

/* Folds one record. event is what event_decode gave, or NULL with error set.
 * The outputs and all they point to live until the next call. */
void fold_step(struct fold *fold, const struct fold_record *record, const struct event *event,
               const struct decode_error *error, struct output_list *outputs);

/* The fold's time goes to memory that is far away. Whoever knows the events to
 * come says so in three steps, each some events before the next and the last
 * some before the event's own fold_step: what it will touch is then near. That
 * changes nothing but the time it takes. */
#define HINT_HASHES 6
struct fold_hint {
    bool is_report; /* of a live call, whose key's hash is the first */
    uint8_t count;
    uint64_t hashes[HINT_HASHES]; /* of the keys that the event will look for */
};
void fold_expect(const struct fold *fold, const struct event *event, struct fold_hint *hint);
void fold_expect_call(const struct fold *fold, const struct fold_hint *hint);
void fold_expect_account(const struct fold *fold, const struct fold_hint *hint);

/* True when a broken invariant was found; what says which. Nothing that the
 * last fold_step gave may be published. */
bool fold_is_broken(const struct fold *fold, const char **what);

/* Where the fold stands. */
struct fold_position {
    int64_t next_offset, entries, inputs;
    int64_t time_ms;      /* partition time; 0 before the first event */
    int64_t timestamp_ms; /* the last record's; 0 without one */
    int64_t clock_ms;     /* the second clock */
    int32_t final_day;    /* the last UTC day whose ledger is final; INT32_MIN if none is */
    char chain[HASH_HEX]; /* hex, no NUL */
};
void fold_position(const struct fold *fold, struct fold_position *position);
/* What the second clock takes at most of the step from one record's timestamp to the next. */
#define CLOCK_STEP_MS 60000
/* ms that the second clock has to go until a call goes stale or a recharge times
 * out, above zero; INT64_MAX while neither can. Looks up late ticks that the
 * fold had put off looking at, and changes nothing that can be seen. */
int64_t fold_next_deadline(struct fold *fold);
/* Brings the digest up to date and writes it as hex, no NUL. */
void fold_digest(struct fold *fold, char digest[DIGEST_HEX]);

/* The partition time that fold_step would leave; INT64_MIN before the first event. */
int64_t fold_time_after(const struct fold *fold, const struct fold_record *record, const struct event *event);
/* A record of the state as it is now, for who explains it: the body under a key
 * (records.h), in place until the next fold_step or fold_evict; false when there
 * is none. */
bool fold_find(struct fold *fold, struct text key, struct text *body);

/* What the state has a call.started charged by, for who explains it; found by the
 * functions that judge the call. The records are in place as fold_find's are. */
struct fold_quote {
    const struct number_record *number; /* NULL: `from` is not a number of the account, and all else is unset */
    const struct deck_record *deck;     /* NULL: none is in force for the number's origin */
    const struct rate_record *rate;     /* NULL: the deck has no prefix for `to` */
    struct text prefix;                 /* of `to`, "+" included */
    const struct fx_record *fx;         /* the table in force; NULL: none, or not needed */
    bool is_priced;                     /* false without an exchange rate, or without a rate that is open */
    struct tariff tariff;
};
/* started: a call.started of an account that there is, outbound. */
void fold_quote(struct fold *fold, const struct event *started, struct fold_quote *quote);
/* The fx table in force at an instant: the latest effective_at not after it, then
 * the later published; NULL when there is none. */
const struct fx_record *fold_fx(struct fold *fold, int64_t at_ms);

/* Figures for status and metrics. */
struct fold_counts {
    int64_t events[EVENT_TYPE_COUNT], rejects[REJECT_REASON_COUNT];
    int64_t duplicates, live_calls, records_in_memory;
};
void fold_counts(const struct fold *fold, struct fold_counts *counts);

/* Hands every record that changed since the last time to visit, in no order;
 * body absent = deleted. Of resident kinds those that came and went meanwhile are
 * left out. Both texts are valid during the call only. Until fold_clean says that
 * all of them are stored, the loader is not asked for them; the fold may go on
 * meanwhile, but not hand out or forget more. */
typedef void fold_visit(void *context, struct text key, struct text body);
void fold_dirty(struct fold *fold, fold_visit *visit, void *context);
/* All that fold_dirty handed out is stored, and the loader gives it. */
void fold_clean(struct fold *fold);
/* Forgets records that can be loaded again as they are until at most keep remain
 * that could be forgotten; after fold_clean. */
void fold_evict(struct fold *fold, size_t keep);

/* Opening a stored state: fold_restore for every stored record of the
 * RESIDENT_KINDS, kind by kind in that order, each kind in the order of its keys,
 * then fold_restored once (not for a new state). False when the records do not
 * fit together (a damaged or foreign state). */
bool fold_restore(struct fold *fold, struct text key, struct text body);
/* digest: the whole stored state's, as fold_digest gave it at the checkpoint. */
bool fold_restored(struct fold *fold, const char digest[DIGEST_HEX]);

/* For whoever recomputes the digest by a full scan: it is the sum, mod 2^128,
 * of every record's hash, least significant half first, written as 32 hex
 * digits, most significant first. A live call's is the sum of two: of what moves
 * and of what stands from its start on. */
void fold_record_hash(struct text key, struct text body, uint64_t hash[2]);
void fold_digest_add(uint64_t sum[2], const uint64_t hash[2]);
void fold_digest_format(const uint64_t sum[2], char digest[DIGEST_HEX]);

#endif
