/* encode_write.h - how the encoders put JSON together; private to encode*.c.
 *
 * Values are written through a cursor (`char *p`) into room that was reserved
 * beforehand, so that a register and not the buffer is moved: an output is some
 * thirty short pieces, and bookkeeping for each of them would cost more than
 * the pieces. Hence the pattern of every writer:
 *
 *     char *p = write_begin(buffer, FIXED_ROOM + text_room(call_id));
 *     p = put_text(p, MEMBER("call_id"), call_id);
 *     write_end(buffer, p);          (asserts that the room was kept to)
 *
 * FIXED_ROOM covers names, numbers, amounts, instants, hashes and words of one
 * flat object; texts, whose length others decide, ask for theirs by text_room.
 *
 * Every member begins with a comma. object_close turns the first comma of its
 * object into the opening brace, so that no writer needs to know whether a
 * member before it was absent.
 */
#ifndef CALLFOLD_EVENTS_ENCODE_WRITE_H
#define CALLFOLD_EVENTS_ENCODE_WRITE_H

#include <assert.h>

#include "events/currency.h"
#include "events/encode.h"
#include "events/instant.h"
#include "events/money.h"

/* The widest flat object without its texts, ledger.posted or call.recorded,
 * stays below 700 bytes. */
#define FIXED_ROOM 1024

/* ,"name": */
#define MEMBER(name) TEXT_LIT(",\"" name "\":")

/* Bytes of text as a JSON string at worst: six for each (\u00XX), two quotes. */
static inline size_t text_room(struct text text)
{
    return 6 * text.len + 2;
}

static inline char *write_begin(struct buffer *buffer, size_t room)
{
    buffer_reserve(buffer, room);
    return buffer->at + buffer->len;
}

static inline void write_end(struct buffer *buffer, const char *p)
{
    buffer->len = (size_t)(p - buffer->at);
    assert(buffer->len <= buffer->capacity);
}

/* Writes text as JSON into text_room(text) bytes, with and without its quotes; the end. */
char *put_json_string(char *p, struct text text);
char *put_json_text(char *p, struct text text);
/* Writes value in decimal into at most 20 bytes; the end. */
char *put_decimal(char *p, int64_t value);

static inline char *put_raw(char *p, struct text raw)
{
    memcpy(p, raw.at, raw.len);
    return p + raw.len;
}

/* A member holding a text; nothing when the text is absent. */
static inline char *put_text(char *p, struct text member, struct text value)
{
    return text_present(value) ? put_json_string(put_raw(p, member), value) : p;
}

static inline char *put_integer(char *p, struct text member, int64_t value)
{
    return put_decimal(put_raw(p, member), value);
}

static inline char *put_bool(char *p, struct text member, bool value)
{
    return put_raw(put_raw(p, member), value ? TEXT_LIT("true") : TEXT_LIT("false"));
}

/* bytes between quotes, taken to need no escape: words of ours, hex. */
static inline char *put_quoted(char *p, struct text bytes)
{
    *p++ = '"';
    p = put_raw(p, bytes);
    *p++ = '"';
    return p;
}

static inline char *put_word(char *p, struct text member, const char *word)
{
    return put_quoted(put_raw(p, member), text_of(word));
}

static inline char *put_hex(char *p, struct text member, const char *digits, size_t count)
{
    return put_quoted(put_raw(p, member), (struct text){digits, count});
}

/* The formatters end with a NUL, which the closing quote then takes the place of. */
static inline char *put_money(char *p, struct text member, int64_t micros)
{
    p = put_raw(p, member);
    *p++ = '"';
    p += money_format(micros, p);
    *p++ = '"';
    return p;
}

static inline char *put_fx_rate(char *p, struct text member, int64_t nanos)
{
    p = put_raw(p, member);
    *p++ = '"';
    p += fx_rate_format(nanos, p);
    *p++ = '"';
    return p;
}

static inline char *put_currency(char *p, struct text member, uint32_t code)
{
    assert(code != 0);
    p = put_raw(p, member);
    *p++ = '"';
    currency_format(code, p);
    p += CURRENCY_TEXT_MAX - 1;
    *p++ = '"';
    return p;
}

static inline char *put_instant(char *p, struct text member, int64_t ms)
{
    p = put_raw(p, member);
    *p++ = '"';
    p += instant_format(ms, p);
    *p++ = '"';
    return p;
}

static inline char *put_day(char *p, struct text member, int32_t day)
{
    p = put_raw(p, member);
    *p++ = '"';
    p += day_format(day, p);
    *p++ = '"';
    return p;
}

static inline char *put_type(char *p, const char *name)
{
    p = put_raw(p, TEXT_LIT(",\"type\":\"" TYPE_PREFIX));
    p = put_raw(p, text_of(name));
    *p++ = '"';
    return p;
}

/* Closes a nested object that has at least one member: `object` is where its
 * first comma stands, p its end; the new end. */
static inline char *object_end(char *object, char *p)
{
    *object = '{';
    *p++ = '}';
    return p;
}

/* Begins an element of an array; where the element starts. */
static inline size_t element_open(struct buffer *buffer)
{
    buffer_reserve(buffer, 1);
    buffer->at[buffer->len++] = ',';
    return buffer->len;
}

/* Closes the object or array whose first byte is at offset `start`: there
 * stands the comma of its first member, or nothing when it has none. */
void object_close(struct buffer *buffer, size_t start);
void array_close(struct buffer *buffer, size_t start);

#endif
