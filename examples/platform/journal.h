/* journal.h - what the platform says, one line an event: to a file or, by
 * another hand, elsewhere.
 *
 * Lines are gathered while a step lasts and written in one go at its end, so
 * that a reader that follows the file sees whole steps. Every event gets an id
 * of its own; a line that is said twice on purpose is the same bytes again.
 *
 * A file that cannot be opened or written ends the program with a message and
 * EX_CANTCREAT or EX_IOERR: there is no day without its journal.
 */
#ifndef CALLFOLD_EXAMPLES_JOURNAL_H
#define CALLFOLD_EXAMPLES_JOURNAL_H

#include "events/encode.h"

/* Takes over the lines in the buffer, each with its newline, and empties it. */
typedef void journal_send(void *to, struct buffer *lines);

struct journal {
    journal_send *send;
    void *to;
    const char *path; /* of a file; fd -1: it is none */
    int fd;
    struct buffer pending; /* lines not yet written */
    int64_t lines, bytes;  /* written and pending */
    int64_t ids;           /* given so far */
};

/* Writes the buffer to the file and empties it; path is for the message. */
void write_out(int fd, const char *path, struct buffer *buffer);

/* path must be missing or empty: a day begins on an empty page. Borrows path. */
void journal_open(struct journal *journal, const char *path);
/* Lines go to `to`, by way of send. */
void journal_open_to(struct journal *journal, journal_send *send, void *to);
/* Appends an event under a new id. */
void journal_event(struct journal *journal, const struct event *event, const char *source);
/* An event under a new id as a line to be appended later, or never; malloc'd. */
char *journal_encode(struct journal *journal, const struct event *event, const char *source);
/* Appends a line as it is; it must not hold a newline. */
void journal_line(struct journal *journal, struct text line);
/* Sends what is pending. */
void journal_flush(struct journal *journal);
void journal_close(struct journal *journal);

#endif
