/* instant.h - instants are int64_t milliseconds since 1970-01-01T00:00:00Z.
 *
 * Days are UTC days, counted from 1970-01-01 (day 0), floor division, so that
 * instants before 1970 fall into negative days.
 */
#ifndef CALLFOLD_EVENTS_INSTANT_H
#define CALLFOLD_EVENTS_INSTANT_H

#include "events/text.h"

#define MS_PER_SECOND    1000
#define MS_PER_MINUTE    60000
#define MS_PER_HOUR      3600000
#define MS_PER_DAY       86400000
#define INSTANT_TEXT_MAX 25 /* "2026-11-23T08:00:06.000Z" and a NUL */
#define DAY_TEXT_MAX     11 /* "2026-11-23" and a NUL */

/* Reads RFC 3339 with Z or an offset, 0 to 9 fraction digits, truncated to the
 * millisecond. A leap second (:60 at 23:59 UTC) is the next second's start. False when the
 * text is anything else, or the instant in UTC leaves the years 0000-9999. */
bool instant_parse(struct text t, int64_t *ms);

/* The same, sooner when the instant lies in the minute of the one before, as in
 * a stream it mostly does. *last: zero it to begin. */
#define MINUTE_LENGTH 16 /* of "2026-11-23T08:00" */
struct instant_minute {
    char text[MINUTE_LENGTH];
    bool is_known;
    int64_t first_ms;
};
bool instant_parse_near(struct text t, struct instant_minute *last, int64_t *ms);

/* Writes "2026-11-23T08:00:06.000Z" and a NUL; returns 24. */
size_t instant_format(int64_t ms, char out[INSTANT_TEXT_MAX]);

/* Reads "2026-11-23"; false, and *day untouched, when there is no such date. */
bool day_parse(struct text t, int32_t *day);
/* The UTC day an instant belongs to (floor), and a day's first instant. */
static inline int32_t instant_day(int64_t ms)
{
    return (int32_t)(ms / MS_PER_DAY - (ms % MS_PER_DAY < 0));
}
static inline int64_t day_start_ms(int32_t day)
{
    return (int64_t)day * MS_PER_DAY;
}
/* Writes "2026-11-23" and a NUL; returns 10. */
size_t day_format(int32_t day, char out[DAY_TEXT_MAX]);

#endif
