/* files.c - see files.h. */
#include "snapshots/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "snapshots/fail_point.h"

#define LOCK_WAIT_MS  1000
#define LOCK_PAUSE_MS 10

bool fail_with(struct store_error *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->code = code;
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return false;
}

static const char *way_out(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT: return "; make room and run the same command again: nothing is lost";
    case EFBIG: return "; raise the limit on file sizes (ulimit -f) and run the same command again: nothing is lost";
    case EIO: return "; the disk failed: see the system's log, then run the same command again";
    case EACCES:
    case EPERM: return "; give this user the right to it, or name another place";
    case EROFS: return "; name a place that can be written to";
    default: return "";
    }
}

bool fail_with_errno(struct store_error *error, int number, const char *to_do, const char *path)
{
    bool disk = number == ENOSPC || number == EDQUOT || number == EFBIG || number == EIO;
    return fail_with(error, disk ? EX_IOERR : EX_CONFIG, "cannot %s %s: %s%s", to_do, path, strerror(number),
                     way_out(number));
}

bool write_whole(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t written = write(fd, at, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        at += written;
        len -= (size_t)written;
    }
    return true;
}

char *read_whole(const char *path, size_t most, size_t *len, struct store_error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail_with_errno(error, errno, "read", path);
        error->code = errno == ENOENT ? EX_NOINPUT : error->code;
        return NULL;
    }
    char *bytes = malloc(most + 1);
    if (bytes == NULL)
        abort();
    *len = fread(bytes, 1, most + 1, file);
    bool is_read = !ferror(file) || fail_with_errno(error, EIO, "read", path);
    fclose(file);
    if (is_read && *len <= most)
        return bytes;
    if (is_read)
        fail_with(error, EX_DATAERR, "%s is longer than %zu bytes: this is not the right file", path, most);
    free(bytes);
    return NULL;
}

static bool make_one(const char *path, struct store_error *error)
{
    struct stat status;
    if (mkdir(path, 0777) == 0)
        return true;
    int number = errno;
    if (number == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return true;
    return fail_with_errno(error, number == EEXIST ? ENOTDIR : number, "make the directory", path);
}

bool lock_exclusively(int fd)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
    for (int waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += LOCK_PAUSE_MS) {
        if (errno != EWOULDBLOCK || waited_ms >= LOCK_WAIT_MS)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

bool make_directories(const char *path, struct store_error *error)
{
    char parent[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof parent)
        return fail_with_errno(error, len == 0 ? ENOENT : ENAMETOOLONG, "make the directory", path);
    memcpy(parent, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (parent[i] != '/')
            continue;
        parent[i] = '\0';
        if (!make_one(parent, error))
            return false;
        parent[i] = '/';
    }
    return make_one(path, error);
}

bool sync_file(int fd, const char *name, struct store_error *error)
{
    FAIL_POINT("fsync");
    if (fsync(fd) == 0)
        return true;
    return fail_with_errno(error, errno, "sync", name);
}

bool sync_directory(const char *path, struct store_error *error)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_with_errno(error, errno, "open the directory", path);
    bool synced = sync_file(fd, path, error);
    close(fd);
    return synced;
}

bool remove_directory(const char *path, struct store_error *error)
{
    DIR *stream = opendir(path);
    if (stream == NULL)
        return errno == ENOENT || fail_with_errno(error, errno, "remove", path);
    bool removed = true;
    for (const struct dirent *entry; removed && (entry = readdir(stream)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            removed = unlinkat(dirfd(stream), entry->d_name, 0) == 0;
    removed = removed && rmdir(path) == 0;
    int number = errno;
    closedir(stream);
    return removed || fail_with_errno(error, number, "remove", path);
}
