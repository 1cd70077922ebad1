/* snapshot_restore.c - holding a snapshot against its manifest, where it stands
 * or while it is brought into a state directory; see snapshot.h. */
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

/* Size and hash first: what does not even have those is not worth opening. */
static bool check_hash(const struct manifest *manifest, const struct manifest *found, const char *name,
                       struct store_error *error)
{
    struct manifest hashed = *manifest;
    hashed.size = found->size;
    memcpy(hashed.sha256, found->sha256, sizeof hashed.sha256);
    return manifest_agrees(manifest, &hashed, name, error);
}

static bool check_version(const struct manifest *manifest, const char *name, struct store_error *error)
{
    uint32_t version = manifest->stock.header.fold_version;
    return version == FOLD_VERSION ||
           fail_with(error, EX_CONFIG,
                     "%s was folded by version %" PRIu32
                     " of the rules, this program knows version %d: use the callfold-snapshot that made it",
                     name, version, FOLD_VERSION);
}

/* What cannot be opened is not what the manifest says, whatever LMDB calls it. */
static bool count_copy(const char *path, struct manifest *found, struct store_error *error)
{
    struct stocktaking taking;
    stock_begin(&taking, path);
    bool counted = stock_end(&taking, &found->stock, error);
    if (!counted && error->code != EX_IOERR)
        error->code = EX_DATAERR;
    return counted;
}

/* found: size and hash of the copy in directory path; the rest is counted here. */
static bool check_copy(const struct manifest *manifest, struct manifest *found, const char *path, const char *name,
                       struct store_error *error)
{
    snprintf(found->home, sizeof found->home, "%s", manifest->home);
    found->made_at_ms = manifest->made_at_ms;
    return check_hash(manifest, found, name, error) && check_version(manifest, name, error) &&
           count_copy(path, found, error) && manifest_agrees(manifest, found, name, error);
}

static int open_copy(const char *path, char copy[PATH_MAX + 16], struct store_error *error)
{
    snprintf(copy, PATH_MAX + 16, "%s/" STORE_FILE, path);
    int fd = open(copy, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        fail_with(error, EX_DATAERR, "%s is missing", copy);
    else if (fd < 0)
        fail_with_errno(error, errno, "read", copy);
    return fd;
}

bool snapshot_verify(const struct snapshot_place *place, const struct signature_key *key, struct manifest *manifest,
                     struct store_error *error)
{
    char path[PATH_MAX], copy[PATH_MAX + 16];
    struct manifest found = {0};
    snapshot_path(path, place);
    if (!snapshot_read(place, key, manifest, NULL, error))
        return false;
    int fd = open_copy(path, copy, error);
    if (fd < 0)
        return false;
    bool hashed = hash_file(fd, copy, -1, NULL, &found.size, found.sha256, error);
    close(fd);
    return hashed && check_copy(manifest, &found, path, path, error);
}

/* Restoring. */

struct restoration {
    const char *state;
    bool replace;
    struct manifest *manifest;
    struct store_error *error;
    char from[PATH_MAX];   /* the snapshot's directory */
    char hidden[PATH_MAX]; /* where it is put together */
    char path[PATH_MAX];   /* of the partition */
};

static bool check_home(const struct restoration *restoration)
{
    char home[HOME_SIZE];
    uint32_t *stored;
    const char *wanted = restoration->manifest->home;
    if (!state_home_read(restoration->state, home, restoration->error))
        return false;
    size_t count = store_partitions(restoration->state, &stored);
    free(stored);
    if (strcmp(home, wanted) == 0 || (home[0] == '\0' && count == 0))
        return true;
    return fail_with(restoration->error, EX_CONFIG,
                     "the snapshot %s is of %s, but the state directory %s belongs to %s; name another directory",
                     restoration->from, wanted[0] != '\0' ? wanted : "a meter on files", restoration->state,
                     home[0] != '\0' ? home : "a meter on files");
}

static bool is_there(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static bool check_place(const struct restoration *restoration)
{
    if (restoration->replace || !is_there(restoration->path))
        return true;
    return fail_with(restoration->error, EX_CONFIG,
                     "%s is there already; with --replace it is set aside, or name another state directory",
                     restoration->path);
}

/* The bytes that are hashed are those that are used. */
static bool copy_file(const struct restoration *restoration, struct manifest *found)
{
    char source[PATH_MAX + 16], target[PATH_MAX + 16];
    int from = open_copy(restoration->from, source, restoration->error);
    if (from < 0)
        return false;
    snprintf(target, sizeof target, "%s/" STORE_FILE, restoration->hidden);
    int to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool done = to >= 0 || fail_with_errno(restoration->error, errno, "make", target);
    done = done && hash_file(from, source, to, target, &found->size, found->sha256, restoration->error) &&
           sync_file(to, target, restoration->error);
    if (to >= 0)
        close(to);
    close(from);
    return done;
}

static bool set_aside(const struct restoration *restoration)
{
    char aside[PATH_MAX + 32];
    if (!is_there(restoration->path))
        return true;
    snprintf(aside, sizeof aside, "%s.replaced-%" PRId64, restoration->path, wall_clock_ms());
    return rename(restoration->path, aside) == 0 ||
           fail_with_errno(restoration->error, errno, "set aside", restoration->path);
}

/* A directory that is nobody's becomes the snapshot's. */
static bool claim_home(const struct restoration *restoration)
{
    char home[HOME_SIZE];
    const char *wanted = restoration->manifest->home;
    return state_home_read(restoration->state, home, restoration->error) &&
           (strcmp(home, wanted) == 0 || state_home_write(restoration->state, wanted, restoration->error));
}

static bool put_in_place(const struct restoration *restoration)
{
    if (!sync_directory(restoration->hidden, restoration->error) || !claim_home(restoration) || !set_aside(restoration))
        return false;
    FAIL_POINT("restore-replaced");
    if (rename(restoration->hidden, restoration->path) != 0)
        return fail_with_errno(restoration->error, errno, "put in place", restoration->path);
    FAIL_POINT("restore-named");
    return sync_directory(restoration->state, restoration->error);
}

static bool restore(const struct restoration *restoration)
{
    struct manifest found = {0};
    if (mkdir(restoration->hidden, 0777) != 0)
        return fail_with_errno(restoration->error, errno, "make the directory", restoration->hidden);
    bool done = copy_file(restoration, &found);
    FAIL_POINT("restore-copied");
    done =
        done && check_copy(restoration->manifest, &found, restoration->hidden, restoration->from, restoration->error);
    FAIL_POINT("restore-checked");
    done = done && put_in_place(restoration);
    struct store_error ignored;
    if (!done)
        remove_directory(restoration->hidden, &ignored);
    return done;
}

bool snapshot_restore(const struct snapshot_place *place, const struct signature_key *key, const char *state,
                      bool replace, struct manifest *manifest, struct store_error *error)
{
    struct restoration restoration = {.state = state, .replace = replace, .manifest = manifest, .error = error};
    snapshot_path(restoration.from, place);
    store_path(restoration.path, state, place->partition);
    snprintf(restoration.hidden, PATH_MAX, "%.*s.restoring", PATH_MAX - 16, restoration.path);
    return snapshot_read(place, key, manifest, NULL, error) && check_place(&restoration) && check_home(&restoration) &&
           remove_directory(restoration.hidden, error) && restore(&restoration);
}
