/* snapshot.h - copies of partitions that can be trusted, and what is done with them.
 *
 *     DIR/partition-N/NEXT_OFFSET-TIME/data.mdb        the copied store
 *                                      manifest.json   what it is (manifest.h)
 *                                      manifest.sig    who made it, if it was signed (signature.h)
 *     DIR/partition-N/lock                             held by whoever makes or removes some
 *
 * A snapshot is made under another name, synced, and renamed when it is whole;
 * removing begins with a rename too. What a crash leaves half done has a name
 * that begins with a dot: it is never listed, and goes when the next snapshot
 * of the partition is made or removed.
 *
 * A snapshot verifies when its name, its files' sizes and SHA-256, the copied
 * store's header, the digest of its records by a full scan and its counts all
 * are what the manifest says, and, where a public key is asked for, when the
 * manifest is signed with it. Restoring checks all that on the bytes that it
 * has copied, so that what was checked is what is used.
 *
 * EX_DATAERR in *error: it does not verify.
 */
#ifndef CALLFOLD_SNAPSHOTS_SNAPSHOT_H
#define CALLFOLD_SNAPSHOTS_SNAPSHOT_H

#include "snapshots/manifest.h"
#include "snapshots/signature.h"

#define SNAPSHOT_NAME_SIZE 64
#define MANIFEST_FILE      "manifest.json" /* beside a copied store, and nowhere else */

struct snapshot_name {
    char text[SNAPSHOT_NAME_SIZE]; /* "00000000000000001234-20261127T134012.345Z" */
};

/* Where one is. Borrows its texts. */
struct snapshot_place {
    const char *dir;
    uint32_t partition;
    const char *name; /* NULL where it is to be made */
};

/* ms since 1970, by the clock of the machine: what "made at" and ages are. */
int64_t wall_clock_ms(void);

/* Those of a partition, the oldest (the lowest offset) first; malloc'd. */
size_t snapshot_names(const char *dir, uint32_t partition, struct snapshot_name **names);

/* Reads the manifest and holds it against the name and, if key is given, the
 * signature. The copied store itself is not looked at. is_signed may be NULL. */
bool snapshot_read(const struct snapshot_place *place, const struct signature_key *key, struct manifest *manifest,
                   bool *is_signed, struct store_error *error);

/* EX_NOINPUT: nothing was stored yet. */
enum snapshot_outcome { SNAPSHOT_MADE, SNAPSHOT_KNOWN, SNAPSHOT_FAILED };
/* Copies the partition of the state directory as of its last checkpoint; key:
 * NULL, or what to sign with. KNOWN: there is one of just that state, and
 * *name and *manifest are its. */
enum snapshot_outcome snapshot_create(const char *state, const struct snapshot_place *place,
                                      const struct signature_key *key, struct snapshot_name *name,
                                      struct manifest *manifest, struct store_error *error);

bool snapshot_verify(const struct snapshot_place *place, const struct signature_key *key, struct manifest *manifest,
                     struct store_error *error);

/* Puts a partition into a state directory whose lock the caller holds. One
 * that is there is refused (EX_CONFIG), or with replace set aside. The state
 * directory's home becomes the snapshot's, or must be it. */
bool snapshot_restore(const struct snapshot_place *place, const struct signature_key *key, const char *state,
                      bool replace, struct manifest *manifest, struct store_error *error);

/* The log that a state shall go on with. */
struct snapshot_log {
    const char *home; /* as state_home_read gives it */
    uint32_t partition_count;
    int64_t position; /* of its last commit: a snapshot ahead of it is of no use */
};
/* Restores the newest snapshot of a partition that verifies and, unless log is
 * NULL, fits that log; *name says which. Each one that is passed over is told
 * of, with why. One made under another home, number of partitions or version of
 * the fold is no accident: EX_CONFIG. EX_NOINPUT: there is none to restore. */
typedef void snapshot_passed_over(const struct snapshot_place *place, const char *why);
bool snapshot_restore_newest(const struct snapshot_place *folder, const struct signature_key *key,
                             const struct snapshot_log *log, const char *state, bool replace,
                             snapshot_passed_over *passed_over, struct snapshot_name *name, struct manifest *manifest,
                             struct store_error *error);

/* Which ones may stay: the newest `count`, and those younger than age_ms at
 * now_ms. Either below zero: not asked for. */
struct snapshot_keep {
    int64_t count, age_ms, now_ms;
};
/* Removes the others, but never the last one that verifies: while none of
 * those that stay does, the newest that does stays too. known_good: the name
 * of one that need not be verified again, or NULL. removed(context, name) is
 * told of each. */
typedef void snapshot_told(void *context, const struct snapshot_place *place);
bool snapshot_prune(const char *dir, uint32_t partition, const struct snapshot_keep *keep,
                    const struct signature_key *key, const char *known_good, snapshot_told *removed, void *context,
                    struct store_error *error);

#endif
