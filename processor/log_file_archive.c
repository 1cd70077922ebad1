/* log_file_archive.c - see log_file_archive.h. */
#include "processor/log_file_archive.h"

#include <stdlib.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "processor/log_file_lines.h"

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
    return json_object_get(object, "specversion") == NULL && read_timestamp(object, record) &&
           read_bytes(object, "key", "key_base64", &record->key) &&
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

bool archive_parse(struct archive_memory *memory, struct text line, uint32_t *partition, struct fold_record *record)
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

void archive_forget(struct archive_memory *memory)
{
    for (size_t i = 0; i < memory->count; i++)
        json_decref(memory->parsed[i]);
    free(memory->parsed);
    *memory = (struct archive_memory){0};
}
