/* scan.c - the three call types in their plain form, in one pass.
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
 * pass and judged at the end.
 */
#include <endian.h>

#include "events/decode.h"
#include "events/instant.h"
#include "events/phone.h"

/* The members that mean something to a call, of the envelope and of data. */
enum attribute { SPECVERSION, ID, SOURCE, TYPE, TIME, SUBJECT, DATA, ATTRIBUTE_COUNT };
enum member { CALL_ID, DURATION_MS, DIRECTION, FROM, TO, MEMBER_ID, VOICEMAIL, MEMBER_COUNT };

enum kind { ABSENT, STRING, INTEGER, BOOLEAN };

struct value {
    enum kind kind;
    struct text text;
    int64_t integer; /* of a boolean: 0 or 1 */
};

/* The names of other members, to notice a second one. */
#define OTHERS_MAX 8
struct others {
    size_t count;
    struct text names[OTHERS_MAX];
};

struct scanner {
    const char *at, *end;
    enum event_type type;
    struct text attributes[ATTRIBUTE_COUNT]; /* absent until seen */
    struct value members[MEMBER_COUNT];
    struct others *attribute_others, *member_others;
};

static void skip_space(struct scanner *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

/* Takes c, with white space before it. */
static bool take(struct scanner *s, char c)
{
    skip_space(s);
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

#define EACH_BYTE 0x0101010101010101u
#define HIGH_BITS 0x8080808080808080u

/* The high bit of each byte of word that ends or spoils a plain string: a quote,
 * a backslash, a control character, a byte that is not ASCII. Exact for the
 * first of them; a borrow can only reach bytes behind it. */
static uint64_t not_plain(uint64_t word)
{
    uint64_t quote = word ^ EACH_BYTE * '"', backslash = word ^ EACH_BYTE * '\\';

    return ((quote - EACH_BYTE) | (backslash - EACH_BYTE) | (word - EACH_BYTE * ' ') | word) & HIGH_BITS;
}

/* Takes the rest of a string whose opening quote is taken, and its closing one. */
static bool take_string_rest(struct scanner *s, struct text *out)
{
    const char *at = s->at;

    while (s->end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        uint64_t found = not_plain(le64toh(word));
        if (found) {
            at += __builtin_ctzll(found) / 8;
            break;
        }
        at += 8;
    }
    while (at < s->end && *at != '"' && *at != '\\' && (signed char)*at >= ' ')
        at++;
    if (at == s->end || *at != '"')
        return false;
    *out = (struct text){s->at, (size_t)(at - s->at)};
    s->at = at + 1;
    return true;
}

static bool take_string(struct scanner *s, struct text *out)
{
    return take(s, '"') && take_string_rest(s, out);
}

/* Digits without a superfluous zero, few enough for int64. */
static bool take_integer(struct scanner *s, int64_t *out)
{
    const char *first = s->at;
    int64_t integer = 0;

    while (s->at < s->end && (unsigned char)(*s->at - '0') <= 9 && s->at - first < 18)
        integer = integer * 10 + (*s->at++ - '0');
    *out = integer;
    return s->at > first && (*first != '0' || s->at - first == 1);
}

static bool take_word(struct scanner *s, struct text word)
{
    if ((size_t)(s->end - s->at) < word.len || memcmp(s->at, word.at, word.len) != 0)
        return false;
    s->at += word.len;
    return true;
}

/* A string, an integer or a boolean; whatever follows a number or a word that
 * does not belong there is found by who takes the next comma or brace. */
static bool take_value(struct scanner *s, struct value *out)
{
    skip_space(s);
    if (s->at == s->end)
        return false;
    switch (*s->at) {
    case '"':
        s->at++;
        out->kind = STRING;
        return take_string_rest(s, &out->text);
    case 't':
        *out = (struct value){.kind = BOOLEAN, .integer = 1};
        return take_word(s, TEXT_LIT("true"));
    case 'f':
        *out = (struct value){.kind = BOOLEAN, .integer = 0};
        return take_word(s, TEXT_LIT("false"));
    default:
        out->kind = INTEGER;
        return take_integer(s, &out->integer);
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

static bool is(struct text name, const char *word)
{
    return memcmp(name.at, word, name.len) == 0; /* the caller has compared the lengths */
}

static enum attribute attribute_of(struct text name)
{
    switch (name.len) {
    case 2: return is(name, "id") ? ID : ATTRIBUTE_COUNT;
    case 4: return is(name, "type") ? TYPE : is(name, "time") ? TIME : is(name, "data") ? DATA : ATTRIBUTE_COUNT;
    case 6: return is(name, "source") ? SOURCE : ATTRIBUTE_COUNT;
    case 7: return is(name, "subject") ? SUBJECT : ATTRIBUTE_COUNT;
    case 11: return is(name, "specversion") ? SPECVERSION : ATTRIBUTE_COUNT;
    default: return ATTRIBUTE_COUNT;
    }
}

static enum member member_of(struct text name)
{
    switch (name.len) {
    case 2: return is(name, "to") ? TO : MEMBER_COUNT;
    case 4: return is(name, "from") ? FROM : MEMBER_COUNT;
    case 7: return is(name, "call_id") ? CALL_ID : MEMBER_COUNT;
    case 9:
        return is(name, "direction")   ? DIRECTION
               : is(name, "member_id") ? MEMBER_ID
               : is(name, "voicemail") ? VOICEMAIL
                                       : MEMBER_COUNT;
    case 11: return is(name, "duration_ms") ? DURATION_MS : MEMBER_COUNT;
    default: return MEMBER_COUNT;
    }
}

static bool call_type(struct text name, enum event_type *type)
{
    if (text_equal(name, TEXT_LIT(TYPE_PREFIX "call.ticked")))
        *type = EVENT_CALL_TICKED;
    else if (text_equal(name, TEXT_LIT(TYPE_PREFIX "call.started")))
        *type = EVENT_CALL_STARTED;
    else if (text_equal(name, TEXT_LIT(TYPE_PREFIX "call.ended")))
        *type = EVENT_CALL_ENDED;
    else
        return false;
    return true;
}

static bool take_member(struct scanner *s, struct text name)
{
    enum member member = member_of(name);
    struct value ignored;

    if (member == MEMBER_COUNT)
        return note_other(s->member_others, name) && take_value(s, &ignored);
    return s->members[member].kind == ABSENT && take_value(s, &s->members[member]);
}

/* {"name":value,...} with at least one member; `take_one` takes a value. */
static inline bool take_object(struct scanner *s, bool (*take_one)(struct scanner *, struct text))
{
    struct text name;

    if (!take(s, '{'))
        return false;
    do
        if (!take_string(s, &name) || !take(s, ':') || !take_one(s, name))
            return false;
    while (take(s, ','));
    return take(s, '}');
}

static bool take_attribute(struct scanner *s, struct text name)
{
    enum attribute attribute = attribute_of(name);
    struct text ignored;

    if (attribute == ATTRIBUTE_COUNT)
        return note_other(s->attribute_others, name) && take_string(s, &ignored);
    if (text_present(s->attributes[attribute]))
        return false;
    if (attribute == DATA) {
        s->attributes[DATA].at = s->at;
        return take_object(s, take_member);
    }
    /* Leaving at the type of another event saves the rest of the way. */
    return take_string(s, &s->attributes[attribute]) &&
           (attribute != TYPE || call_type(s->attributes[TYPE], &s->type));
}

static bool judge_envelope(const struct scanner *s, struct event *event)
{
    const struct text *attributes = s->attributes;

    event->type = s->type;
    event->subject = attributes[SUBJECT];
    return text_present(attributes[TYPE]) && text_present(attributes[DATA]) &&
           text_equal(attributes[SPECVERSION], TEXT_LIT("1.0")) && attributes[ID].len > 0 &&
           attributes[SOURCE].len > 0 && id_is_valid(attributes[SUBJECT]) &&
           instant_parse(attributes[TIME], &event->time_ms);
}

static bool judge_id(const struct value *value, struct text *out)
{
    *out = value->text;
    return value->kind == STRING && id_is_valid(value->text);
}

static bool judge_dialled(const struct value *value, struct text *out)
{
    *out = value->text;
    return value->kind == STRING && value->text.len <= DIALLED_MAX;
}

static bool judge_duration(const struct value *value, int64_t *out)
{
    *out = value->integer;
    return value->kind == INTEGER && value->integer <= DURATION_MAX_MS;
}

static bool judge_started(const struct value *members, struct event *event)
{
    struct text direction = members[DIRECTION].text;
    bool inbound = text_equal(direction, TEXT_LIT("inbound"));

    if (members[DIRECTION].kind != STRING || (!inbound && !text_equal(direction, TEXT_LIT("outbound"))))
        return false;
    event->data.call_started.direction = inbound ? DIRECTION_INBOUND : DIRECTION_OUTBOUND;
    return judge_id(&members[CALL_ID], &event->data.call_started.call_id) &&
           judge_dialled(&members[FROM], &event->data.call_started.from) &&
           (inbound || phone_is_e164(members[FROM].text)) &&
           judge_dialled(&members[TO], &event->data.call_started.to) &&
           ((inbound && members[MEMBER_ID].kind == ABSENT) ||
            judge_id(&members[MEMBER_ID], &event->data.call_started.member_id));
}

static bool judge_ticked(const struct value *members, struct event *event)
{
    return judge_id(&members[CALL_ID], &event->data.call_ticked.call_id) &&
           judge_duration(&members[DURATION_MS], &event->data.call_ticked.duration_ms);
}

static bool judge_ended(const struct value *members, struct event *event)
{
    enum kind voicemail = members[VOICEMAIL].kind;

    event->data.call_ended.voicemail = voicemail == BOOLEAN && members[VOICEMAIL].integer;
    return (voicemail == ABSENT || voicemail == BOOLEAN) &&
           judge_id(&members[CALL_ID], &event->data.call_ended.call_id) &&
           judge_duration(&members[DURATION_MS], &event->data.call_ended.duration_ms);
}

bool event_scan(struct text value, struct event *event)
{
    struct others attribute_others, member_others; /* their names need no clearing */
    struct scanner s = {
        .at = value.at,
        .end = value.at + value.len,
        .attribute_others = &attribute_others,
        .member_others = &member_others,
    };

    attribute_others.count = member_others.count = 0;
    if (value.len == 0 || value.len > RECORD_MAX || !take_object(&s, take_attribute))
        return false;
    skip_space(&s);
    *event = (struct event){0};
    if (s.at != s.end || !judge_envelope(&s, event))
        return false;
    switch (event->type) {
    case EVENT_CALL_STARTED: return judge_started(s.members, event);
    case EVENT_CALL_TICKED: return judge_ticked(s.members, event);
    default: return judge_ended(s.members, event);
    }
}
