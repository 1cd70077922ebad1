/* encode_write.c - the growing buffer and the parts of JSON that need a loop. */
#include "events/encode_write.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/digits.h"

#define CAPACITY_MIN 4096

/* Doubles, so that appending costs a constant amount per byte. */
void buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->capacity - buffer->len >= more)
        return;
    size_t capacity = buffer->capacity ? buffer->capacity : CAPACITY_MIN;
    while (capacity - buffer->len < more) {
        if (capacity > SIZE_MAX / 2)
            abort();
        capacity *= 2;
    }
    char *at = realloc(buffer->at, capacity);
    if (!at) {
        fputs("callfold: out of memory while writing an output\n", stderr);
        abort();
    }
    buffer->at = at;
    buffer->capacity = capacity;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct buffer){0};
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    buffer_reserve(buffer, len);
    memcpy(buffer->at + buffer->len, bytes, len);
    buffer->len += len;
}

void buffer_text(struct buffer *buffer, const char *string)
{
    buffer_append(buffer, string, strlen(string));
}

bool text_is_utf8(struct text text)
{
    unsigned char all = 0;
    for (size_t i = 0; i < text.len; i++)
        all |= (unsigned char)text.at[i];
    if (all < 0x80)
        return true;
    json_t *string = json_stringn(text.at, text.len);
    json_decref(string);
    return string != NULL;
}

void buffer_json_string(struct buffer *buffer, struct text text)
{
    char *p = write_begin(buffer, text_room(text));
    write_end(buffer, put_json_string(p, text));
}

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

/* True when eight bytes hold no control character, quote or backslash.
 * A byte below n borrows out of its top bit in v - n; bytes from 0x80 on are
 * masked out by ~v. (Bit Twiddling Hacks, "hasless".) */
static bool eight_are_plain(uint64_t v)
{
    uint64_t control = v - EACH_BYTE(0x20);
    uint64_t quote = (v ^ EACH_BYTE('"')) - EACH_BYTE(1);
    uint64_t backslash = (v ^ EACH_BYTE('\\')) - EACH_BYTE(1);
    return ((control | quote | backslash) & ~v & EACH_BYTE(0x80)) == 0;
}

static char *put_escaped(char *p, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_form[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    *p++ = '\\';
    if (byte >= 0x20) {
        *p++ = (char)byte;
    } else if (short_form[byte]) {
        *p++ = short_form[byte];
    } else {
        p = put_raw(p, TEXT_LIT("u00"));
        *p++ = hex[byte >> 4];
        *p++ = hex[byte & 15];
    }
    return p;
}

/* Copies eights of text until something in one may have to be escaped; how many
 * bytes. What is left at the end is copied as part of the last eight. */
static size_t put_plain(char *p, struct text text)
{
    uint64_t eight;
    size_t i = 0;
    for (; i + sizeof eight <= text.len; i += sizeof eight) {
        memcpy(&eight, text.at + i, sizeof eight);
        if (!eight_are_plain(eight))
            return i;
        memcpy(p + i, &eight, sizeof eight);
    }
    if (i == 0 || i == text.len)
        return i;
    memcpy(&eight, text.at + text.len - sizeof eight, sizeof eight);
    if (!eight_are_plain(eight))
        return i;
    memcpy(p + text.len - sizeof eight, &eight, sizeof eight);
    return text.len;
}

char *put_json_text(char *p, struct text text)
{
    while (text.len > 0) {
        size_t plain = put_plain(p, text);
        p += plain;
        text = (struct text){text.at + plain, text.len - plain};
        if (text.len == 0)
            break;
        unsigned char byte = (unsigned char)*text.at;
        if (byte < 0x20 || byte == '"' || byte == '\\')
            p = put_escaped(p, byte);
        else
            *p++ = (char)byte;
        text = (struct text){text.at + 1, text.len - 1};
    }
    return p;
}

char *put_json_string(char *p, struct text text)
{
    *p++ = '"';
    p = put_json_text(p, text);
    *p++ = '"';
    return p;
}

char *put_decimal(char *p, int64_t value)
{
    if (value < 0)
        *p++ = '-';
    return digits_write(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void close_with(struct buffer *buffer, size_t start, char opening, char closing)
{
    buffer_reserve(buffer, 2);
    if (buffer->len == start)
        buffer->len++;
    buffer->at[start] = opening;
    buffer->at[buffer->len++] = closing;
}

void object_close(struct buffer *buffer, size_t start)
{
    close_with(buffer, start, '{', '}');
}

void array_close(struct buffer *buffer, size_t start)
{
    close_with(buffer, start, '[', ']');
}
