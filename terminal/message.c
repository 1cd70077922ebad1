/* message.c - see message.h. */
#include "terminal/message.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DRAW_INTERVAL_S 0.2
#define NOTE_INTERVAL_S 10
#define WIPE_LINE       "\r\033[K"

static const char *program_name = "callfold";
static bool notes_are_silenced;
static _Atomic bool line_is_drawn; /* a progress line stands on the terminal; any thread may wipe it */

void message_program(const char *name)
{
    program_name = name;
}

void message_quiet(bool quiet)
{
    notes_are_silenced = quiet;
}

static void wipe_progress(void)
{
    if (line_is_drawn)
        fputs(WIPE_LINE, stderr);
    line_is_drawn = false;
}

/* On one line, and with nothing that a terminal would obey: messages repeat
 * file names, options and what a parser stumbled over. */
static void say_line(const char *format, va_list arguments)
{
    char *line;
    if (vasprintf(&line, format, arguments) < 0)
        abort();
    for (char *at = line; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    fprintf(stderr, "%s\n", line);
    free(line);
}

static void say_error(const char *format, va_list arguments)
{
    wipe_progress();
    fprintf(stderr, "%s: ", program_name);
    say_line(format, arguments);
}

void message_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_error(format, arguments);
    va_end(arguments);
}

int message_fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_error(format, arguments);
    va_end(arguments);
    return code;
}

void message_note(const char *format, ...)
{
    if (notes_are_silenced)
        return;
    va_list arguments;
    va_start(arguments, format);
    wipe_progress();
    say_line(format, arguments);
    va_end(arguments);
}

const char *count_format(int64_t count, char out[COUNT_TEXT_MAX])
{
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%" PRId64, count);
    size_t sign = count < 0 ? 1 : 0, at = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > sign && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void progress_begin(struct progress *progress, const char *what, const char *unit)
{
    double now = seconds_now();
    bool is_shown = !notes_are_silenced && isatty(STDERR_FILENO);
    *progress =
        (struct progress){.what = what, .unit = unit, .started = now, .drawn = now, .is_shown = is_shown, .from = -1};
}

/* ", 61 %, 0:42 to go", or nothing while there is nothing to go by. */
static void format_remaining(char out[64], int64_t done, int64_t total, double elapsed)
{
    out[0] = '\0';
    if (total <= 0 || done <= 0)
        return;
    double share = (double)done / (double)total;
    if (share > 1)
        share = 1;
    long left = (long)(elapsed / share - elapsed + 0.5);
    snprintf(out, 64, ", %d %%, %ld:%02ld to go", (int)(share * 100), left / 60, left % 60);
}

/* "catching up: 1,234 of 5,678 events, 500 a second, 21 %, 0:08 to go" */
static void format_progress(char out[256], const struct progress *progress, int64_t done, int64_t total, int64_t count,
                            double elapsed)
{
    char remaining[64], counted[COUNT_TEXT_MAX], whole[COUNT_TEXT_MAX], rate[COUNT_TEXT_MAX];
    bool has_whole = progress->is_counted && total > 0;
    format_remaining(remaining, done - progress->from, total - progress->from, elapsed);
    snprintf(out, 256, "%s: %s%s%s %s, %s a second%s", progress->what,
             count_format(has_whole ? done - progress->from : count, counted), has_whole ? " of " : "",
             has_whole ? count_format(total - progress->from, whole) : "", progress->unit,
             count_format((int64_t)((double)(count - progress->count_from) / elapsed), rate), remaining);
}

static void draw(const char *line)
{
    fprintf(stderr, WIPE_LINE "%s", line);
    fflush(stderr);
    line_is_drawn = true;
}

void progress_show(struct progress *progress, int64_t done, int64_t total, int64_t count)
{
    char line[256];
    if (progress->from < 0) {
        progress->from = done;
        progress->count_from = count;
    }
    bool is_wanted = progress->is_shown || progress->is_noted;
    double now = is_wanted ? seconds_now() : 0;
    if (!is_wanted || now - progress->drawn < (progress->is_shown ? DRAW_INTERVAL_S : NOTE_INTERVAL_S))
        return;
    progress->drawn = now;
    format_progress(line, progress, done, total, count, now - progress->started);
    if (progress->is_shown)
        draw(line);
    else
        message_note("%s", line);
}

void progress_end(struct progress *progress)
{
    progress->drawn = 0;
    wipe_progress();
}
