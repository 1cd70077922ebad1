/* message.h - what the programs say to the person who runs them.
 *
 * All of it goes to stderr, so that stdout stays data. An error names the
 * place (file, line, field) and the way out. A note can be silenced with
 * --quiet. A progress line is drawn only on a terminal, over itself, and is
 * wiped before anything else is said.
 */
#ifndef CALLFOLD_TERMINAL_MESSAGE_H
#define CALLFOLD_TERMINAL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sysexits.h>

/* The name before each error: "callfold" unless set. Borrowed. */
void message_program(const char *name);
/* Silences notes and progress; errors are always said. */
void message_quiet(bool quiet);

/* "callfold: ..." and a newline. */
__attribute__((format(printf, 1, 2))) void message_error(const char *format, ...);
/* The same, and returns code: `return message_fail(EX_DATAERR, "...")`. */
__attribute__((format(printf, 2, 3))) int message_fail(int code, const char *format, ...);
/* The text and a newline, without the program's name. */
__attribute__((format(printf, 1, 2))) void message_note(const char *format, ...);

/* "1,234,567"; returns out. */
#define COUNT_TEXT_MAX 28
const char *count_format(int64_t count, char out[COUNT_TEXT_MAX]);

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

/* Long work on a terminal: how much, how fast, how long still. Elsewhere nothing,
 * or if it is_noted, a note every ten seconds. */
struct progress {
    const char *what;      /* "folding" */
    const char *unit;      /* "events" */
    double started, drawn; /* seconds_now() */
    bool is_shown;         /* on a terminal, and not silenced */
    bool is_noted;         /* set by the caller after the beginning, as is_counted is: */
    bool is_counted;       /* done and total are in units: "3 of 10 events" */
    int64_t from;          /* done when it began: what was there before was not this run's work; -1: not known yet */
    int64_t count_from;    /* likewise */
};
void progress_begin(struct progress *progress, const char *what, const char *unit);
/* done of total says how far (total 0: not known), count how many units. Draws
 * a few times a second at most; costs a clock reading otherwise. */
void progress_show(struct progress *progress, int64_t done, int64_t total, int64_t count);
/* Wipes the line. */
void progress_end(struct progress *progress);

#endif
