/* scan.c - see scan.h.
 *
 * Of the events of a busy day nearly all are ticks, and jansson takes ten times
 * as long over one as the fold does. This scanner takes the form in which
 * every platform writes them: one object of string attributes around one flat
 * object of strings, integers and booleans, in ASCII without escapes, members
 * in any order, white space where JSON allows it. On everything else,
 * invalid or merely unusual, it says false, and decode.c decides. It may
 * refuse what is valid; it must never take what decode.c rejects, nor see
 * another event in it.
 *
 * The type may come behind the data it governs, so members are noted as they
 * pass and judged at the end (scan_judge.c).
 */
#include "events/scan.h"

#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "events/decode.h"
#include "events/instant.h"
#include "events/phone.h"

/* The names of other members, to notice a second one. */
#define OTHERS_MAX 8
struct others {
    size_t count;
    struct text names[OTHERS_MAX];
};

/* What has been seen so far. It is not cleared at the start of a record (that
 * would take a tenth of the time): the bits and counts say what may be read. */
struct notes {
    const char *end; /* of the record */
    struct scanner *scanner;
    unsigned seen; /* a bit an attribute */
    enum event_type type;
    struct text attributes[ATTRIBUTE_COUNT + 1]; /* the last one: of any other name */
    struct members members;
    struct others attribute_others, member_others;
};
#define ALL_ATTRIBUTES ((1u << ATTRIBUTE_COUNT) - 1)

/* Every function skip_ and take_ begins at `at` and returns the place behind
 * what it took, or NULL when something else is there. */

static inline const char *skip_space(const char *at, const char *end)
{
    while (at < end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* c, with white space before it; nearly always there is none. */
static inline const char *take(const char *at, const char *end, char c)
{
    if (at < end && *at == c)
        return at + 1;
    at = skip_space(at, end);
    return at < end && *at == c ? at + 1 : NULL;
}

/* --- values --- */

#define EACH_BYTE 0x0101010101010101u
#define HIGH_BITS 0x8080808080808080u

/* The high bit of each byte of word that ends or spoils a plain string: a quote,
 * a backslash, a control character, a byte that is not ASCII (it keeps its high
 * bit in one of the three). Exact for the first of them; a borrow can only reach
 * bytes behind it. */
static inline uint64_t not_plain(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE * '"', backslash = word ^ EACH_BYTE * '\\';

    return ((quote - EACH_BYTE) | (backslash - EACH_BYTE) | (word - EACH_BYTE * ' ')) & HIGH_BITS;
}

/* The rest of a string whose opening quote is taken, and its closing one; the
 * text in between runs from `first` to what ends or spoils it. */
static inline const char *close_string(const char *first, const char *stop, struct text *out)
{
    *out = (struct text){first, (size_t)(stop - first)};
    return *stop == '"' ? stop + 1 : NULL;
}

static inline const char *take_string(const char *at, const char *end, struct text *out)
{
    const char *first = at;

#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        __m128i other = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' ')); /* what is not ASCII is below 0 */
        int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), other));
        if (found)
            return close_string(first, at + __builtin_ctz((unsigned)found), out);
    }
#endif
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        uint64_t found = not_plain(le64toh(word));
        if (found)
            return close_string(first, at + __builtin_ctzll(found) / 8, out);
    }
    while (at < end && *at != '"' && *at != '\\' && (signed char)*at >= ' ')
        at++;
    return at < end ? close_string(first, at, out) : NULL;
}

/* The same of a string that is an id. */
static inline const char *take_id(const char *at, const char *end, struct text *out)
{
    const char *stop = id_end(at, end);

    return stop < end && (size_t)(stop - at) - 1 < ID_MAX ? close_string(at, stop, out) : NULL;
}

/* Digits without a superfluous zero, few enough for int64. */
static inline const char *take_integer(const char *at, const char *end, int64_t *out)
{
    const char *first = at;
    int64_t integer = 0;

    if (end - first > 18)
        end = first + 18;
    for (; at < end && (unsigned char)(*at - '0') <= 9; at++)
        integer = integer * 10 + (*at - '0');
    *out = integer;
    return at > first && (*first != '0' || at - first == 1) ? at : NULL;
}

static const char *take_word(const char *at, const char *end, struct text word)
{
    return (size_t)(end - at) >= word.len && memcmp(at, word.at, word.len) == 0 ? at + word.len : NULL;
}

/* An integer or a boolean; whatever follows that does not belong there is found
 * by who takes the next comma or brace. */
static const char *take_scalar(const char *at, const char *end, struct value *out)
{
    switch (at < end ? *at : '\0') {
    case 't': out->kind = BOOLEAN, out->integer = 1; return take_word(at, end, TEXT_LIT("true"));
    case 'f': out->kind = BOOLEAN, out->integer = 0; return take_word(at, end, TEXT_LIT("false"));
    default: out->kind = INTEGER; return take_integer(at, end, &out->integer);
    }
}

/* --- names --- */

/* False when name was here before, or there are too many to tell. */
static bool note_other(struct others *others, struct text name)
{
    for (size_t i = 0; i < others->count; i++)
        if (text_equal(others->names[i], name))
            return false;
    if (others->count == OTHERS_MAX)
        return false;
    others->names[others->count++] = name;
    return true;
}

/* The caller's switch has compared the lengths. */
#define IS(name, literal) (memcmp((name).at, literal, sizeof(literal) - 1) == 0)

static unsigned attribute_of(struct text name)
{
    switch (name.len) {
    case 2: return IS(name, "id") ? ID : ATTRIBUTE_COUNT;
    case 4: return IS(name, "type") ? TYPE : IS(name, "time") ? TIME : IS(name, "data") ? DATA : ATTRIBUTE_COUNT;
    case 6: return IS(name, "source") ? SOURCE : ATTRIBUTE_COUNT;
    case 7: return IS(name, "subject") ? SUBJECT : ATTRIBUTE_COUNT;
    case 11: return IS(name, "specversion") ? SPECVERSION : ATTRIBUTE_COUNT;
    default: return ATTRIBUTE_COUNT;
    }
}

static unsigned member_of(struct text name)
{
    switch (name.len) {
    case 2: return IS(name, "to") ? TO : MEMBER_COUNT;
    case 4: return IS(name, "from") ? FROM : IS(name, "role") ? ROLE : IS(name, "paid") ? PAID : MEMBER_COUNT;
    case 5: return IS(name, "actor") ? ACTOR : IS(name, "owner") ? OWNER : MEMBER_COUNT;
    case 6:
        return IS(name, "number")   ? NUMBER
               : IS(name, "origin") ? ORIGIN
               : IS(name, "prefix") ? PREFIX
               : IS(name, "amount") ? AMOUNT
               : IS(name, "reason") ? REASON
                                    : MEMBER_COUNT;
    case 7: return IS(name, "call_id") ? CALL_ID : IS(name, "enabled") ? ENABLED : MEMBER_COUNT;
    case 8: return IS(name, "currency") ? CURRENCY : IS(name, "topup_id") ? TOPUP_ID : MEMBER_COUNT;
    case 9:
        return IS(name, "direction")   ? DIRECTION
               : IS(name, "member_id") ? MEMBER_ID
               : IS(name, "voicemail") ? VOICEMAIL
               : IS(name, "threshold") ? THRESHOLD
                                       : MEMBER_COUNT;
    case 10: return IS(name, "message_id") ? MESSAGE_ID : MEMBER_COUNT;
    case 11:
        return IS(name, "duration_ms")   ? DURATION_MS
               : IS(name, "daily_limit") ? DAILY_LIMIT
               : IS(name, "recharge_id") ? RECHARGE_ID
                                         : MEMBER_COUNT;
    default: return MEMBER_COUNT;
    }
}

/* --- how members begin --- */

/* What is read alike of the envelope and of its data. */
struct level {
    unsigned count;            /* of known names; the number of any other */
    unsigned strings, scalars; /* a bit a member whose value may be a string; anything else */
    unsigned (*member_of)(struct text name);
    const char *(*take_value)(struct notes *, const struct opening *, const char *at);
};

/* Of sixteen bytes; those that do not count are taken for all ones. */
static inline bool is_expected(const struct opening *expected, const char *at)
{
    uint64_t found[OPENING_MAX / 8];

    memcpy(found, at, sizeof(found));
    return (found[0] | expected->any[0]) == expected->bytes[0] && (found[1] | expected->any[1]) == expected->bytes[1];
}

/* No bytes are all ones and 0. */
static void expect_nothing(struct opening *opening)
{
    memset(opening->any, 0xff, sizeof(opening->any));
    memset(opening->bytes, 0, sizeof(opening->bytes));
}

static void expect(struct opening *opening, const char *at, size_t len)
{
    memset(opening->bytes, 0xff, sizeof(opening->bytes));
    memcpy(opening->bytes, at, len);
    memset(opening->any, 0, len);
    opening->len = (uint8_t)len;
}

/* What is in *opening then, to be expected the next time; but not that of an
 * unknown name, which must be looked at each time. */
static const char *learn_opening(struct opening *opening, const char *at, const char *end, const struct level *level,
                                 struct others *others)
{
    const char *first = at;
    struct text name;

    expect_nothing(opening);
    at = at < end && *at == '"' ? take_string(at + 1, end, &name) : NULL;
    at = at ? take(at, end, ':') : NULL;
    if (!at)
        return NULL;
    at = skip_space(at, end);
    unsigned member = level->member_of(name), bit = 1u << member;
    opening->is_string = at < end && *at == '"';
    opening->member = (uint8_t)member;
    opening->bit = member == level->count ? 0 : bit;
    at += opening->is_string;
    if (!((opening->is_string ? level->strings : level->scalars) & bit))
        return NULL;
    if (member == level->count)
        return note_other(others, name) ? at : NULL;
    if (at - first <= OPENING_MAX)
        expect(opening, first, (size_t)(at - first));
    return at;
}

/* What is in front of a member and its opening, which is another than expected
 * or has white space before it. */
static __attribute__((noinline)) const char *take_other_opening(struct opening *opening, char before, const char *at,
                                                                const char *end, const struct level *level,
                                                                struct others *others)
{
    at = take(at, end, before);
    if (!at)
        return NULL;
    at = skip_space(at, end);
    return end - at >= OPENING_MAX && is_expected(opening, at) ? at + opening->len
                                                               : learn_opening(opening, at, end, level, others);
}

/* {"name":value,...} with at least one member. Inline, or the calls through the
 * pointers would be left in the loop. */
static inline __attribute__((always_inline)) const char *take_object(struct notes *notes, const struct level *level,
                                                                     struct opening *openings, struct others *others,
                                                                     const char *at)
{
    const char *end = notes->end;
    struct opening *opening = &openings[level->count + 1];

    for (char before = '{'; at; before = ',') {
        if (end - at > OPENING_MAX && *at == before && is_expected(opening, at + 1)) {
            at += 1 + opening->len;
        } else {
            const char *brace = before == ',' ? take(at, end, '}') : NULL;
            if (brace)
                return brace;
            at = take_other_opening(opening, before, at, end, level, others);
        }
        at = at ? level->take_value(notes, opening, at) : NULL;
        opening = &openings[opening->member];
    }
    return NULL;
}

/* --- members --- */

/* What is an id in every type that looks at it. */
#define IDS                                                                                          \
    (1u << CALL_ID | 1u << MEMBER_ID | 1u << ACTOR | 1u << MESSAGE_ID | 1u << ORIGIN | 1u << OWNER | \
     1u << RECHARGE_ID | 1u << TOPUP_ID)

static inline __attribute__((always_inline)) const char *take_member(struct notes *notes, const struct opening *opening,
                                                                     const char *at)
{
    struct value *value = &notes->members.values[opening->member];

    if (notes->members.present & opening->bit)
        return NULL;
    notes->members.present |= opening->bit;
    if (!opening->is_string)
        return take_scalar(at, notes->end, value);
    if (IDS & opening->bit) {
        value->kind = VALID_ID;
        return take_id(at, notes->end, &value->text);
    }
    value->kind = STRING;
    return take_string(at, notes->end, &value->text);
}

static inline __attribute__((always_inline)) const char *take_attribute(struct notes *notes,
                                                                        const struct opening *opening, const char *at)
{
    static const struct level data = {MEMBER_COUNT, ~0u, ~0u, member_of, take_member};
    struct text *text = &notes->attributes[opening->member];

    if (notes->seen & opening->bit)
        return NULL;
    notes->seen |= opening->bit;
    if (opening->member == DATA)
        return take_object(notes, &data, notes->scanner->members, &notes->member_others, at);
    if (opening->member == SUBJECT)
        return take_id(at, notes->end, text);
    at = take_string(at, notes->end, text);
    /* Leaving at the type of another event saves the rest of the way. */
    return at && opening->member == TYPE && !scanned_type(*text, &notes->type) ? NULL : at;
}

static bool judge_envelope(const struct notes *notes, struct event *event)
{
    const struct text *attributes = notes->attributes;

    if (notes->seen != ALL_ATTRIBUTES)
        return false;
    event->type = notes->type;
    event->subject = attributes[SUBJECT];
    return text_equal(attributes[SPECVERSION], TEXT_LIT("1.0")) && attributes[ID].len > 0 &&
           attributes[SOURCE].len > 0 && instant_parse_near(attributes[TIME], &notes->scanner->minute, &event->time_ms);
}

bool scan_event(struct scanner *scanner, struct text value, struct event *event)
{
    static const struct level envelope = {ATTRIBUTE_COUNT, ~(1u << DATA), 1u << DATA, attribute_of, take_attribute};
    struct notes notes;

    if (value.len == 0 || value.len > RECORD_MAX)
        return false;
    notes.end = value.at + value.len;
    notes.scanner = scanner;
    notes.type = EVENT_TYPE_COUNT;
    notes.seen = notes.members.present = 0;
    notes.attribute_others.count = notes.member_others.count = 0;

    const char *at =
        take_object(&notes, &envelope, scanner->attributes, &notes.attribute_others, skip_space(value.at, notes.end));
    return at && skip_space(at, notes.end) == notes.end && judge_envelope(&notes, event) &&
           judge_members(&notes.members, event);
}
