/* place.c - see place.h. */
#include "replay-tool/place.h"

#include <stdlib.h>

#include "processor/log.h"

static bool read_count(const char *text, char **end, int64_t most, int64_t *count)
{
    if (*text < '0' || *text > '9')
        return false;
    *count = strtoll(text, end, 10);
    return *count <= most;
}

bool place_parse(const char *text, uint32_t *partition, int64_t *number)
{
    int64_t first;
    char *end;
    *partition = 0;
    if (read_count(text, &end, INT64_MAX - 1, number) && *end == '\0')
        return true;
    if (!read_count(text, &end, PARTITIONS_MAX - 1, &first) || *end != ':')
        return false;
    *partition = (uint32_t)first;
    return read_count(end + 1, &end, INT64_MAX - 1, number) && *end == '\0';
}
