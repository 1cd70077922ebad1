/* witness.h - what has to be remembered of a history to explain one account of it.
 *
 * Show it every step. It judges what became of the event, notes where rate
 * decks, fx tables and policy were published, who set what in the account's
 * team, and keeps the account's figures as they were before the step: the fold
 * itself knows what holds, not who said so, where and when.
 *
 * Its size grows with decks, fx tables and the settings of one account.
 */
#ifndef CALLFOLD_REPLAY_TOOL_WITNESS_H
#define CALLFOLD_REPLAY_TOOL_WITNESS_H

#include "processor/fold/records.h"
#include "replay-tool/history.h"

/* A record of the log. */
struct place {
    uint32_t partition;
    int64_t offset; /* -1: before what was folded, or unknown */
    int64_t time_ms;
};
#define PLACE_NONE ((struct place){.offset = -1})

/* Short texts that outlive the step. */
#define NAME_SIZE 129 /* ids, numbers, destinations: words of the contract, and a NUL */
struct name {
    char at[NAME_SIZE];
};
struct name name_of(struct text text); /* absent: empty */
static inline bool name_is(const struct name *name, struct text text)
{
    return text_equal(text_of(name->at), text);
}

/* What became of a step's event. */
enum step_verdict { STEP_APPLIED, STEP_DUPLICATE, STEP_REJECTED };

/* A setting of the account that was applied. */
struct setting {
    enum event_type type;
    struct place place;
    struct name number, member, actor, prefix; /* those that the type has */
};

struct publication {
    struct name deck_id; /* of a deck; empty for an fx table */
    uint32_t partition, fx_seq;
    struct place place;
};

struct witness {
    struct name account; /* empty: no account's settings are kept */
    enum step_verdict verdict;
    bool has_account;
    struct account_record before; /* the account as it was before this step; all zeros until it is opened */
    struct account_record after;
    struct place policy[POLICY_NUMBER_COUNT + POLICY_MAP_COUNT]; /* where each member was last given, maps last */
    struct setting *settings;
    size_t setting_count, setting_capacity;
    struct publication *publications;
    size_t publication_count, publication_capacity;
    int64_t duplicates[PARTITIONS_MAX]; /* one more than a partition has counted; 0: not known yet */
};

/* Zero it to begin, with `account` set. */
void witness_free(struct witness *witness);
void witness_step(struct witness *witness, const struct history_step *step);

struct place step_place(const struct history_step *step);
/* Where a deck, or the fx table of this seq, was published. */
struct place witness_deck(const struct witness *witness, uint32_t partition, struct text deck_id);
struct place witness_fx(const struct witness *witness, uint32_t partition, uint32_t seq);
/* The last setting of one of two types about the number, and where member or prefix
 * is not absent about that; NULL when there was none. */
const struct setting *witness_setting(const struct witness *witness, enum event_type type, enum event_type other,
                                      struct text number, struct text member, struct text prefix);

#endif
