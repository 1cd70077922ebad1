/* progress_json.c - see progress_json.h. */
#include "processor/progress_json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "events/instant.h"

void append_format(struct buffer *buffer, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_text(buffer, text);
}

void progress_open(struct buffer *buffer, int64_t position)
{
    char time[INSTANT_TEXT_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    instant_format(now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000, time);
    append_format(buffer,
                  "{\"specversion\":\"1.0\",\"id\":\"progress:%" PRId64 "\",\"source\":\"/callfold\","
                  "\"type\":\"" TYPE_PREFIX "progress.committed\",\"time\":\"%s\",\"data\":{",
                  position, time);
}

void progress_encode(struct buffer *buffer, const struct log_progress *partition)
{
    append_format(buffer,
                  "{\"partition\":%" PRIu32 ",\"partition_count\":%" PRIu32 ",\"fold_version\":%" PRIu32
                  ",\"position\":%" PRId64 ",\"next_offset\":%" PRId64 ",\"entries\":%" PRId64 ",\"inputs\":%" PRId64
                  ",\"chain\":\"%.*s\"}",
                  partition->partition, partition->partition_count, partition->fold_version, partition->position,
                  partition->next_offset, partition->entries, partition->inputs, HASH_HEX, partition->chain);
}

bool json_get_count(const json_t *object, const char *name, int64_t *count)
{
    const json_t *member = json_object_get(object, name);
    *count = json_integer_value(member);
    return json_is_integer(member) && *count >= 0;
}

static bool get_u32(const json_t *object, const char *name, uint32_t *number)
{
    int64_t count;
    bool found = json_get_count(object, name, &count) && count <= UINT32_MAX;
    *number = found ? (uint32_t)count : 0;
    return found;
}

bool progress_decode(const json_t *object, struct log_progress *partition)
{
    const json_t *chain = json_object_get(object, "chain");
    if (!json_is_string(chain) || json_string_length(chain) != HASH_HEX)
        return false;
    memcpy(partition->chain, json_string_value(chain), HASH_HEX);
    return get_u32(object, "partition", &partition->partition) && partition->partition < PARTITIONS_MAX &&
           get_u32(object, "partition_count", &partition->partition_count) &&
           get_u32(object, "fold_version", &partition->fold_version) &&
           json_get_count(object, "position", &partition->position) &&
           json_get_count(object, "next_offset", &partition->next_offset) &&
           json_get_count(object, "entries", &partition->entries) &&
           json_get_count(object, "inputs", &partition->inputs);
}

bool progress_of_record(struct text value, struct log_progress *partition)
{
    json_t *record = json_loadb(value.at, value.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(json_object_get(record, "data"), "partitions");
    bool decoded = progress_decode(json_array_get(list, 0), partition);
    json_decref(record);
    return decoded;
}
