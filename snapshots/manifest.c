/* manifest.c - see manifest.h. */
#include "snapshots/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <jansson.h>

#include "events/instant.h"
#include "snapshots/files.h"

#define HOME_OF_FILES "files" /* how "" is written */
#define CHECK_HEX     16

/* Writing. */

static void set_instant(json_t *object, const char *name, int64_t ms)
{
    char text[INSTANT_TEXT_MAX];
    if (ms != TIME_NEVER)
        instant_format(ms, text);
    json_object_set_new(object, name, ms != TIME_NEVER ? json_string(text) : json_null());
}

static void set_hex(json_t *object, const char *name, const char *digits, size_t len)
{
    json_object_set_new(object, name, json_stringn(digits, len));
}

static void set_count(json_t *object, const char *name, int64_t count)
{
    json_object_set_new(object, name, json_integer(count));
}

static json_t *source_of(const struct store_header *header)
{
    char check[CHECK_HEX + 1];
    snprintf(check, sizeof check, "%016" PRIx64, header->source_check);
    json_t *source = json_object();
    set_count(source, "position", header->source_position);
    set_count(source, "lines", header->source_lines);
    set_hex(source, "check", check, CHECK_HEX);
    return source;
}

static json_t *records_of(const struct stock *stock)
{
    json_t *records = json_object();
    for (size_t i = 0; i < STOCK_KINDS; i++)
        set_count(records, stock_kinds[i].name, stock->records[i]);
    return records;
}

static json_t *files_of(const struct manifest *manifest)
{
    json_t *files = json_object(), *file = json_object();
    set_count(file, "size", manifest->size);
    set_hex(file, "sha256", manifest->sha256, sizeof manifest->sha256);
    json_object_set_new(files, STORE_FILE, file);
    return files;
}

static json_t *object_of(const struct manifest *manifest)
{
    const struct stock *stock = &manifest->stock;
    const struct store_header *header = &stock->header;
    json_t *object = json_object();
    set_count(object, "format", MANIFEST_FORMAT);
    set_count(object, "partition", header->partition);
    set_count(object, "partition_count", header->partition_count);
    json_object_set_new(object, "home", json_string(manifest->home[0] != '\0' ? manifest->home : HOME_OF_FILES));
    set_instant(object, "time", manifest->made_at_ms);
    set_count(object, "fold_version", header->fold_version);
    set_count(object, "next_offset", header->next_offset);
    set_instant(object, "partition_time", stock->partition_time_ms);
    set_count(object, "entries", header->entries);
    set_hex(object, "chain", header->chain, sizeof header->chain);
    set_count(object, "inputs", header->inputs);
    set_hex(object, "input", stock->input, sizeof stock->input);
    set_hex(object, "input_since", stock->input_since, sizeof stock->input_since);
    set_hex(object, "digest", header->digest, sizeof header->digest);
    json_object_set_new(object, "source", source_of(header));
    json_object_set_new(object, "records", records_of(stock));
    json_object_set_new(object, "files", files_of(manifest));
    return object;
}

char *manifest_encode(const struct manifest *manifest)
{
    json_t *object = object_of(manifest);
    char *text = json_dumps(object, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(object);
    size_t len = text != NULL ? strlen(text) : 0;
    char *line = realloc(text, len + 2);
    if (text == NULL || line == NULL)
        abort();
    memcpy(line + len, "\n", 2);
    return line;
}

/* Reading. */

static bool get_count(const json_t *object, const char *name, int64_t most, int64_t *count)
{
    const json_t *member = json_object_get(object, name);
    *count = json_integer_value(member);
    return json_is_integer(member) && *count >= 0 && *count <= most;
}

static bool get_u32(const json_t *object, const char *name, uint32_t *number)
{
    int64_t count;
    bool found = get_count(object, name, UINT32_MAX, &count);
    *number = found ? (uint32_t)count : 0;
    return found;
}

static bool get_hex(const json_t *object, const char *name, char *digits, size_t len)
{
    const json_t *member = json_object_get(object, name);
    const char *text = json_string_value(member);
    if (text == NULL || json_string_length(member) != len || strspn(text, "0123456789abcdef") != len)
        return false;
    memcpy(digits, text, len);
    return true;
}

static bool get_instant(const json_t *object, const char *name, int64_t *ms)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && instant_parse(text_of(text), ms);
}

static bool get_home(const json_t *object, char home[HOME_SIZE])
{
    const char *text = json_string_value(json_object_get(object, "home"));
    if (text == NULL || text[0] == '\0' || strlen(text) >= HOME_SIZE)
        return false;
    snprintf(home, HOME_SIZE, "%s", strcmp(text, HOME_OF_FILES) == 0 ? "" : text);
    return true;
}

static bool get_source(const json_t *object, struct store_header *header)
{
    char check[CHECK_HEX + 1] = "";
    const json_t *source = json_object_get(object, "source");
    bool found = get_count(source, "position", INT64_MAX, &header->source_position) &&
                 get_count(source, "lines", INT64_MAX, &header->source_lines) &&
                 get_hex(source, "check", check, CHECK_HEX);
    header->source_check = strtoull(check, NULL, 16);
    return found;
}

static bool get_records(const json_t *object, struct stock *stock)
{
    const json_t *records = json_object_get(object, "records");
    for (size_t i = 0; i < STOCK_KINDS; i++)
        if (!get_count(records, stock_kinds[i].name, INT64_MAX, &stock->records[i]))
            return false;
    return true;
}

static bool get_file(const json_t *object, struct manifest *manifest)
{
    const json_t *file = json_object_get(json_object_get(object, "files"), STORE_FILE);
    return get_count(file, "size", INT64_MAX, &manifest->size) &&
           get_hex(file, "sha256", manifest->sha256, sizeof manifest->sha256);
}

/* The name of the first member that is not as it should be; NULL: none. */
static const char *take_members(const json_t *object, struct manifest *manifest)
{
    struct stock *stock = &manifest->stock;
    struct store_header *header = &stock->header;
    stock->partition_time_ms = TIME_NEVER;
    const struct {
        const char *name;
        bool is_right;
    } members[] = {
        {"partition", get_u32(object, "partition", &header->partition)},
        {"partition_count", get_u32(object, "partition_count", &header->partition_count)},
        {"home", get_home(object, manifest->home)},
        {"time", get_instant(object, "time", &manifest->made_at_ms)},
        {"fold_version", get_u32(object, "fold_version", &header->fold_version)},
        {"next_offset", get_count(object, "next_offset", INT64_MAX, &header->next_offset)},
        {"partition_time", json_is_null(json_object_get(object, "partition_time")) ||
                               get_instant(object, "partition_time", &stock->partition_time_ms)},
        {"entries", get_count(object, "entries", INT64_MAX, &header->entries)},
        {"chain", get_hex(object, "chain", header->chain, sizeof header->chain)},
        {"inputs", get_count(object, "inputs", INT64_MAX, &header->inputs)},
        {"input", get_hex(object, "input", stock->input, sizeof stock->input)},
        {"input_since", get_hex(object, "input_since", stock->input_since, sizeof stock->input_since)},
        {"digest", get_hex(object, "digest", header->digest, sizeof header->digest)},
        {"source", get_source(object, header)},
        {"records", get_records(object, stock)},
        {"files", get_file(object, manifest)},
    };
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (!members[i].is_right)
            return members[i].name;
    return NULL;
}

/* Byte for byte what we write of it: a member that nobody reads, or another
 * spelling, is not for anybody to hide something in. */
static bool is_as_written(struct text text, const struct manifest *manifest)
{
    char *written = manifest_encode(manifest);
    bool is_same = text_equal(text, text_of(written));
    free(written);
    return is_same;
}

static bool take_object(const json_t *object, const char *name, struct manifest *manifest, struct store_error *error)
{
    int64_t format;
    if (!get_count(object, "format", INT64_MAX, &format))
        return fail_with(error, EX_DATAERR, "%s is no manifest of a snapshot", name);
    if (format != MANIFEST_FORMAT)
        return fail_with(error, EX_DATAERR,
                         "%s is of format %" PRId64 ", this program reads format %d: use the callfold-snapshot that "
                         "wrote it",
                         name, format, MANIFEST_FORMAT);
    const char *wrong = take_members(object, manifest);
    return wrong == NULL ||
           fail_with(error, EX_DATAERR, "%s: '%s' is missing or is not what it should be", name, wrong);
}

bool manifest_decode(struct text text, const char *name, struct manifest *manifest, struct store_error *error)
{
    json_error_t fault;
    *manifest = (struct manifest){0};
    json_t *object = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES, &fault);
    if (object == NULL)
        return fail_with(error, EX_DATAERR, "%s, line %d: %s", name, fault.line, fault.text);
    bool taken = take_object(object, name, manifest, error);
    json_decref(object);
    return taken &&
           (is_as_written(text, manifest) ||
            fail_with(error, EX_DATAERR, "%s is not as callfold-snapshot writes it: somebody edited it", name));
}

/* Comparing. */

static bool members_agree(const json_t *said, const json_t *found, const char *name, struct store_error *error)
{
    const char *member;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)said, member, value) {
        const json_t *other = json_object_get(found, member);
        if (json_equal(value, other))
            continue;
        if (json_is_object(value) && json_is_object(other))
            return members_agree(value, other, name, error);
        char *ours = json_dumps(value, JSON_ENCODE_ANY), *theirs = json_dumps(other, JSON_ENCODE_ANY);
        fail_with(error, EX_DATAERR, "%s: the manifest says %s %s, the copy %s", name, member, ours,
                  theirs != NULL ? theirs : "nothing");
        free(ours);
        free(theirs);
        return false;
    }
    return true;
}

bool manifest_agrees(const struct manifest *manifest, const struct manifest *found, const char *name,
                     struct store_error *error)
{
    json_t *said = object_of(manifest), *real = object_of(found);
    bool agree = members_agree(said, real, name, error);
    json_decref(said);
    json_decref(real);
    return agree;
}
