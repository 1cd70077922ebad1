#include "examples/platform/journal.h"

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static void send_to_file(void *to, struct buffer *lines)
{
    const struct journal *journal = to;
    write_out(journal->fd, journal->path, lines);
}

void journal_open(struct journal *journal, const char *path)
{
    struct stat status;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    *journal = (struct journal){.send = send_to_file, .to = journal, .path = path, .fd = fd};
    if (journal->fd < 0 || fstat(journal->fd, &status) != 0)
        err(EX_CANTCREAT, "%s: cannot be opened for writing", path);
    if (status.st_size > 0)
        errx(EX_CANTCREAT, "%s: holds %jd bytes already; name a file that is new or empty", path,
             (intmax_t)status.st_size);
}

void journal_open_to(struct journal *journal, journal_send *send, void *to)
{
    *journal = (struct journal){.send = send, .to = to, .fd = -1};
}

static void encode(struct journal *journal, struct buffer *buffer, const struct event *event, const char *source)
{
    char id[32];
    snprintf(id, sizeof id, "e%07" PRId64, ++journal->ids);
    event_encode(buffer, event, text_of(id), text_of(source));
}

static void end_line(struct journal *journal, size_t begun)
{
    buffer_append(&journal->pending, "\n", 1);
    journal->bytes += (int64_t)(journal->pending.len - begun);
    journal->lines++;
}

void journal_event(struct journal *journal, const struct event *event, const char *source)
{
    size_t begun = journal->pending.len;
    encode(journal, &journal->pending, event, source);
    end_line(journal, begun);
}

char *journal_encode(struct journal *journal, const struct event *event, const char *source)
{
    struct buffer line = {0};
    encode(journal, &line, event, source);
    buffer_append(&line, "", 1);
    return line.at;
}

void journal_line(struct journal *journal, struct text line)
{
    size_t begun = journal->pending.len;
    buffer_append(&journal->pending, line.at, line.len);
    end_line(journal, begun);
}

void write_out(int fd, const char *path, struct buffer *buffer)
{
    for (size_t written = 0; written < buffer->len;) {
        ssize_t n = write(fd, buffer->at + written, buffer->len - written);
        if (n < 0)
            err(EX_IOERR, "%s: cannot be written", path);
        written += (size_t)n;
    }
    buffer->len = 0;
}

void journal_flush(struct journal *journal)
{
    journal->send(journal->to, &journal->pending);
}

void journal_close(struct journal *journal)
{
    journal_flush(journal);
    if (journal->fd >= 0 && close(journal->fd) != 0)
        err(EX_IOERR, "%s: cannot be written", journal->path);
    buffer_free(&journal->pending);
}
