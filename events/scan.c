/* scan.c - the events of an account in their plain form, in one pass.
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
#include <endian.h>

#include "events/decode.h"
#include "events/instant.h"
#include "events/phone.h"
#include "events/scan_judge.h"

enum attribute { SPECVERSION, ID, SOURCE, TYPE, TIME, SUBJECT, DATA, ATTRIBUTE_COUNT };

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
    unsigned seen;   /* a bit an attribute */
    enum event_type type;
    struct text attributes[ATTRIBUTE_COUNT];
    struct members members;
    struct others attribute_others, member_others;
};
#define ALL_ATTRIBUTES ((1u << ATTRIBUTE_COUNT) - 1)

/* Every function skip_ and take_ begins at `at` and returns the place behind
 * what it took, or NULL when something else is there. */

/* Nearly always there is none, which the first comparison tells. */
static inline const char *skip_space(const char *at, const char *end)
{
    while (at < end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* c, with white space before it. */
static inline const char *take(const char *at, const char *end, char c)
{
    at = skip_space(at, end);
    return at < end && *at == c ? at + 1 : NULL;
}

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

/* The rest of a string whose opening quote is taken, and its closing one. */
static inline const char *take_string_rest(const char *at, const char *end, struct text *out)
{
    uint64_t found = 0;

    out->at = at;
    for (; !found && end - at >= 8; at += found ? __builtin_ctzll(found) / 8 : 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        found = not_plain(le64toh(word));
    }
    while (!found && at < end && *at != '"' && *at != '\\' && (signed char)*at >= ' ')
        at++;
    out->len = (size_t)(at - out->at);
    return at < end && *at == '"' ? at + 1 : NULL;
}

static inline const char *take_string(const char *at, const char *end, struct text *out)
{
    at = take(at, end, '"');
    return at ? take_string_rest(at, end, out) : NULL;
}

/* Digits without a superfluous zero, few enough for int64. */
static const char *take_integer(const char *at, const char *end, int64_t *out)
{
    const char *first = at;
    int64_t integer = 0;

    while (at < end && (unsigned char)(*at - '0') <= 9 && at - first < 18)
        integer = integer * 10 + (*at++ - '0');
    *out = integer;
    return at > first && (*first != '0' || at - first == 1) ? at : NULL;
}

static const char *take_word(const char *at, const char *end, struct text word)
{
    return (size_t)(end - at) >= word.len && memcmp(at, word.at, word.len) == 0 ? at + word.len : NULL;
}

/* A string, an integer or a boolean; whatever follows a number or a word that
 * does not belong there is found by who takes the next comma or brace. */
static const char *take_value(const char *at, const char *end, struct value *out)
{
    at = skip_space(at, end);
    switch (at < end ? *at : '\0') {
    case '"': out->kind = STRING; return take_string_rest(at + 1, end, &out->text);
    case 't': out->kind = BOOLEAN, out->integer = 1; return take_word(at, end, TEXT_LIT("true"));
    case 'f': out->kind = BOOLEAN, out->integer = 0; return take_word(at, end, TEXT_LIT("false"));
    default: out->kind = INTEGER; return take_integer(at, end, &out->integer);
    }
}

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

static inline enum attribute attribute_of(struct text name)
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

static inline enum member member_of(struct text name)
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

static const char *take_member(struct notes *notes, struct text name, const char *at)
{
    enum member member = member_of(name);
    struct value ignored;

    if (member == MEMBER_COUNT)
        return note_other(&notes->member_others, name) ? take_value(at, notes->end, &ignored) : NULL;
    if (notes->members.present & 1u << member)
        return NULL;
    notes->members.present |= 1u << member;
    return take_value(at, notes->end, &notes->members.values[member]);
}

/* {"name":value,...} with at least one member; take_one takes a value. Inline,
 * or the calls through the pointer would be left in the loop. */
static inline __attribute__((always_inline)) const char *take_object(struct notes *notes, const char *at,
                                                                     const char *(*take_one)(struct notes *,
                                                                                             struct text, const char *))
{
    const char *end = notes->end, *next;
    struct text name;

    at = take(at, end, '{');
    while (at) {
        at = take_string(at, end, &name);
        at = at ? take(at, end, ':') : NULL;
        at = at ? take_one(notes, name, at) : NULL;
        next = at ? take(at, end, ',') : NULL;
        if (!next)
            break;
        at = next;
    }
    return at ? take(at, end, '}') : NULL;
}

static const char *take_attribute(struct notes *notes, struct text name, const char *at)
{
    enum attribute attribute = attribute_of(name);
    struct text ignored;

    if (attribute == ATTRIBUTE_COUNT)
        return note_other(&notes->attribute_others, name) ? take_string(at, notes->end, &ignored) : NULL;
    if (notes->seen & 1u << attribute)
        return NULL;
    notes->seen |= 1u << attribute;
    if (attribute == DATA)
        return take_object(notes, at, take_member);
    at = take_string(at, notes->end, &notes->attributes[attribute]);
    /* Leaving at the type of another event saves the rest of the way. */
    return at && attribute == TYPE && !scanned_type(notes->attributes[TYPE], &notes->type) ? NULL : at;
}

static bool judge_envelope(const struct notes *notes, struct event *event)
{
    const struct text *attributes = notes->attributes;

    if (notes->seen != ALL_ATTRIBUTES)
        return false;
    event->type = notes->type;
    event->subject = attributes[SUBJECT];
    return text_equal(attributes[SPECVERSION], TEXT_LIT("1.0")) && attributes[ID].len > 0 &&
           attributes[SOURCE].len > 0 && id_is_valid(attributes[SUBJECT]) &&
           instant_parse(attributes[TIME], &event->time_ms);
}

bool event_scan(struct text value, struct event *event)
{
    struct notes notes;

    if (value.len == 0 || value.len > RECORD_MAX)
        return false;
    notes.end = value.at + value.len;
    notes.seen = notes.members.present = 0;
    notes.attribute_others.count = notes.member_others.count = 0;

    const char *at = take_object(&notes, value.at, take_attribute);
    return at && skip_space(at, notes.end) == notes.end && judge_envelope(&notes, event) &&
           judge_members(&notes.members, event);
}
