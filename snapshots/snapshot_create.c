/* snapshot_create.c - making one; see snapshot.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/fail_point.h"
#include "snapshots/files.h"
#include "snapshots/snapshot_internal.h"

struct creation {
    const char *state;
    const struct snapshot_place *place;
    const struct signature_key *key;
    struct manifest *manifest;
    struct store_error *error;
    char folder[PATH_MAX]; /* DIR/partition-N */
    char hidden[PATH_MAX]; /* where it is put together */
};

/* What the state says of itself now. */
static bool read_header(const struct creation *creation, struct store_header *header)
{
    struct store *store =
        store_open(creation->state, creation->place->partition, STORE_READ_ONLY, header, creation->error);
    if (store == NULL)
        return false;
    store_close(store);
    return header->fold_version != 0 ||
           fail_with(creation->error, EX_NOINPUT, "partition %" PRIu32 " in %s has no checkpoint yet",
                     creation->place->partition, creation->state);
}

/* Is there one of this very state? */
static bool is_known(const struct creation *creation, const struct store_header *header, struct snapshot_name *name)
{
    struct store_error error;
    struct snapshot_name *names;
    const struct manifest *manifest = creation->manifest;
    bool is_found = false;
    size_t count = snapshot_names(creation->place->dir, creation->place->partition, &names);
    for (size_t i = 0; i < count && !is_found; i++) {
        const struct snapshot_place place = {creation->place->dir, creation->place->partition, names[i].text};
        is_found = snapshot_name_offset(&names[i]) == header->next_offset &&
                   snapshot_read(&place, creation->key, creation->manifest, NULL, &error) &&
                   memcmp(manifest->stock.header.digest, header->digest, sizeof header->digest) == 0;
        *name = names[i];
    }
    free(names);
    return is_found;
}

static int open_new(const char *path, struct store_error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        fail_with_errno(error, errno, "make", path);
    return fd;
}

/* The scan goes on in a child while the bytes are synced and hashed here. */
static bool describe(struct creation *creation, int fd, const char *copy)
{
    struct stocktaking taking;
    struct manifest *manifest = creation->manifest;
    manifest->made_at_ms = wall_clock_ms();
    stock_begin(&taking, creation->hidden);
    bool done = sync_file(fd, copy, creation->error) &&
                (lseek(fd, 0, SEEK_SET) == 0 || fail_with_errno(creation->error, errno, "read", copy)) &&
                hash_file(fd, copy, -1, NULL, &manifest->size, manifest->sha256, creation->error);
    struct store_error fault;
    bool taken = stock_end(&taking, &manifest->stock, &fault);
    if (done && !taken)
        *creation->error = fault;
    return done && taken;
}

static bool copy_store(struct creation *creation)
{
    char copy[PATH_MAX + 16];
    snprintf(copy, sizeof copy, "%s/" STORE_FILE, creation->hidden);
    int fd = open_new(copy, creation->error);
    if (fd < 0)
        return false;
    bool done = store_copy(creation->state, creation->place->partition, fd, copy, creation->error);
    FAIL_POINT("snapshot-copied");
    done = done && describe(creation, fd, copy);
    close(fd);
    return done;
}

static bool write_file(const struct creation *creation, const char *name, const void *bytes, size_t len)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/%s", creation->hidden, name);
    int fd = open_new(path, creation->error);
    if (fd < 0)
        return false;
    bool done = (write_whole(fd, bytes, len) || fail_with_errno(creation->error, errno, "write", path)) &&
                sync_file(fd, path, creation->error);
    close(fd);
    return done;
}

static bool write_manifest(const struct creation *creation)
{
    uint8_t signature[SIGNATURE_SIZE];
    char *text = manifest_encode(creation->manifest);
    bool done = write_file(creation, MANIFEST_FILE, text, strlen(text));
    FAIL_POINT("snapshot-described");
    if (done && creation->key != NULL)
        done = signature_make(creation->key, text_of(text), signature, creation->error) &&
               write_file(creation, SIGNATURE_FILE, signature, sizeof signature);
    free(text);
    return done;
}

/* From here on it is there. */
static bool publish(const struct creation *creation, struct snapshot_name *name)
{
    char path[PATH_MAX];
    const struct snapshot_place place = {creation->place->dir, creation->place->partition, name->text};
    snapshot_name_make(creation->manifest->stock.header.next_offset, creation->manifest->made_at_ms, name);
    snapshot_path(path, &place);
    if (!sync_directory(creation->hidden, creation->error))
        return false;
    FAIL_POINT("snapshot-complete");
    if (rename(creation->hidden, path) != 0)
        return fail_with_errno(creation->error, errno, "name the new snapshot", path);
    FAIL_POINT("snapshot-named");
    return sync_directory(creation->folder, creation->error);
}

static bool make(struct creation *creation, struct snapshot_name *name)
{
    if (mkdir(creation->hidden, 0777) != 0)
        return fail_with_errno(creation->error, errno, "make the directory", creation->hidden);
    bool made = state_home_read(creation->state, creation->manifest->home, creation->error) && copy_store(creation) &&
                write_manifest(creation) && publish(creation, name);
    struct store_error ignored; /* why it failed is what is to be said */
    if (!made)
        remove_directory(creation->hidden, &ignored);
    return made;
}

static enum snapshot_outcome create(struct creation *creation, struct snapshot_name *name)
{
    struct store_header header;
    if (!read_header(creation, &header))
        return SNAPSHOT_FAILED;
    if (is_known(creation, &header, name))
        return SNAPSHOT_KNOWN;
    *creation->manifest = (struct manifest){0};
    return make(creation, name) ? SNAPSHOT_MADE : SNAPSHOT_FAILED;
}

enum snapshot_outcome snapshot_create(const char *state, const struct snapshot_place *place,
                                      const struct signature_key *key, struct snapshot_name *name,
                                      struct manifest *manifest, struct store_error *error)
{
    struct creation creation = {.state = state, .place = place, .key = key, .manifest = manifest, .error = error};
    int lock = snapshot_lock(place->dir, place->partition, error);
    if (lock < 0)
        return SNAPSHOT_FAILED;
    store_path(creation.folder, place->dir, place->partition);
    snprintf(creation.hidden, sizeof creation.hidden, "%.*s/" HIDDEN_NEW, PATH_MAX - 16, creation.folder);
    enum snapshot_outcome outcome = create(&creation, name);
    close(lock);
    return outcome;
}
