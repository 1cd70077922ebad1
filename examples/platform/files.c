/* files.c - see files.h. */
#include "examples/platform/files.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define READ_SIZE  65536
#define RECHECK_MS 100                     /* where inotify says nothing: some network file systems */
#define WATCHED    (IN_MODIFY | IN_ATTRIB) /* written to; its last name gone */

/* A file read as it grows. */
struct tail {
    const char *path;
    int fd;
    char *bytes; /* read and not yet handed out: from..len */
    size_t from, len, capacity;
    int64_t offset; /* of the file, behind bytes */
};

struct files {
    struct tail commands, progress;
    int inotify, process; /* descriptors; process -1 when no pid was given */
    int patience_ms;
    int64_t folded; /* lines of the events file that progress covers */
};

/* Begins at the front of a file that a meter has put in this one's place (it
 * keeps its progress short that way) or, restarted, has cut back. */
static void tail_follow(struct tail *tail, int inotify)
{
    struct stat held, named;
    if (fstat(tail->fd, &held) != 0 || stat(tail->path, &named) != 0)
        return; /* between two files: it will be there the next time */
    if (held.st_ino == named.st_ino && held.st_dev == named.st_dev && held.st_size >= tail->offset)
        return;
    close(tail->fd);
    tail->fd = open(tail->path, O_RDONLY | O_CLOEXEC);
    if (tail->fd < 0 || inotify_add_watch(inotify, tail->path, WATCHED) < 0)
        err(EX_IOERR, "%s: cannot be read", tail->path);
    tail->offset = 0;
    tail->from = tail->len = 0;
}

/* Reads what has been appended; false when nothing has. */
static bool tail_fill(struct tail *tail)
{
    tail->len -= tail->from;
    if (tail->len > 0)
        memmove(tail->bytes, tail->bytes + tail->from, tail->len);
    tail->from = 0;
    if (tail->capacity - tail->len < READ_SIZE) {
        tail->capacity = 2 * tail->capacity + READ_SIZE;
        tail->bytes = realloc(tail->bytes, tail->capacity);
        if (!tail->bytes)
            err(EX_OSERR, "%s: out of memory", tail->path);
    }
    ssize_t n = read(tail->fd, tail->bytes + tail->len, READ_SIZE);
    if (n < 0)
        err(EX_IOERR, "%s: cannot be read", tail->path);
    tail->len += (size_t)n;
    tail->offset += n;
    return n > 0;
}

/* The next whole line without its newline; borrowed until the next call. */
static bool tail_line(struct tail *tail, struct text *line)
{
    size_t searched = tail->from;
    for (;;) {
        char *at = tail->bytes + tail->from;
        char *newline = tail->len > searched ? memchr(tail->bytes + searched, '\n', tail->len - searched) : NULL;
        if (newline) {
            *line = (struct text){at, (size_t)(newline - at)};
            tail->from += line->len + 1;
            return true;
        }
        searched = tail->len - tail->from; /* tail_fill moves what is left to the front */
        if (!tail_fill(tail))
            return false;
    }
}

/* Takes in all progress there is; true when it moved. */
static bool read_progress(struct files *files)
{
    struct text line;
    bool moved = false;
    tail_follow(&files->progress, files->inotify);
    while (tail_line(&files->progress, &line)) {
        json_t *record = meter_parse(line, files->progress.path);
        json_t *lines = json_object_get(json_object_get(record, "data"), "lines");
        if (!json_is_integer(lines))
            errx(EX_PROTOCOL, "%s: a record without data.lines", files->progress.path);
        moved |= json_integer_value(lines) != files->folded;
        files->folded = json_integer_value(lines);
        json_decref(record);
    }
    return moved;
}

static bool meter_is_dead(const struct files *files)
{
    struct pollfd process = {.fd = files->process, .events = POLLIN};
    return files->process >= 0 && poll(&process, 1, 0) > 0;
}

/* Sleeps until the meter may have moved or died. */
static void doze(const struct files *files, int timeout_ms)
{
    struct pollfd sources[] = {{.fd = files->inotify, .events = POLLIN}, {.fd = files->process, .events = POLLIN}};
    char drained[4096];
    if (poll(sources, 2, timeout_ms) > 0 && (sources[0].revents & POLLIN))
        (void)!read(files->inotify, drained, sizeof drained);
}

static bool open_when_there(struct files *files, struct tail *tail)
{
    int64_t deadline = meter_clock_ms() + files->patience_ms;
    while ((tail->fd = open(tail->path, O_RDONLY | O_CLOEXEC)) < 0) {
        if (errno != ENOENT)
            err(EX_NOINPUT, "%s: cannot be read", tail->path);
        if (meter_is_dead(files) || meter_clock_ms() >= deadline) {
            warnx("%s is not there: is a meter running (callfold run --follow) with its --out in that directory?",
                  tail->path);
            return false;
        }
        doze(files, RECHECK_MS);
    }
    return true;
}

static bool await(void *own, int64_t lines)
{
    struct files *files = own;
    int64_t moved_ms = meter_clock_ms();
    while (files->folded < lines) {
        /* Asked before reading: what a dying meter still committed counts. */
        bool dead = meter_is_dead(files);
        if (read_progress(files)) {
            moved_ms = meter_clock_ms();
        } else if (dead) {
            warnx("the meter ended after %jd of %jd lines; its own messages say why", (intmax_t)files->folded,
                  (intmax_t)lines);
            return false;
        } else if (meter_clock_ms() - moved_ms >= files->patience_ms) {
            warnx("the meter stands at %jd of %jd lines for %d s now: is it still running?", (intmax_t)files->folded,
                  (intmax_t)lines, files->patience_ms / 1000);
            return false;
        } else {
            doze(files, RECHECK_MS);
        }
    }
    return true;
}

static bool next(void *own, struct text *record)
{
    struct files *files = own;
    return tail_line(&files->commands, record);
}

static void close_files(void *own)
{
    struct files *files = own;
    const int descriptors[] = {files->commands.fd, files->progress.fd, files->inotify, files->process};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
    free(files->commands.bytes);
    free(files->progress.bytes);
    free(files);
}

static const struct meter_way by_files = {
    .commands = "commands.jsonl", .await = await, .next = next, .close = close_files};

bool files_open(struct meter *meter, const char *commands, const char *progress, pid_t pid, int patience_ms)
{
    struct files *files = calloc(1, sizeof *files);
    if (!files)
        err(EX_OSERR, "the meter's files");
    *files = (struct files){.commands = {.path = commands, .fd = -1},
                            .progress = {.path = progress, .fd = -1},
                            .process = -1,
                            .patience_ms = patience_ms};
    *meter = (struct meter){.way = &by_files, .own = files};
    files->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (files->inotify < 0)
        err(EX_OSERR, "inotify");
    if (pid && (files->process = pidfd_open(pid, 0)) < 0) {
        warn("the meter, process %jd", (intmax_t)pid);
        return false;
    }
    if (!open_when_there(files, &files->progress) || !open_when_there(files, &files->commands))
        return false;
    if (inotify_add_watch(files->inotify, progress, WATCHED) < 0)
        err(EX_OSERR, "%s: cannot be watched", progress);
    return true;
}
