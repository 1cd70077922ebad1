/* snapshot.c - names, places and reading of snapshots; see snapshot.h. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "events/hex.h"
#include "events/instant.h"
#include "snapshots/files.h"
#include "snapshots/snapshot_internal.h"

#define MANIFEST_MOST ((size_t)1 << 16) /* bytes */
#define CHUNK_SIZE    ((size_t)1 << 20)

int64_t wall_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

/* Names. "20261127T134012.345Z" is the instant without the separators that a
 * file name had better not have. */

#define STAMP_SHAPE "dddddddddddddddddddd-ddddddddTdddddd.dddZ"

void snapshot_name_make(int64_t next_offset, int64_t made_at_ms, struct snapshot_name *name)
{
    char instant[INSTANT_TEXT_MAX];
    size_t len = (size_t)snprintf(name->text, sizeof name->text, "%020" PRId64 "-", next_offset);
    instant_format(made_at_ms, instant);
    for (const char *at = instant; *at != '\0'; at++)
        if (*at != '-' && *at != ':')
            name->text[len++] = *at;
    name->text[len] = '\0';
}

int64_t snapshot_name_offset(const struct snapshot_name *name)
{
    return (int64_t)strtoull(name->text, NULL, 10);
}

int64_t snapshot_name_time_ms(const struct snapshot_name *name)
{
    char instant[INSTANT_TEXT_MAX];
    const char *stamp = strchr(name->text, '-') + 1;
    int64_t ms = 0;
    snprintf(instant, sizeof instant, "%.4s-%.2s-%.2sT%.2s:%.2s:%.7s", stamp, stamp + 4, stamp + 6, stamp + 9,
             stamp + 11, stamp + 13);
    instant_parse(text_of(instant), &ms);
    return ms;
}

static bool is_name(const char *name)
{
    const char *shape = STAMP_SHAPE;
    for (; *shape != '\0'; shape++, name++)
        if (*shape == 'd' ? !isdigit((unsigned char)*name) : *name != *shape)
            return false;
    return *name == '\0';
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct snapshot_name *)a)->text, ((const struct snapshot_name *)b)->text);
}

size_t snapshot_names(const char *dir, uint32_t partition, struct snapshot_name **names)
{
    char path[PATH_MAX];
    size_t count = 0;
    *names = NULL;
    store_path(path, dir, partition);
    DIR *stream = opendir(path);
    if (stream == NULL)
        return 0;
    for (const struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (!is_name(entry->d_name))
            continue;
        *names = realloc(*names, (count + 1) * sizeof **names);
        if (*names == NULL)
            abort();
        memcpy((*names)[count++].text, entry->d_name, sizeof STAMP_SHAPE);
    }
    closedir(stream);
    if (count > 1)
        qsort(*names, count, sizeof **names, compare_names);
    return count;
}

void snapshot_path(char *path, const struct snapshot_place *place)
{
    store_path(path, place->dir, place->partition);
    size_t len = strlen(path);
    if (place->name != NULL)
        snprintf(path + len, PATH_MAX - len, "/%s", place->name);
}

/* Files. */

static bool copy_chunks(int fd, const char *name, int to, const char *to_name, EVP_MD_CTX *hash, int64_t *size,
                        struct store_error *error)
{
    char *chunk = malloc(CHUNK_SIZE);
    ssize_t len = -1;
    bool done = chunk != NULL;
    while (done && (len = read(fd, chunk, CHUNK_SIZE)) != 0) {
        if (len < 0 && errno == EINTR)
            continue;
        done = len > 0 || fail_with_errno(error, errno, "read", name);
        if (done && to >= 0)
            done = write_whole(to, chunk, (size_t)len) || fail_with_errno(error, errno, "write", to_name);
        if (done && EVP_DigestUpdate(hash, chunk, (size_t)len) != 1)
            abort();
        *size += len;
    }
    free(chunk);
    return done;
}

bool hash_file(int fd, const char *name, int to, const char *to_name, int64_t *size, char sha256[HASH_HEX],
               struct store_error *error)
{
    uint8_t sum[HASH_SIZE];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    if (hash == NULL || EVP_DigestInit_ex(hash, EVP_sha256(), NULL) != 1)
        abort();
    *size = 0;
    bool done = copy_chunks(fd, name, to, to_name, hash, size, error);
    if (EVP_DigestFinal_ex(hash, sum, NULL) != 1)
        abort();
    EVP_MD_CTX_free(hash);
    hex_encode(sum, sizeof sum, sha256);
    return done;
}

/* What a crash left half done. */

static bool remove_hidden(const char *path, struct store_error *error)
{
    char hidden[PATH_MAX];
    snprintf(hidden, sizeof hidden, "%.*s/" HIDDEN_NEW, PATH_MAX - 16, path);
    if (!remove_directory(hidden, error))
        return false;
    snprintf(hidden, sizeof hidden, "%.*s/" HIDDEN_GONE, PATH_MAX - 16, path);
    return remove_directory(hidden, error);
}

int snapshot_lock(const char *dir, uint32_t partition, struct store_error *error)
{
    char path[PATH_MAX], lock[PATH_MAX + 8];
    store_path(path, dir, partition);
    if (!make_directories(path, error))
        return -1;
    snprintf(lock, sizeof lock, "%s/lock", path);
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        fail_with_errno(error, errno, "open", lock);
        return -1;
    }
    if (!lock_exclusively(fd)) {
        if (errno == EWOULDBLOCK)
            fail_with(error, EX_UNAVAILABLE, "another process makes or removes snapshots in %s; try again later", path);
        else
            fail_with_errno(error, errno, "lock", lock);
    } else if (remove_hidden(path, error)) {
        return fd;
    }
    close(fd);
    return -1;
}

/* Reading. */

static bool check_signature(const char *path, struct text manifest, const struct signature_key *key, bool *is_signed,
                            struct store_error *error)
{
    char signature_path[PATH_MAX + 16];
    size_t len;
    snprintf(signature_path, sizeof signature_path, "%s/" SIGNATURE_FILE, path);
    char *signature = read_whole(signature_path, SIGNATURE_SIZE, &len, error);
    *is_signed = signature != NULL;
    if (signature == NULL && error->code != EX_NOINPUT)
        return false;
    bool fits = key == NULL;
    if (!fits && signature == NULL)
        fail_with(error, EX_DATAERR, "%s is not signed: it has no " SIGNATURE_FILE, path);
    else if (!fits)
        fits = signature_fits(key, manifest, (struct text){signature, len}) ||
               fail_with(error, EX_DATAERR, "%s: the manifest was not signed with that key, or changed since", path);
    free(signature);
    return fits;
}

static bool check_name(const struct snapshot_place *place, const char *path, const struct manifest *manifest,
                       struct store_error *error)
{
    const struct store_header *header = &manifest->stock.header;
    struct snapshot_name name;
    snapshot_name_make(header->next_offset, manifest->made_at_ms, &name);
    return (header->partition == place->partition && strcmp(name.text, place->name) == 0) ||
           fail_with(error, EX_DATAERR, "%s holds another snapshot: that of partition %" PRIu32 " named %s", path,
                     header->partition, name.text);
}

bool snapshot_read(const struct snapshot_place *place, const struct signature_key *key, struct manifest *manifest,
                   bool *is_signed, struct store_error *error)
{
    char path[PATH_MAX], manifest_path[PATH_MAX + 16];
    size_t len;
    bool has_signature;
    snapshot_path(path, place);
    snprintf(manifest_path, sizeof manifest_path, "%s/" MANIFEST_FILE, path);
    char *bytes = read_whole(manifest_path, MANIFEST_MOST, &len, error);
    if (bytes == NULL) {
        error->code = error->code == EX_NOINPUT ? EX_DATAERR : error->code;
        return false;
    }
    struct text text = {bytes, len};
    bool read = check_signature(path, text, key, &has_signature, error) &&
                manifest_decode(text, manifest_path, manifest, error) && check_name(place, path, manifest, error);
    if (is_signed != NULL)
        *is_signed = has_signature;
    free(bytes);
    return read;
}
