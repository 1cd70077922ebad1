/* state_view.h - a stored state, read for people.
 *
 * What the store holds is the state as of its last checkpoint; a processor may
 * be running meanwhile and be a few seconds further. A view is one read-only
 * transaction: whatever is read through it belongs together. Bodies of records
 * are copied out of the map, where they may stand at any address. A record that
 * is not whole is said to be damaged and passed over; closing the view tells.
 */
#ifndef CALLFOLD_PROCESSOR_STATE_VIEW_H
#define CALLFOLD_PROCESSOR_STATE_VIEW_H

#include "processor/fold/records.h"
#include "processor/fold/state.h"
#include "snapshots/store.h"

struct state_view {
    struct store *store;
    struct store_header header;
    struct partition_record partition; /* all zeros but time_ms before the first checkpoint */
    const char *dir;                   /* borrowed */
    bool is_damaged;                   /* a record was, and that was said */
};

/* Opens one partition of the state directory. EX_OK, or the exit code after a
 * message: EX_CONFIG for a state of another fold_version, what the store says
 * else. */
int state_view_open(struct state_view *view, const char *dir, uint32_t partition);
/* EX_OK, or EX_DATAERR after a message when what was read is damaged. */
int state_view_close(struct state_view *view);
/* The partitions in dir, ascending, into a malloc'd array. EX_CONFIG after a
 * message when there is none. */
int state_view_partitions(const char *dir, uint32_t **partitions, size_t *count);
/* Opens the partition that has the account. EX_DATAERR after a message when
 * none has. */
int state_view_open_account(struct state_view *view, const char *dir, struct text account,
                            struct account_record *record);

/* A record, copied. */
struct stored {
    struct text key;
    void *body; /* malloc'd; the key stands behind it */
    size_t len; /* of the body */
};
struct stored_list {
    struct stored *items; /* ascending by key */
    size_t count, capacity;
};
/* Copies the body of a record of a kind of one size into *body, which takes
 * `size` bytes; false when there is none. */
bool state_view_load(struct state_view *view, const struct key *key, void *body, size_t size);
/* All records whose key begins so; stored_free when done. */
struct stored_list state_view_list(struct state_view *view, const struct key *beginning);
/* Whether a record of a scan is whole (record_is_whole); says so when it is
 * the view's first that is not. body.at is aligned as malloc aligns. */
bool state_view_trusts(struct state_view *view, struct text key, struct text body);
void stored_free(struct stored_list *list);
/* The beginning of the keys of an account's records of a kind, or of a number's. */
struct key keys_of_account(enum record_kind kind, struct text account);
struct key keys_of_number(enum record_kind kind, struct text account, struct text number);

/* The deck of `decks` (a list of RECORD_DECK) that prices calls from an origin
 * at an instant (contract, section 4), NULL when none does; *index is the
 * origin's place in it. */
const struct deck_record *state_deck_in_force(const struct stored_list *decks, struct text origin, int64_t at_ms,
                                              uint16_t *index);
/* The fx record of `tables` (a list of RECORD_FX) that holds at an instant;
 * NULL when none does. */
const struct fx_record *state_fx_in_force(const struct stored_list *tables, int64_t at_ms);

#endif
