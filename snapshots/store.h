/* store.h - durable state of one partition: an LMDB environment.
 *
 * The store holds the fold's records (key -> body) as of one position in the
 * log, and a small header that says which. It is a cache of the log: what a
 * checkpoint did not reach is folded again. The only file that includes lmdb.h
 * is store.c. Layouts: FORMAT.md.
 *
 * Every function that can fail returns false and leaves a message for the
 * operator in *error; `code` there is a sysexits.h code: EX_DATAERR when the
 * environment is damaged.
 */
#ifndef CALLFOLD_SNAPSHOTS_STORE_H
#define CALLFOLD_SNAPSHOTS_STORE_H

#include "events/text.h"

struct store;

struct store_error {
    int code;           /* EX_IOERR, EX_CONFIG ... */
    char message[2048]; /* NUL-terminated; two attestations fit */
};

/* What a checkpoint says of itself. */
struct store_header {
    uint32_t fold_version;
    uint32_t partition;
    uint32_t partition_count; /* 0 = not known */
    uint32_t clean;           /* 1: closed in good order since the last checkpoint */
    int64_t next_offset;
    int64_t entries, inputs;
    int64_t source_position; /* embedded: bytes of the events file folded so far */
    int64_t source_lines;    /* embedded: lines of it */
    uint64_t source_check;   /* embedded: hash of the last line folded */
    char chain[64];          /* hex */
    char digest[32];         /* hex of the state's digest */
};

enum store_mode {
    STORE_READ_ONLY,
    STORE_READ_WRITE,
    STORE_READ_COPY, /* what nobody writes to: no table of readers is made beside it */
};

#define STORE_FILE "data.mdb" /* all of an environment, in its directory; what else is there is LMDB's passing own */

/* Opens (READ_WRITE: creates) DIR/partition-N. READ_WRITE expects that the
 * caller holds the lock of the state directory (state_lock). *header is all
 * zeros in a new store. NULL on error. */
struct store *store_open(const char *dir, uint32_t partition, enum store_mode mode, struct store_header *header,
                         struct store_error *error);
/* The same for an environment in any directory. */
struct store *store_open_at(const char *path, enum store_mode mode, struct store_header *header,
                            struct store_error *error);
void store_close(struct store *store);

/* A copy of DIR/partition-N as of one checkpoint, written to fd; name is that
 * of the copy, for messages. Another process may go on storing meanwhile; the
 * process that has it open itself must not ask. fd is not synced. */
bool store_copy(const char *dir, uint32_t partition, int fd, const char *name, struct store_error *error);

/* Loads one record; *body points into the map and is valid until the next
 * checkpoint or load. Signature fits struct fold_loader. */
bool store_load(void *store, struct text key, struct text *body);

/* False when a load or a scan so far met a damaged page, and so may have missed
 * a record: what came of it is worthless. Costs nothing; ask before trusting. */
bool store_is_sound(const struct store *store, struct store_error *error);

/* Calls visit for each record whose key begins with prefix, ascending; stops
 * when visit returns false. Returns false if visit did. */
typedef bool store_visit(void *context, struct text key, struct text body);
bool store_scan(struct store *store, struct text prefix, store_visit *visit, void *context);

/* A checkpoint: prepare; then begin, put or remove in ascending key order, and
 * commit with the header: all or nothing. sync: it survives the machine, not only
 * the process. Begin to commit may be another thread's than that which loads; what
 * they stored is loaded after renew. The map grows by itself; should it fill up
 * within one checkpoint, commit stores nothing and returns false with error->code
 * EX_OK: prepare doubles it, and the same is put again. */
bool store_prepare(struct store *store, struct store_error *error);
bool store_begin(struct store *store, struct store_error *error);
/* body absent = remove. Errors are kept for the commit. Fits fold_visit. */
void store_put(void *store, struct text key, struct text body);
bool store_commit(struct store *store, const struct store_header *header, bool sync, struct store_error *error);
void store_abort(struct store *store);
bool store_renew(struct store *store, struct store_error *error);

/* Sum mod 2^128 over all records, by a full scan, hex. */
void store_digest(struct store *store, char digest[32]);

/* DIR/partition-N into path, PATH_MAX bytes. */
void store_path(char *path, const char *dir, uint32_t partition);

/* Where the offsets that a state knows mean something: "cluster C group G", or
 * "" for a meter on files. Kept in DIR/kafka; read leaves "" when it is not there. */
#define HOME_SIZE 1024
bool state_home_read(const char *dir, char home[HOME_SIZE], struct store_error *error);
bool state_home_write(const char *dir, const char *home, struct store_error *error);

/* An exclusive lock on the state directory (created when missing); the
 * descriptor, or -1 with *error set (a second process: EX_TEMPFAIL is not a
 * contract code, so EX_CONFIG, naming the pid that holds it). Closing the
 * descriptor, or the process's end, unlocks. */
int state_lock(const char *dir, struct store_error *error);
/* Removes DIR/partition-N, which nobody has open. One that is not there is let be. */
bool store_remove(const char *dir, uint32_t partition, struct store_error *error);
/* The partitions that have a store in dir, ascending, into a malloc'd array. */
size_t store_partitions(const char *dir, uint32_t **partitions);

#endif
