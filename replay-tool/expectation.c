/* expectation.c - see expectation.h. */
#include "replay-tool/expectation.h"

#include <ctype.h>
#include <stdlib.h>

#include "processor/log.h"
#include "terminal/message.h"

static bool read_number(const char **at, int64_t most, int64_t *number)
{
    char *end;
    if (!isdigit((unsigned char)**at))
        return false;
    *number = strtoll(*at, &end, 10);
    if (*end != ':' || *number > most)
        return false;
    *at = end + 1;
    return true;
}

static bool read_expectation(const char *text, struct expectation *expectation)
{
    const char *at = text;
    int64_t partition;
    if (!read_number(&at, PARTITIONS_MAX - 1, &partition) || !read_number(&at, INT64_MAX - 1, &expectation->number) ||
        strlen(at) != HASH_HEX || strspn(at, "0123456789abcdefABCDEF") != HASH_HEX)
        return false;
    for (size_t i = 0; i < HASH_HEX; i++)
        expectation->hash[i] = (char)tolower((unsigned char)at[i]);
    expectation->partition = (uint32_t)partition;
    expectation->text = text;
    return expectation->number > 0;
}

bool expectations_add(struct expectation_list *list, enum expectation_kind kind, const char *option,
                      const struct option_list *values)
{
    struct expectation *grown = realloc(list->items, (list->count + values->count + 1) * sizeof *grown);
    if (grown == NULL)
        abort();
    list->items = grown;
    for (size_t i = 0; i < values->count; i++) {
        struct expectation *expectation = &list->items[list->count++];
        *expectation = (struct expectation){.kind = kind};
        if (read_expectation(values->values[i], expectation))
            continue;
        message_error("--%s: '%s' is not PARTITION:%s:HASH, a hash of %d hex digits as an attestation has it", option,
                      values->values[i], kind == EXPECT_ENTRY ? "ENTRY" : "INPUTS", HASH_HEX);
        return false;
    }
    return true;
}

void expectations_free(struct expectation_list *list)
{
    free(list->items);
    *list = (struct expectation_list){0};
}

static void see(struct expectation_list *list, enum expectation_kind kind, uint32_t partition, int64_t number,
                const char hash[HASH_HEX])
{
    for (size_t i = 0; i < list->count; i++) {
        struct expectation *expectation = &list->items[i];
        if (expectation->kind != kind || expectation->partition != partition || expectation->number != number)
            continue;
        expectation->is_seen = true;
        memcpy(expectation->folded, hash, HASH_HEX);
    }
}

void expectations_begin(struct expectation_list *list, uint32_t partition, int64_t entries, const char chain[HASH_HEX])
{
    see(list, EXPECT_ENTRY, partition, entries, chain);
}

void expectations_step(struct expectation_list *list, const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count && list->count > 0; i++) {
        const struct output *output = &outputs->items[i];
        if (output->type == OUTPUT_LEDGER_POSTED)
            see(list, EXPECT_ENTRY, outputs->partition, output->data.entry.entry, output->data.entry.hash);
        else if (output->type == OUTPUT_STATE_ATTESTED)
            see(list, EXPECT_INPUT, outputs->partition, output->data.attested.inputs, output->data.attested.input);
    }
}

const struct expectation *expectations_broken(const struct expectation_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].is_seen && memcmp(list->items[i].hash, list->items[i].folded, HASH_HEX) != 0)
            return &list->items[i];
    return NULL;
}

const struct expectation *expectations_unseen(const struct expectation_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].is_seen)
            return &list->items[i];
    return NULL;
}
