/* files.h - the few things every writer of files here needs.
 *
 * Bytes written and read whole, directories made with their parents, a directory
 * synced so that a rename in it survives the machine, a lock, and the messages
 * that go with an errno. Faults land in a struct store_error.
 */
#ifndef CALLFOLD_SNAPSHOTS_FILES_H
#define CALLFOLD_SNAPSHOTS_FILES_H

#include "snapshots/store.h"

/* Fills *error and returns false. */
__attribute__((format(printf, 3, 4))) bool fail_with(struct store_error *error, int code, const char *format, ...);
/* The same for a system call: "cannot DO PATH: why; way out". A disk that is
 * full or broken is EX_IOERR, anything else (rights, a missing directory) is
 * EX_CONFIG. number: an errno. */
bool fail_with_errno(struct store_error *error, int number, const char *to_do, const char *path);

/* Writes all len bytes at the descriptor's place; false with errno set. */
bool write_whole(int fd, const void *bytes, size_t len);
/* A file's bytes, at most so many, and room for one more behind them; to be
 * freed. NULL with *error set: EX_NOINPUT when there is no such file, EX_DATAERR
 * when it is longer. */
char *read_whole(const char *path, size_t most, size_t *len, struct store_error *error);
/* An exclusive flock, waited for up to a second: who was killed a moment ago may
 * have left a child that has not closed its copy yet. False with errno set:
 * EWOULDBLOCK when somebody else holds it. */
bool lock_exclusively(int fd);
/* mkdir -p. */
bool make_directories(const char *path, struct store_error *error);
/* Removes a directory of plain files and all that is in it. One that is not
 * there is let be. */
bool remove_directory(const char *path, struct store_error *error);
/* fsync of a descriptor (a fail point: "fsync"); name is for the message. */
bool sync_file(int fd, const char *name, struct store_error *error);
/* fsync of a directory: makes renames and new files in it durable. */
bool sync_directory(const char *path, struct store_error *error);

#endif
