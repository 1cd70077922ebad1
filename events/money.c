#include "events/money.h"

#include <assert.h>
#include <inttypes.h>

#include "events/digits.h"

#define MICROS_DIGITS 6
#define NANOS_DIGITS  9

static const uint64_t powers_of_ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Appends the run of digits at `at` to *value; NULL when that overflows. */
static const char *take_digits(const char *at, const char *end, uint64_t *value)
{
    for (; at < end && is_digit(*at); at++)
        if (__builtin_mul_overflow(*value, 10u, value) || __builtin_add_overflow(*value, (uint64_t)(*at - '0'), value))
            return NULL;
    return at;
}

/* (0|[1-9][0-9]*)(\.[0-9]{1,digits})? in units of 10^-digits. */
static bool parse_decimal(const char *at, const char *end, unsigned digits, uint64_t *out)
{
    uint64_t value = 0;
    unsigned fraction = 0;
    const char *whole = at;

    at = take_digits(at, end, &value);
    if (!at || at == whole || (*whole == '0' && at - whole > 1))
        return false;
    if (at < end) {
        const char *dot = at;
        if (*dot != '.' || end - dot - 1 < 1 || end - dot - 1 > (ptrdiff_t)digits)
            return false;
        fraction = (unsigned)(end - dot - 1);
        at = take_digits(dot + 1, end, &value);
        if (at != end)
            return false;
    }
    return !__builtin_mul_overflow(value, powers_of_ten[digits - fraction], out);
}

bool money_parse(struct text t, int64_t *micros)
{
    bool negative = t.len > 0 && t.at[0] == '-';
    uint64_t value;

    if (t.len == 0 || !parse_decimal(t.at + negative, t.at + t.len, MICROS_DIGITS, &value))
        return false;
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    /* Negating in uint64_t keeps INT64_MIN exact. */
    *micros = (int64_t)(negative ? 0 - value : value);
    return true;
}

bool fx_rate_parse(struct text t, int64_t *nanos)
{
    uint64_t value;

    if (t.len == 0 || !parse_decimal(t.at, t.at + t.len, NANOS_DIGITS, &value) || value > INT64_MAX)
        return false;
    *nanos = (int64_t)value;
    return true;
}

/* unit is 10^digits. Inline: what divides and counts is a constant then. */
static inline size_t format_decimal(int64_t scaled, uint64_t unit, int digits, char out[MONEY_TEXT_MAX])
{
    uint64_t value = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
    char *end = out;

    if (scaled < 0)
        *end++ = '-';
    end = digits_write(end, value / unit);
    if (value % unit != 0) {
        *end++ = '.';
        digits_fixed(end, (uint32_t)(value % unit), digits);
        for (end += digits; end[-1] == '0'; end--) {
        }
    }
    *end = '\0';
    return (size_t)(end - out);
}

size_t money_format(int64_t micros, char out[MONEY_TEXT_MAX])
{
    return format_decimal(micros, MICROS_PER_UNIT, MICROS_DIGITS, out);
}

size_t fx_rate_format(int64_t nanos, char out[MONEY_TEXT_MAX])
{
    return format_decimal(nanos, NANOS_PER_UNIT, NANOS_DIGITS, out);
}

bool mul_div_half_up(int64_t value, int64_t numerator, int64_t denominator, int64_t *out)
{
    assert(value >= 0 && numerator >= 0 && denominator > 0);
    unsigned __int128 divisor = (unsigned __int128)denominator;
    unsigned __int128 product = (unsigned __int128)value * (unsigned __int128)numerator;
    unsigned __int128 quotient = product / divisor;
    unsigned __int128 rest = product % divisor;

    if (rest >= divisor - rest)
        quotient++;
    if (quotient > INT64_MAX)
        return false;
    *out = (int64_t)quotient;
    return true;
}
