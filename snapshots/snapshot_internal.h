/* snapshot_internal.h - what snapshot*.c share. */
#ifndef CALLFOLD_SNAPSHOTS_SNAPSHOT_INTERNAL_H
#define CALLFOLD_SNAPSHOTS_SNAPSHOT_INTERNAL_H

#include "snapshots/snapshot.h"

#define SIGNATURE_FILE "manifest.sig"
#define HIDDEN_NEW     ".new"  /* being made */
#define HIDDEN_GONE    ".gone" /* being removed */

/* The name of a snapshot of that offset, made then. */
void snapshot_name_make(int64_t next_offset, int64_t made_at_ms, struct snapshot_name *name);
int64_t snapshot_name_offset(const struct snapshot_name *name);
int64_t snapshot_name_time_ms(const struct snapshot_name *name);

/* DIR/partition-N/NAME, or DIR/partition-N while it has none; PATH_MAX bytes. */
void snapshot_path(char *path, const struct snapshot_place *place);

/* Takes the lock of DIR/partition-N, made when missing, and removes what a
 * crash left half done. The descriptor to close, or -1 with *error. */
int snapshot_lock(const char *dir, uint32_t partition, struct store_error *error);

/* Size and SHA-256 of what can be read from fd, which is written to `to` as
 * well unless that is -1. name and to_name are for messages. */
bool hash_file(int fd, const char *name, int to, const char *to_name, int64_t *size, char sha256[HASH_HEX],
               struct store_error *error);

#endif
