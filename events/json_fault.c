#include "events/json_fault.h"

struct walk {
    const char *end;
    const char *what, *where; /* of the fault */
};

/* Every function walk_ begins at `at` and returns the place behind what it
 * walked over, or NULL with the fault noted. */

static const char *stop(struct walk *walk, const char *at, const char *what)
{
    walk->what = at < walk->end ? what : "JSON ends too early";
    walk->where = at;
    return NULL;
}

static bool is_at(const struct walk *walk, const char *at, char c)
{
    return at < walk->end && *at == c;
}

static const char *skip_space(const struct walk *walk, const char *at)
{
    while (at < walk->end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* A sequence of two to four bytes; no surrogate, no longer than it needs to be. */
static const char *walk_utf8(struct walk *walk, const char *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)*at;
    int len = lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 0;
    uint32_t code = lead & (0x7Fu >> len);

    for (int i = 1; i < len; i++) {
        if (at + i == walk->end || (at[i] & 0xC0) != 0x80)
            return stop(walk, at, "invalid UTF-8");
        code = code << 6 | ((unsigned char)at[i] & 0x3F);
    }
    if (len == 0 || code < least[len] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return stop(walk, at, "invalid UTF-8");
    return at + len;
}

/* The code unit of a \uXXXX at `at`; false when there is none. */
static bool read_unit(const struct walk *walk, const char *at, uint32_t *unit)
{
    static const char digits[] = "0123456789abcdefABCDEF";

    if (walk->end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return false;
    *unit = 0;
    for (int i = 2; i < 6; i++) {
        const char *digit = memchr(digits, at[i], sizeof(digits) - 1);
        if (!digit)
            return false;
        *unit = *unit << 4 | (uint32_t)(digit - digits < 16 ? digit - digits : digit - digits - 6);
    }
    return true;
}

static const char *walk_escape(struct walk *walk, const char *at)
{
    uint32_t unit, low;

    if (at + 1 == walk->end)
        return stop(walk, walk->end, "");
    if (memchr("\"\\/bfnrt", at[1], 8))
        return at + 2;
    if (!read_unit(walk, at, &unit))
        return stop(walk, at, "invalid escape");
    if (unit == 0)
        return stop(walk, at, "NUL (\\u0000)");
    if (unit < 0xD800 || unit > 0xDFFF)
        return at + 6;
    if (unit > 0xDBFF || !read_unit(walk, at + 6, &low) || low < 0xDC00 || low > 0xDFFF)
        return stop(walk, at, "half a surrogate pair");
    return at + 12;
}

static const char *walk_string(struct walk *walk, const char *at)
{
    if (!is_at(walk, at, '"'))
        return stop(walk, at, "invalid JSON");
    at++;
    while (at && at < walk->end && *at != '"') {
        unsigned char c = (unsigned char)*at;
        if (c < ' ')
            return stop(walk, at, "control character in a string");
        at = c == '\\' ? walk_escape(walk, at) : c < 0x80 ? at + 1 : walk_utf8(walk, at);
    }
    if (!at)
        return NULL;
    return at < walk->end ? at + 1 : stop(walk, at, "");
}

/* At least one. */
static const char *walk_digits(struct walk *walk, const char *at)
{
    const char *first = at;

    while (at < walk->end && *at >= '0' && *at <= '9')
        at++;
    return at > first ? at : stop(walk, at, "invalid JSON");
}

static const char *walk_number(struct walk *walk, const char *at)
{
    at += is_at(walk, at, '-');
    at = is_at(walk, at, '0') ? at + 1 : walk_digits(walk, at);
    if (at && is_at(walk, at, '.'))
        at = walk_digits(walk, at + 1);
    if (at && (is_at(walk, at, 'e') || is_at(walk, at, 'E'))) {
        at++;
        at = walk_digits(walk, at + (is_at(walk, at, '+') || is_at(walk, at, '-')));
    }
    return at;
}

static const char *walk_word(struct walk *walk, const char *at, struct text word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!is_at(walk, at + i, word.at[i]))
            return stop(walk, at + i, "invalid JSON");
    return at + word.len;
}

static const char *walk_container(struct walk *walk, const char *at, char close);

static const char *walk_value(struct walk *walk, const char *at)
{
    switch (at < walk->end ? *at : '\0') {
    case '{': return walk_container(walk, at, '}');
    case '[': return walk_container(walk, at, ']');
    case '"': return walk_string(walk, at);
    case 't': return walk_word(walk, at, TEXT_LIT("true"));
    case 'f': return walk_word(walk, at, TEXT_LIT("false"));
    case 'n': return walk_word(walk, at, TEXT_LIT("null"));
    default: return walk_number(walk, at);
    }
}

static const char *walk_key(struct walk *walk, const char *at)
{
    at = walk_string(walk, at);
    if (!at)
        return NULL;
    at = skip_space(walk, at);
    return is_at(walk, at, ':') ? skip_space(walk, at + 1) : stop(walk, at, "invalid JSON");
}

static const char *walk_container(struct walk *walk, const char *at, char close)
{
    at = skip_space(walk, at + 1);
    if (is_at(walk, at, close))
        return at + 1;
    for (;; at = skip_space(walk, at + 1)) {
        at = close == '}' ? walk_key(walk, at) : at;
        at = at ? walk_value(walk, at) : NULL;
        if (!at)
            return NULL;
        at = skip_space(walk, at);
        if (is_at(walk, at, close))
            return at + 1;
        if (!is_at(walk, at, ','))
            return stop(walk, at, "invalid JSON");
    }
}

bool json_fault(struct text value, const char **what, size_t *at)
{
    struct walk walk = {.end = value.at + value.len};
    const char *here = skip_space(&walk, value.at);

    here = is_at(&walk, here, '{') || is_at(&walk, here, '[') ? walk_value(&walk, here)
                                                              : stop(&walk, here, "expected a JSON object");
    here = here ? skip_space(&walk, here) : NULL;
    if (here == walk.end)
        return false;
    if (here)
        stop(&walk, here, "bytes behind the JSON object");
    *what = walk.what;
    *at = (size_t)(walk.where - value.at);
    return true;
}
