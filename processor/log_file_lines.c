/* log_file_lines.c - see log_file_lines.h. */
#include "processor/log_file_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/files.h"

#define READ_SIZE   ((size_t)1 << 20) /* stays within most second-level caches */
#define FOLLOW_POLL 20                /* ms; where inotify is silent (network file systems) this is the delay */

/* A line too long for the buffer, on its way into a file. */
struct spool {
    int fd;     /* -1: none */
    size_t len; /* bytes of the line so far */
    char *map;  /* the whole line, once its newline was found */
    bool ready; /* mapped and not yet given out */
};

struct lines {
    const char *name, *spool_dir;
    int fd, inotify; /* inotify -1: not following a regular file, or not to be had */
    bool regular, follow;
    char *buffer;
    size_t len;       /* bytes in the buffer */
    size_t at;        /* the next line begins here */
    size_t scanned;   /* no newline in at..scanned */
    int64_t position; /* of buffer[0] in the input */
    int64_t number;   /* of the next line */
    struct spool spool;
};

static int open_input(const char *path)
{
    return strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
}

static bool look_at_input(struct lines *lines, struct store_error *error)
{
    struct stat status;
    if (lines->fd < 0 || fstat(lines->fd, &status) != 0)
        return fail_with(error, EX_DATAERR, "cannot read the events file %s: %s", lines->name, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return fail_with(error, EX_DATAERR,
                         "the events file %s is a directory; name a file of JSON lines, or - for stdin", lines->name);
    lines->regular = S_ISREG(status.st_mode);
    return true;
}

struct lines *lines_open(const char *path, const char *spool, bool follow, struct store_error *error)
{
    struct lines *lines = calloc(1, sizeof *lines);
    char *buffer = malloc(LINE_IN_MEMORY_MAX);
    if (lines == NULL || buffer == NULL)
        abort();
    *lines = (struct lines){.name = strcmp(path, "-") == 0 ? "stdin" : path,
                            .spool_dir = spool,
                            .fd = open_input(path),
                            .inotify = -1,
                            .follow = follow,
                            .buffer = buffer,
                            .spool = {.fd = -1}};
    if (!look_at_input(lines, error)) {
        lines_close(lines);
        return NULL;
    }
    if (lines->regular && follow) {
        lines->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        inotify_add_watch(lines->inotify, path, IN_MODIFY);
    }
    return lines;
}

static void drop_spool(struct spool *spool)
{
    if (spool->map != NULL)
        munmap(spool->map, spool->len);
    if (spool->fd >= 0)
        close(spool->fd);
    *spool = (struct spool){.fd = -1};
}

void lines_close(struct lines *lines)
{
    drop_spool(&lines->spool);
    if (lines->inotify >= 0)
        close(lines->inotify);
    if (lines->fd >= 0)
        close(lines->fd);
    free(lines->buffer);
    free(lines);
}

const char *lines_name(const struct lines *lines)
{
    return lines->name;
}

int64_t lines_size(const struct lines *lines)
{
    struct stat status;
    return lines->regular && fstat(lines->fd, &status) == 0 ? status.st_size : -1;
}

/* Where the line begins whose newline is the last of `len` bytes; -1: no newline there. */
static int64_t start_of_last_line(int fd, size_t len)
{
    const char *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -1;
    int64_t start = -1;
    if (map[len - 1] == '\n') {
        const char *before = memrchr(map, '\n', len - 1);
        start = before != NULL ? before - map + 1 : 0;
    }
    munmap((void *)(uintptr_t)map, len);
    return start;
}

bool lines_seek(struct lines *lines, const struct log_mark *mark)
{
    if (!lines->regular)
        return true;
    int64_t start = 0;
    if (mark->position > 0) {
        start = lines_size(lines) >= mark->position ? start_of_last_line(lines->fd, (size_t)mark->position) : -1;
        lines->number = mark->lines - 1;
    }
    lines->position = start;
    return start >= 0 && lseek(lines->fd, start, SEEK_SET) == start;
}

bool lines_next(struct lines *lines, struct line *line)
{
    if (lines->spool.ready) {
        lines->spool.ready = false;
        *line =
            (struct line){{lines->spool.map, lines->spool.len}, lines->number++, lines->position + (int64_t)lines->at};
        return true;
    }
    const char *newline = memchr(lines->buffer + lines->scanned, '\n', lines->len - lines->scanned);
    if (newline == NULL) {
        lines->scanned = lines->len;
        return false;
    }
    size_t end = (size_t)(newline - lines->buffer);
    line->bytes = (struct text){lines->buffer + lines->at, end - lines->at};
    line->number = lines->number++;
    line->end = lines->position + (int64_t)end + 1;
    lines->at = lines->scanned = end + 1;
    return true;
}

void lines_unread(struct lines *lines, const struct line *line)
{
    lines->number = line->number;
    if (line->bytes.at == lines->spool.map)
        lines->spool.ready = true;
    else
        lines->at = lines->scanned = (size_t)(line->bytes.at - lines->buffer);
}

/* Spooling. */

static int open_spool(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char path[4096]; /* a file system without O_TMPFILE */
    if ((size_t)snprintf(path, sizeof path, "%s/line-XXXXXX", dir) >= sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool spool_bytes(struct lines *lines, size_t len, struct store_error *error)
{
    if (!write_whole(lines->spool.fd, lines->buffer + lines->at, len))
        return fail_with_errno(error, errno, "spool a long line into", lines->spool_dir);
    lines->spool.len += len;
    lines->at += len;
    lines->scanned = lines->at;
    return true;
}

static bool begin_spool(struct lines *lines, struct store_error *error)
{
    lines->spool.fd = open_spool(lines->spool_dir);
    if (lines->spool.fd < 0)
        return fail_with_errno(error, errno, "spool a long line into", lines->spool_dir);
    return spool_bytes(lines, lines->len - lines->at, error);
}

/* Moves what was read of the long line into the spool; maps it when its end is there. */
static bool go_on_spooling(struct lines *lines, struct store_error *error)
{
    const char *newline = memchr(lines->buffer + lines->at, '\n', lines->len - lines->at);
    size_t end = newline != NULL ? (size_t)(newline - lines->buffer) : lines->len;
    if (!spool_bytes(lines, end - lines->at, error))
        return false;
    if (newline == NULL)
        return true;
    lines->at = lines->scanned = end + 1;
    struct spool *spool = &lines->spool;
    void *map = mmap(NULL, spool->len, PROT_READ, MAP_PRIVATE, spool->fd, 0);
    if (map == MAP_FAILED)
        return fail_with_errno(error, errno, "map a long line of", lines->name);
    spool->map = map;
    spool->ready = true;
    return true;
}

/* Reading. */

/* Brings the beginning of the unfinished line to the front of the buffer. */
static void make_room(struct lines *lines)
{
    size_t left = lines->len - lines->at;
    memmove(lines->buffer, lines->buffer + lines->at, left);
    lines->position += (int64_t)lines->at;
    lines->scanned -= lines->at;
    lines->at = 0;
    lines->len = left;
}

/* False also when a signal came first. */
static bool wait_for(int fd, int wait_ms)
{
    struct pollfd watched = {.fd = fd, .events = POLLIN};
    return poll(&watched, 1, wait_ms) > 0;
}

static void wait_for_growth(struct lines *lines, int wait_ms)
{
    char notices[4096];
    if (wait_for(lines->inotify, wait_ms < FOLLOW_POLL ? wait_ms : FOLLOW_POLL))
        while (read(lines->inotify, notices, sizeof notices) > 0) {
        }
}

/* At the end of a file that is followed. */
static enum lines_answer check_not_shrunk(const struct lines *lines, struct store_error *error)
{
    int64_t read_so_far = lines->position + (int64_t)lines->len, size = lines_size(lines);
    if (size >= read_so_far)
        return LINES_IDLE;
    fail_with(error, EX_CONFIG,
              "%s shrank to %" PRId64 " bytes while it was followed, but %" PRId64
              " bytes of it were read; a log only grows: restore the file, then run the same command again",
              lines->name, size, read_so_far);
    return LINES_FAILED;
}

static ssize_t read_some(struct lines *lines)
{
    size_t room = LINE_IN_MEMORY_MAX - lines->len;
    return read(lines->fd, lines->buffer + lines->len, room < READ_SIZE ? room : READ_SIZE);
}

static enum lines_answer at_end(struct lines *lines, ssize_t got, struct store_error *error)
{
    if (got == 0)
        return lines->regular && lines->follow ? check_not_shrunk(lines, error) : LINES_END;
    if (errno == EINTR || errno == EAGAIN)
        return LINES_IDLE;
    fail_with(error, errno == EIO ? EX_IOERR : EX_DATAERR, "cannot read the events file %s: %s", lines->name,
              strerror(errno));
    return LINES_FAILED;
}

enum lines_answer lines_fill(struct lines *lines, int wait_ms, struct store_error *error)
{
    if (lines->spool.map != NULL)
        drop_spool(&lines->spool);
    make_room(lines);
    if (lines->len == LINE_IN_MEMORY_MAX) {
        if (!begin_spool(lines, error))
            return LINES_FAILED;
        make_room(lines);
    }
    if (!lines->regular && !wait_for(lines->fd, wait_ms))
        return LINES_IDLE;
    ssize_t got = read_some(lines);
    if (got == 0 && wait_ms > 0 && lines->regular && lines->follow) {
        wait_for_growth(lines, wait_ms);
        got = read_some(lines);
    }
    if (got <= 0)
        return at_end(lines, got, error);
    lines->len += (size_t)got;
    if (lines->spool.fd >= 0 && !go_on_spooling(lines, error))
        return LINES_FAILED;
    return LINES_MORE;
}
