/* partition.h - one partition as the engine holds it: its fold and its store.
 *
 * Opening brings the stored state into memory, once it has proved itself: a
 * store that was not closed in good order must add up to its own digest, and
 * every stored state must stand where its header says. One that does not is
 * set aside. Without a state that can be gone on with, the newest snapshot that
 * fits is restored, if there are any to look for; else the partition is folded
 * from the first event. A checkpoint puts what has changed since the last one.
 */
#ifndef CALLFOLD_PROCESSOR_PARTITION_H
#define CALLFOLD_PROCESSOR_PARTITION_H

#include "processor/attested.h"
#include "processor/log.h"
#include "snapshots/changes.h"
#include "snapshots/signature.h"

/* Where partitions live. */
struct partition_places {
    const char *state;               /* the state's directory, locked by the caller */
    const char *snapshots;           /* where to look for snapshots; NULL: nowhere */
    const struct signature_key *key; /* they must be signed with; NULL: they need not */
    uint32_t partition_count;        /* 0 = not known */
};

struct partition {
    uint32_t number;
    struct fold *fold;
    struct store *store;
    struct store_header header; /* of the last checkpoint, be it on its way to the store */
    int64_t position;           /* where its last record folded ends */
    struct log_progress last;   /* the commit before this process; outputs up to there are published */
    bool is_caught_up;          /* the fold has been where that commit says, and agreed with it */
    int64_t duplicates_before;  /* those that the fold had counted by then */
    bool is_scratch;            /* its state need not survive the machine */
    struct attested attested;   /* what is folded again, against what was published */

    bool is_checkpointing;          /* between a checkpoint's take and its end: */
    struct changes changes;         /* what it took */
    bool is_stored;                 /* they are in the store; or else */
    struct store_error store_error; /* why not; EX_OK: they will be */
};

/* Opens (or makes) the partition that progress names. NULL on error. */
struct partition *partition_open(const struct partition_places *places, const struct log_progress *progress,
                                 struct store_error *error);
/* The same for a copy of a state that has proved itself, or a new one, that is
 * folded on for a while and thrown away: positions are offsets, nothing is
 * published. A state whose records do not fit together is an error (EX_DATAERR). */
struct partition *partition_open_scratch(const char *dir, uint32_t partition_count, uint32_t number,
                                         struct store_error *error);
/* Closes it as it is: what no checkpoint has is folded again. */
void partition_close(struct partition *partition);

/* Where the header says that the stored state stands. */
struct log_mark partition_mark(const struct partition *partition);

/* What a commit says of the partition now. */
void partition_progress(const struct partition *partition, struct log_progress *progress);

/* Duplicates among the records published by this process. */
int64_t partition_duplicates(const struct partition *partition);

/* Holds the fold against the commit before this process. */
bool partition_verify(struct partition *partition, struct store_error *error);

/* A checkpoint, in three steps, of which the second may be another thread's while
 * the partition is folded on.
 * take copies what has changed. mark: where the log stands. clean: this is the
 * last checkpoint of a process that ends in good order.
 * store puts it into the store.
 * end says how that went, and forgets what need not stay in memory. keep: records
 * that may stay though they could be loaded again. */
bool partition_checkpoint_take(struct partition *partition, const struct log_mark *mark, bool clean,
                               struct store_error *error);
void partition_checkpoint_store(struct partition *partition);
bool partition_checkpoint_end(struct partition *partition, size_t keep, struct store_error *error);
/* All three. */
bool partition_checkpoint(struct partition *partition, const struct log_mark *mark, bool clean, size_t keep,
                          struct store_error *error);

#endif
