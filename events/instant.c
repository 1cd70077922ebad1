#include "events/instant.h"

#include <assert.h>
#include <endian.h>

#include "events/digits.h"

#define MINUTES_PER_DAY 1440
#define DAYS_PER_ERA    146097    /* 400 years of the Gregorian calendar */
#define DAYS_TO_1970    719468    /* from 0000-03-01 */
#define FIRST_DAY       (-719528) /* 0000-01-01 */
#define LAST_DAY        2932896   /* 9999-12-31 */

/* By Howard Hinnant's days_from_civil (howardhinnant.github.io/date_algorithms.html):
 * years begin in March, so that the leap day is a year's last. Year >= 0. */
static int32_t day_of_date(int year, int month, int day)
{
    int shifted = year - (month <= 2) + 400; /* one era ahead: never negative */
    int era = shifted / 400;
    int year_of_era = shifted % 400;
    int day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return (era - 1) * DAYS_PER_ERA + day_of_era - DAYS_TO_1970;
}

/* The way back by Neri and Schneider ("Euclidean affine functions and their
 * application to calendar algorithms", 2022): two divisions become products, whose
 * low halves tell the rest. The tests go through every day. */
static void date_of_day(int32_t day, int *year, int *month, int *day_of_month)
{
    uint32_t quarters = 4 * (uint32_t)(day + DAYS_TO_1970 + DAYS_PER_ERA) + 3;
    uint32_t century = quarters / DAYS_PER_ERA;
    uint64_t years = UINT64_C(2939745) * (quarters % DAYS_PER_ERA | 3);
    uint32_t day_of_year = (uint32_t)years / 2939745 / 4;
    uint32_t months = 2141 * day_of_year + 197913;
    bool is_next = day_of_year >= 306; /* January and February of the next year */

    *day_of_month = (int)((months & 0xffff) / 2141) + 1;
    *month = (int)(months >> 16) - (is_next ? 12 : 0);
    *year = (int)(100 * century + (uint32_t)(years >> 32)) + is_next - 400;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') <= 9;
}

/* Two digits as a number; -1 when they are not. */
static int two_digits(const char *at)
{
    return is_digit(at[0]) && is_digit(at[1]) ? (at[0] - '0') * 10 + (at[1] - '0') : -1;
}

/* "YYYY-MM-DD" to its day; false when there is no such date. */
static bool parse_date(const char *at, int32_t *day)
{
    int century = two_digits(at), year_of_century = two_digits(at + 2);
    int month = two_digits(at + 5), day_of_month = two_digits(at + 8);

    if (at[4] != '-' || at[7] != '-' || century < 0 || year_of_century < 0)
        return false;
    int year = century * 100 + year_of_century;
    if (month < 1 || month > 12 || day_of_month < 1 || day_of_month > days_in_month(year, month))
        return false;
    *day = day_of_date(year, month, day_of_month);
    return true;
}

/* ".123456789" if there is one, to milliseconds; the first byte behind it, or
 * NULL when a fraction has no digit or more than nine. */
static const char *parse_fraction(const char *at, const char *end, int *ms)
{
    int digits = 0, unit = 100;

    *ms = 0;
    if (at == end || *at != '.')
        return at;
    for (at++; at < end && is_digit(*at); at++, digits++, unit /= 10)
        *ms += (*at - '0') * unit;
    return digits >= 1 && digits <= 9 ? at : NULL;
}

/* "Z" or "+hh:mm" up to end, to minutes ahead of UTC. */
static bool parse_offset(const char *at, const char *end, int *minutes)
{
    *minutes = 0;
    if (end - at == 1)
        return *at == 'Z' || *at == 'z';
    if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':')
        return false;
    int hour = two_digits(at + 1), minute = two_digits(at + 4);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
        return false;
    *minutes = (hour * 60 + minute) * (*at == '-' ? -1 : 1);
    return true;
}

/* --- the form in which nearly every instant comes: "2026-11-23T08:00:06.000Z" --- */

#define USUAL_LENGTH 24

/* Eight bytes less those of a pattern: digits become their values, all else that
 * fits becomes 0. */
static uint64_t less_pattern(const char *at, const char pattern[8])
{
    uint64_t bytes, form;
    memcpy(&bytes, at, sizeof bytes);
    memcpy(&form, pattern, sizeof form);
    return le64toh(bytes ^ form);
}

/* No byte is above 9, and those that the mask covers are 0. */
static bool is_digits_but(uint64_t bytes, uint64_t mask)
{
    return (((bytes + 0x0606060606060606) | bytes) & 0xf0f0f0f0f0f0f0f0) == 0 && (bytes & mask) == 0;
}

/* The number of two digits that begins with byte i. */
static int pair_at(uint64_t bytes, int i)
{
    uint64_t pairs = bytes * 10 + (bytes >> 8);
    return (int)(pairs >> (8 * i) & 0xff);
}

/* Eight bytes at a time; false for all that instant_parse should look at byte by
 * byte. First "2026-11-23T08:00", to the minute's first instant. */
static bool parse_minute(const char *at, int64_t *ms)
{
    uint64_t date = less_pattern(at, "0000-00-"), hours = less_pattern(at + 8, "00T00:00");
    if (!is_digits_but(date, 0xff0000ff00000000) || !is_digits_but(hours, 0x0000ff0000ff0000))
        return false;
    int year = pair_at(date, 0) * 100 + pair_at(date, 2), month = pair_at(date, 5), day = pair_at(hours, 0);
    int hour = pair_at(hours, 3), minute = pair_at(hours, 6);
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59)
        return false;
    *ms = day_start_ms(day_of_date(year, month, day)) + hour * MS_PER_HOUR + minute * MS_PER_MINUTE;
    return true;
}

/* Then ":06.000Z", to milliseconds. */
static bool parse_seconds(const char *at, int *ms)
{
    uint64_t seconds = less_pattern(at, ":00.000Z");
    int second = pair_at(seconds, 1);
    *ms = second * MS_PER_SECOND + pair_at(seconds, 4) * 10 + (int)(seconds >> 48 & 0xff);
    return is_digits_but(seconds, 0xff000000ff0000ff) && second <= 59;
}

static bool parse_usual(const char *at, int64_t *ms)
{
    int64_t first;
    int of_minute;
    if (!parse_minute(at, &first) || !parse_seconds(at + MINUTE_LENGTH, &of_minute))
        return false;
    *ms = first + of_minute;
    return true;
}

bool instant_parse_near(struct text t, struct instant_minute *last, int64_t *ms)
{
    int of_minute;

    if (t.len != USUAL_LENGTH)
        return instant_parse(t, ms);
    if (!last->is_known || memcmp(t.at, last->text, MINUTE_LENGTH) != 0) {
        memcpy(last->text, t.at, MINUTE_LENGTH);
        last->is_known = parse_minute(t.at, &last->first_ms);
    }
    if (!last->is_known || !parse_seconds(t.at + MINUTE_LENGTH, &of_minute))
        return instant_parse(t, ms);
    *ms = last->first_ms + of_minute;
    return true;
}

bool instant_parse(struct text t, int64_t *ms)
{
    const char *at = t.at;
    int32_t day;
    int milli, offset;

    if (t.len == USUAL_LENGTH && parse_usual(at, ms))
        return true;
    if (t.len < sizeof("0000-00-00T00:00:00Z") - 1 || !parse_date(at, &day))
        return false;
    int hour = two_digits(at + 11), minute = two_digits(at + 14), second = two_digits(at + 17);
    if ((at[10] != 'T' && at[10] != 't') || at[13] != ':' || at[16] != ':')
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return false;
    const char *zone = parse_fraction(at + 19, at + t.len, &milli);
    if (!zone || !parse_offset(zone, at + t.len, &offset))
        return false;

    int32_t utc_minute = hour * 60 + minute - offset; /* of `day`; may lie in the day before or after */
    if (second == 60) { /* a leap second: the end of a UTC day, whatever the offset calls it */
        if ((utc_minute + MINUTES_PER_DAY) % MINUTES_PER_DAY != MINUTES_PER_DAY - 1)
            return false;
        milli = 0;
    }
    int64_t instant = day_start_ms(day) + (int64_t)utc_minute * MS_PER_MINUTE + second * MS_PER_SECOND + milli;
    if (instant < day_start_ms(FIRST_DAY) || instant >= day_start_ms(LAST_DAY + 1))
        return false;
    *ms = instant;
    return true;
}

bool day_parse(struct text t, int32_t *day)
{
    return t.len == DAY_TEXT_MAX - 1 && parse_date(t.at, day);
}

size_t day_format(int32_t day, char out[DAY_TEXT_MAX])
{
    int year, month, day_of_month;

    assert(day >= FIRST_DAY && day <= LAST_DAY);
    date_of_day(day, &year, &month, &day_of_month);
    memcpy(out, "0000-00-00", DAY_TEXT_MAX);
    digits_pair(out, year / 100);
    digits_pair(out + 2, year % 100);
    digits_pair(out + 5, month);
    digits_pair(out + 8, day_of_month);
    return DAY_TEXT_MAX - 1;
}

size_t instant_format(int64_t ms, char out[INSTANT_TEXT_MAX])
{
    int32_t day = instant_day(ms);
    int of_day = (int)(ms - day_start_ms(day));

    day_format(day, out);
    memcpy(out + 10, "T00:00:00.000Z", sizeof("T00:00:00.000Z"));
    digits_pair(out + 11, of_day / MS_PER_HOUR);
    digits_pair(out + 14, of_day / MS_PER_MINUTE % 60);
    digits_pair(out + 17, of_day / MS_PER_SECOND % 60);
    digits_pair(out + 20, of_day % MS_PER_SECOND / 10);
    out[22] = (char)('0' + of_day % 10);
    return INSTANT_TEXT_MAX - 1;
}
