/* range.c - see range.h. */
#include "replay-tool/range.h"

#include <inttypes.h>
#include <stdlib.h>

#include "events/instant.h"
#include "events/phone.h"
#include "replay-tool/place.h"
#include "terminal/message.h"

static bool read_day(const char *option, const char *text, int32_t *day)
{
    if (text == NULL || day_parse(text_of(text), day))
        return true;
    message_error("--%s: '%s' is no day such as 2026-11-23", option, text);
    return false;
}

static bool read_entries(struct range *range, const char *option, const struct option_list *list, bool is_first)
{
    for (size_t i = 0; i < list->count; i++) {
        uint32_t partition;
        int64_t entry;
        if (!place_parse(list->values[i], &partition, &entry) || entry == 0) {
            message_error("--%s: '%s' is no ledger entry such as 17, or 3:17 of partition 3", option, list->values[i]);
            return false;
        }
        struct entry_range *named = &range->entries[partition];
        int64_t *limit = is_first ? &named->first : &named->last;
        if (*limit != 0) {
            message_error("--%s: partition %" PRIu32 " is named twice", option, partition);
            return false;
        }
        *limit = entry;
        named->is_named = range->is_by_entry = true;
    }
    return true;
}

static bool check_order(const struct range *range)
{
    if (range->first_day > range->last_day) {
        message_error("--from %s is after --to %s", range->from, range->to);
        return false;
    }
    for (size_t i = 0; i < PARTITIONS_MAX; i++) {
        const struct entry_range *named = &range->entries[i];
        if (named->last == 0 || named->first <= named->last)
            continue;
        message_error("--from-entry is after --to-entry in partition %zu", i);
        return false;
    }
    return true;
}

bool range_check(struct range *range)
{
    range->first_day = INT32_MIN;
    range->last_day = INT32_MAX;
    if (range->account != NULL && !id_is_valid(text_of(range->account))) {
        message_error("--account: '%s' is no account id", range->account);
        return false;
    }
    return read_day("from", range->from, &range->first_day) && read_day("to", range->to, &range->last_day) &&
           read_entries(range, "from-entry", &range->from_entries, true) &&
           read_entries(range, "to-entry", &range->to_entries, false) && check_order(range);
}

void range_free(struct range *range)
{
    free(range->from_entries.values);
    free(range->to_entries.values);
}

enum range_side range_of_entry(const struct range *range, uint32_t partition, int64_t entry, int32_t day)
{
    const struct entry_range *named = &range->entries[partition];
    if (day > range->last_day || (named->last != 0 && entry > named->last))
        return RANGE_AFTER;
    return day < range->first_day || entry < named->first ? RANGE_BEFORE : RANGE_WITHIN;
}

bool range_has_account(const struct range *range, uint32_t partition, struct text account)
{
    return (range->account == NULL || text_equal(account, text_of(range->account))) &&
           (!range->is_by_entry || range->entries[partition].is_named);
}

bool range_has_day(const struct range *range, int32_t day)
{
    return day >= range->first_day && day <= range->last_day;
}

/* Neither an entry's date nor a call's end lies after the partition time at which it is said. */
struct base_place range_begin(const struct range *range, uint32_t partition)
{
    const struct entry_range *named = &range->entries[partition];
    bool has_first_day = range->first_day != INT32_MIN;
    struct base_place place = {.has_time = has_first_day, .has_entries = named->first > 0, .entries = named->first - 1};
    if (has_first_day)
        place.time_ms = day_start_ms(range->first_day) - 1;
    place.has_offset = !has_first_day && named->first == 0 && (named->is_named || !range->is_by_entry);
    place.offset = -1; /* everything, from the first record on */
    return place;
}
