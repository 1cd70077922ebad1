/* log_file_archive.c - see log_file_archive.h. */
#include "processor/log_file_archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "processor/log_file_lines.h"

#define BLOCK_SIZE ((size_t)1 << 20) /* bytes of unescaped texts */

/* Bare events nearly always begin with their specversion, and an archive line
 * has its partition spelt out: both are seen without a parser. */
static bool may_be_archive(struct text line)
{
    static const char bare[] = "{\"specversion\"", archive[] = "\"partition\"";
    if (line.len >= sizeof bare - 1 && memcmp(line.at, bare, sizeof bare - 1) == 0)
        return false;
    return line.len <= LINE_IN_MEMORY_MAX && memmem(line.at, line.len, archive, sizeof archive - 1) != NULL;
}

/* Decodes standard base64, padding required. False for anything else. */
static bool decode_base64(struct text text, struct text *bytes)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t plain = strspn(text.at, alphabet), padding = text.len - plain;
    if (text.len % 4 != 0 || padding > 2 || memcmp(text.at + plain, "==", padding) != 0)
        return false;
    unsigned char *out = malloc(text.len / 4 * 3 + 1);
    if (out == NULL)
        abort();
    int len = EVP_DecodeBlock(out, (const unsigned char *)text.at, (int)text.len);
    *bytes = (struct text){(char *)out, (size_t)len - padding};
    return true;
}

/* A member that may be given as text or as base64, not both. *text is absent
 * where it is null or missing. Decoded bytes become a string of the object's. */
static bool read_bytes(json_t *object, const char *plain, const char *base64, struct text *text)
{
    json_t *as_text = json_object_get(object, plain), *as_base64 = json_object_get(object, base64);
    *text = TEXT_NONE;
    if (as_text != NULL && as_base64 != NULL)
        return false;
    json_t *given = as_text != NULL ? as_text : as_base64;
    if (given == NULL || json_is_null(given))
        return true;
    if (!json_is_string(given))
        return false;
    if (as_base64 != NULL) {
        struct text bytes;
        if (!decode_base64((struct text){json_string_value(given), json_string_length(given)}, &bytes))
            return false;
        json_t *decoded = json_stringn_nocheck(bytes.at, bytes.len);
        free((void *)(uintptr_t)bytes.at);
        json_object_set_new_nocheck(object, base64, decoded);
        given = decoded;
    }
    *text = (struct text){json_string_value(given), json_string_length(given)};
    return true;
}

static bool read_timestamp(const json_t *object, struct fold_record *record)
{
    const json_t *timestamp = json_object_get(object, "timestamp");
    if (timestamp == NULL || json_is_null(timestamp))
        return true;
    if (!json_is_integer(timestamp))
        return false;
    record->has_timestamp = json_integer_value(timestamp) >= 0; /* a broker's -1: there is none */
    record->timestamp_ms = record->has_timestamp ? json_integer_value(timestamp) : 0;
    return true;
}

/* True unless it is marked as bare and yet has what a bare line has not. */
static bool read_bare(const json_t *object, struct fold_record *record)
{
    static const char *const foreign[] = {"timestamp", "key", "key_base64"};
    if (!json_is_true(json_object_get(object, "bare")))
        return true;
    record->has_key = false;
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (json_object_get(object, foreign[i]) != NULL)
            return false;
    return true;
}

static bool read_record(json_t *object, uint32_t *partition, struct fold_record *record)
{
    const json_t *number = json_object_get(object, "partition"), *offset = json_object_get(object, "offset");
    *record = (struct fold_record){.has_key = true};
    if (!json_is_integer(number) || json_integer_value(number) < 0 || json_integer_value(number) >= PARTITIONS_MAX)
        return false;
    if (!json_is_integer(offset) || json_integer_value(offset) < 0 || json_integer_value(offset) == INT64_MAX)
        return false;
    *partition = (uint32_t)json_integer_value(number);
    record->offset = json_integer_value(offset);
    return json_object_get(object, "specversion") == NULL && read_bare(object, record) &&
           read_timestamp(object, record) && read_bytes(object, "key", "key_base64", &record->key) &&
           read_bytes(object, "value", "value_base64", &record->value) && text_present(record->value);
}

static void keep(struct archive_memory *memory, json_t *parsed)
{
    if (memory->count == memory->capacity) {
        memory->capacity = memory->capacity > 0 ? memory->capacity * 2 : 256;
        memory->parsed = realloc(memory->parsed, memory->capacity * sizeof(json_t *));
        if (memory->parsed == NULL)
            abort();
    }
    memory->parsed[memory->count++] = parsed;
}

bool archive_parse_reference(struct archive_memory *memory, struct text line, uint32_t *partition,
                             struct fold_record *record)
{
    if (!may_be_archive(line))
        return false;
    json_error_t error;
    json_t *parsed = json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (parsed == NULL)
        return false;
    if (!read_record(parsed, partition, record)) {
        json_decref(parsed);
        return false;
    }
    keep(memory, parsed);
    return true;
}

/* Lines as archive_encode writes them. */

struct archive_block {
    struct archive_block *next;
    size_t len, capacity;
    char bytes[];
};

/* Room for len bytes at the end of the newest block; what is used of it is added to its len. */
static char *room(struct archive_memory *memory, size_t len)
{
    struct archive_block *block = memory->blocks;
    if (block != NULL && block->capacity - block->len >= len)
        return block->bytes + block->len;
    size_t capacity = len > BLOCK_SIZE ? len : BLOCK_SIZE;
    block = malloc(sizeof *block + capacity);
    if (block == NULL)
        abort();
    *block = (struct archive_block){.next = memory->blocks, .capacity = capacity};
    memory->blocks = block;
    return block->bytes;
}

struct scan {
    const char *at, *end;
};

static bool take_word(struct scan *scan, struct text word)
{
    if ((size_t)(scan->end - scan->at) < word.len || memcmp(scan->at, word.at, word.len) != 0)
        return false;
    scan->at += word.len;
    return true;
}

/* A number that is not negative, as JSON has it; the parser may judge longer ones. */
static bool take_number(struct scan *scan, int64_t *number)
{
    const char *first = scan->at;
    *number = 0;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9' && scan->at - first < 18)
        *number = *number * 10 + (*scan->at++ - '0');
    return scan->at > first && (*first != '0' || scan->at == first + 1);
}

/* The byte that an escape of one letter stands for; 0: another escape. */
static char unescape(char letter)
{
    switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

#define ROOM         24 /* bytes that copying by the word may touch beyond what counts */
#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))

#define LOW_BITS EACH_BYTE(0x7f)

/* The top bit of each of eight bytes that is zero. */
static uint64_t zero_bytes(uint64_t v)
{
    return ~(((v & LOW_BITS) + LOW_BITS) | v | LOW_BITS);
}

/* The top bit of each of eight bytes that is a quote, a backslash, a control
 * character or not ASCII. */
static uint64_t special_bytes(uint64_t v)
{
    uint64_t control = ~((v & LOW_BITS) + EACH_BYTE(0x60));
    return (control | v | zero_bytes(v ^ EACH_BYTE('"')) | zero_bytes(v ^ EACH_BYTE('\\'))) & EACH_BYTE(0x80);
}

/* Copies eight bytes, of which some may count; gives them back. */
static uint64_t copy_eight(char *out, const char *at)
{
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    memcpy(out, &eight, sizeof eight);
    return eight;
}

/* Copies eight bytes (nine when the last one begins an escape), unescaping the
 * quotes that JSON in JSON is full of. False when it stops at anything else
 * that is not plain. */
static bool copy_word(const char **at, char **out)
{
    uint64_t special = special_bytes(copy_eight(*out, *at));
    size_t done = 0;
    while (special != 0) {
        size_t next = (size_t)__builtin_ctzll(special) / 8;
        const char *escape = *at + next;
        *out += next - done;
        if (escape[0] != '\\' || escape[1] != '"') {
            *at = escape;
            return false;
        }
        *(*out)++ = '"';
        done = next + 2;
        copy_eight(*out, *at + done);
        special &= special - 1; /* the backslash, */
        special &= special - 1; /* and its quote, if it is among the eight */
    }
    size_t end = done > sizeof(uint64_t) ? done : sizeof(uint64_t);
    *out += end - done;
    *at += end;
    return true;
}

/* Copies what is plain up to anything else, or to within ROOM bytes of the end. */
static void copy_plain(struct scan *scan, char **to)
{
    const char *at = scan->at;
    char *out = *to;
    while (scan->end - at >= ROOM && copy_word(&at, &out)) {
    }
    scan->at = at;
    *to = out;
}

/* A string of ASCII behind its opening quote, unescaped into *out, which has
 * room for ROOM bytes more than is left of the line. */
static bool take_string(struct scan *scan, char **out)
{
    for (;;) {
        copy_plain(scan, out);
        if (scan->at == scan->end)
            return false;
        char byte = *scan->at++;
        if (byte == '"')
            return true;
        if ((unsigned char)byte < 0x20 || (unsigned char)byte >= 0x80)
            return false;
        if (byte == '\\') {
            if (scan->at == scan->end)
                return false;
            byte = unescape(*scan->at++);
            if (byte == '\0')
                return false;
        }
        *(*out)++ = byte;
    }
}

/* A string into the memory. */
static bool take_text(struct archive_memory *memory, struct scan *scan, struct text *text)
{
    char *start = room(memory, (size_t)(scan->end - scan->at) + ROOM), *out = start;
    if (!take_string(scan, &out))
        return false;
    *text = (struct text){start, (size_t)(out - start)};
    memory->blocks->len += text->len;
    return true;
}

/* False: for the parser to judge. */
static bool scan_line(struct archive_memory *memory, struct text line, uint32_t *partition, struct fold_record *record)
{
    struct scan scan = {line.at, line.at + line.len};
    int64_t number;
    *record = (struct fold_record){.has_key = true};
    if (!take_word(&scan, TEXT_LIT("{\"partition\":")) || !take_number(&scan, &number) || number >= PARTITIONS_MAX ||
        !take_word(&scan, TEXT_LIT(",\"offset\":")) || !take_number(&scan, &record->offset))
        return false;
    *partition = (uint32_t)number;
    if (take_word(&scan, TEXT_LIT(",\"bare\":true"))) {
        record->has_key = false;
    } else {
        record->has_timestamp = take_word(&scan, TEXT_LIT(",\"timestamp\":"));
        if (record->has_timestamp && !take_number(&scan, &record->timestamp_ms))
            return false;
        if (!take_word(&scan, TEXT_LIT(",\"key\":null")) &&
            !(take_word(&scan, TEXT_LIT(",\"key\":\"")) && take_text(memory, &scan, &record->key)))
            return false;
    }
    return take_word(&scan, TEXT_LIT(",\"value\":\"")) && take_text(memory, &scan, &record->value) &&
           take_word(&scan, TEXT_LIT("}")) && scan.at == scan.end;
}

bool archive_parse(struct archive_memory *memory, struct text line, uint32_t *partition, struct fold_record *record)
{
    return line.len <= LINE_IN_MEMORY_MAX &&
           (scan_line(memory, line, partition, record) || archive_parse_reference(memory, line, partition, record));
}

void archive_forget(struct archive_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++)
        json_decref(memory->parsed[i]);
    memory->count = 0;
    while (memory->blocks != NULL && memory->blocks->next != NULL) {
        struct archive_block *newest = memory->blocks;
        memory->blocks = newest->next;
        free(newest);
    }
    if (memory->blocks != NULL)
        memory->blocks->len = 0;
}

void archive_free(struct archive_memory *memory)
{
    archive_forget(memory);
    free(memory->parsed);
    free(memory->blocks);
    *memory = (struct archive_memory){0};
}

/* Writing. */

static void put_base64(struct buffer *buffer, struct text bytes)
{
    buffer_reserve(buffer, bytes.len / 3 * 4 + 8);
    buffer->len += (size_t)EVP_EncodeBlock((unsigned char *)buffer->at + buffer->len, (const unsigned char *)bytes.at,
                                           (int)bytes.len);
}

static void put_bytes(struct buffer *buffer, const char *name, struct text bytes)
{
    buffer_text(buffer, ",\"");
    buffer_text(buffer, name);
    if (!text_present(bytes)) {
        buffer_text(buffer, "\":null");
    } else if (text_is_utf8(bytes)) {
        buffer_text(buffer, "\":");
        buffer_json_string(buffer, bytes);
    } else {
        buffer_text(buffer, "_base64\":\"");
        put_base64(buffer, bytes);
        buffer_text(buffer, "\"");
    }
}

static void put_number(struct buffer *buffer, const char *before, int64_t number)
{
    char text[64];
    snprintf(text, sizeof text, "%s%" PRId64, before, number);
    buffer_text(buffer, text);
}

void archive_encode(struct buffer *buffer, uint32_t partition, const struct fold_record *record)
{
    put_number(buffer, "{\"partition\":", partition);
    put_number(buffer, ",\"offset\":", record->offset);
    if (!record->has_key) {
        buffer_text(buffer, ",\"bare\":true");
    } else {
        if (record->has_timestamp)
            put_number(buffer, ",\"timestamp\":", record->timestamp_ms);
        put_bytes(buffer, "key", record->key);
    }
    put_bytes(buffer, "value", record->value);
    buffer_text(buffer, "}");
}
