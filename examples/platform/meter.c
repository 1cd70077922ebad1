#include "examples/platform/meter.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "events/currency.h"
#include "events/money.h"

#define READ_SIZE  65536
#define RECHECK_MS 100                     /* where inotify says nothing: some network file systems */
#define WATCHED    (IN_MODIFY | IN_ATTRIB) /* written to; its last name gone */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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

static json_t *parse(struct text line, const char *path)
{
    json_error_t error;
    json_t *record = json_loadb(line.at, line.len, 0, &error);
    if (!record)
        errx(EX_PROTOCOL, "%s: not JSON: %s", path, error.text);
    return record;
}

/* Takes in all progress there is; true when it moved. */
static bool read_progress(struct meter *meter)
{
    struct text line;
    bool moved = false;
    tail_follow(&meter->progress, meter->inotify);
    while (tail_line(&meter->progress, &line)) {
        json_t *record = parse(line, meter->progress.path);
        json_t *lines = json_object_get(json_object_get(record, "data"), "lines");
        if (!json_is_integer(lines))
            errx(EX_PROTOCOL, "%s: a record without data.lines", meter->progress.path);
        moved |= json_integer_value(lines) != meter->folded;
        meter->folded = json_integer_value(lines);
        json_decref(record);
    }
    return moved;
}

static bool meter_is_dead(const struct meter *meter)
{
    struct pollfd process = {.fd = meter->process, .events = POLLIN};
    return meter->process >= 0 && poll(&process, 1, 0) > 0;
}

/* Sleeps until the meter may have moved or died. */
static void doze(const struct meter *meter, int timeout_ms)
{
    struct pollfd sources[] = {{.fd = meter->inotify, .events = POLLIN}, {.fd = meter->process, .events = POLLIN}};
    char drained[4096];
    if (poll(sources, 2, timeout_ms) > 0 && (sources[0].revents & POLLIN))
        (void)!read(meter->inotify, drained, sizeof drained);
}

static bool open_when_there(struct meter *meter, struct tail *tail)
{
    int64_t deadline = now_ms() + meter->patience_ms;
    while ((tail->fd = open(tail->path, O_RDONLY | O_CLOEXEC)) < 0) {
        if (errno != ENOENT)
            err(EX_NOINPUT, "%s: cannot be read", tail->path);
        if (meter_is_dead(meter) || now_ms() >= deadline) {
            warnx("%s is not there: is a meter running (callfold run --follow) with its --out in that directory?",
                  tail->path);
            return false;
        }
        doze(meter, RECHECK_MS);
    }
    return true;
}

bool meter_open(struct meter *meter, const char *commands, const char *progress, pid_t pid, int patience_ms)
{
    *meter = (struct meter){.commands = {.path = commands, .fd = -1},
                            .progress = {.path = progress, .fd = -1},
                            .process = -1,
                            .patience_ms = patience_ms};
    meter->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (meter->inotify < 0)
        err(EX_OSERR, "inotify");
    if (pid && (meter->process = pidfd_open(pid, 0)) < 0) {
        warn("the meter, process %jd", (intmax_t)pid);
        return false;
    }
    if (!open_when_there(meter, &meter->progress) || !open_when_there(meter, &meter->commands))
        return false;
    if (inotify_add_watch(meter->inotify, progress, WATCHED) < 0)
        err(EX_OSERR, "%s: cannot be watched", progress);
    return true;
}

bool meter_await(struct meter *meter, int64_t lines)
{
    int64_t moved_ms = now_ms();
    while (meter->folded < lines) {
        /* Asked before reading: what a dying meter still committed counts. */
        bool dead = meter_is_dead(meter);
        if (read_progress(meter)) {
            moved_ms = now_ms();
        } else if (dead) {
            warnx("the meter ended after %jd of %jd lines; its own messages say why", (intmax_t)meter->folded,
                  (intmax_t)lines);
            return false;
        } else if (now_ms() - moved_ms >= meter->patience_ms) {
            warnx("the meter stands at %jd of %jd lines for %d s now: is it still running?", (intmax_t)meter->folded,
                  (intmax_t)lines, meter->patience_ms / 1000);
            return false;
        } else {
            doze(meter, RECHECK_MS);
        }
    }
    return true;
}

static struct text member_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? (struct text){json_string_value(value), json_string_length(value)} : TEXT_NONE;
}

static int64_t member_integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static enum output_type output_type_of(struct text word, const char *path)
{
    const size_t prefix = sizeof TYPE_PREFIX - 1;
    for (int type = 0; type < OUTPUT_TYPE_COUNT; type++) {
        struct text name = text_of(output_type_name((enum output_type)type));
        if (word.len == prefix + name.len && memcmp(word.at + prefix, name.at, name.len) == 0)
            return (enum output_type)type;
    }
    errx(EX_PROTOCOL, "%s: a record of unknown type \"%.*s\"", path, TEXT_ARGS(word));
}

static void read_order(const json_t *record, const char *path, struct order *order)
{
    const json_t *data = json_object_get(record, "data");
    struct text reason = member_text(data, "reason");
    struct text amount = member_text(data, "amount"), currency = member_text(data, "currency");
    *order = (struct order){
        .type = output_type_of(member_text(record, "type"), path),
        .id = member_text(record, "id"),
        .subject = member_text(record, "subject"),
        .call_id = member_text(data, "call_id"),
        .message_id = member_text(data, "message_id"),
        .deck_id = member_text(data, "deck_id"),
        .recharge_id = member_text(data, "recharge_id"),
        .reason = text_present(reason) ? reason : member_text(data, "kind"),
        .at_duration_ms = member_integer(data, "at_duration_ms"),
        .revision = member_integer(data, "revision"),
        .raised_count = member_integer(data, "raised_count"),
        .charged = json_is_true(json_object_get(data, "charged")),
        .has_max_duration = json_object_get(data, "max_duration_ms") != NULL,
    };
    if (text_present(amount) && !money_parse(amount, &order->amount.micros))
        errx(EX_PROTOCOL, "%s: amount \"%.*s\"", path, TEXT_ARGS(amount));
    if (text_present(currency) && !currency_parse(currency, &order->amount.currency))
        errx(EX_PROTOCOL, "%s: currency \"%.*s\"", path, TEXT_ARGS(currency));
}

bool meter_order(struct meter *meter, struct order *order)
{
    struct text line;
    json_decref(meter->record);
    meter->record = NULL;
    if (!tail_line(&meter->commands, &line))
        return false;
    meter->record = parse(line, meter->commands.path);
    read_order(meter->record, meter->commands.path, order);
    return true;
}

void meter_close(struct meter *meter)
{
    json_decref(meter->record);
    free(meter->commands.bytes);
    free(meter->progress.bytes);
    const int descriptors[] = {meter->commands.fd, meter->progress.fd, meter->inotify, meter->process};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}
