#include "tests/tables/columns.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/instant.h"
#include "events/reasons.h"

#define COLUMNS_MAX 4

static const struct {
    const char *type;
    const char *names[COLUMNS_MAX];
} columns[] = {
    {"account.opened", {"currency", "owner"}},
    {"member.set", {"member_id", "role"}},
    {"member.removed", {"member_id"}},
    {"number.added", {"number", "origin"}},
    {"number.removed", {"number"}},
    {"member.assigned", {"number", "member_id"}},
    {"member.unassigned", {"number", "member_id"}},
    {"number.international_enabled", {"number", "actor"}},
    {"number.international_disabled", {"number", "actor"}},
    {"destination.blocked", {"prefix", "actor"}},
    {"destination.unblocked", {"prefix", "actor"}},
    {"auto_recharge.configured", {"amount", "currency", "actor"}},
    {"credit.topped_up", {"topup_id", "amount", "currency"}},
    {"topup.reversed", {"topup_id", "reason"}},
    {"recharge.failed", {"recharge_id", "reason"}},
    {"call.started", {"call_id", "member_id", "from", "to"}},
    {"call.ticked", {"call_id", "duration_ms"}},
    {"call.ended", {"call_id", "duration_ms"}},
    {"sms.requested", {"message_id", "from", "to"}},
    {"ratedeck.opened", {"deck_id", "currency", "effective_at"}},
    {"ratedeck.rates", {"deck_id"}},
    {"ratedeck.published", {"deck_id", "rates"}},
    {"fx.published", {"base", "effective_at", "rates"}},
    {"call.authorized", {"call_id"}},
    {"call.denied", {"call_id", "reason"}},
    {"call.cutoff", {"call_id", "at_duration_ms", "reason", "revision"}},
    {"call.cutoff_withdrawn", {"call_id", "revision"}},
    {"account.recharge", {"recharge_id", "amount", "currency"}},
    {"account.notify", {"kind"}},
    {"sms.allowed", {"message_id"}},
    {"sms.denied", {"message_id", "reason"}},
    {"ratedeck.accepted", {"deck_id", "rates", "raised_count"}},
    {"ledger.posted", {"kind", "amount", "balance"}},
    {"call.recorded", {"call_id", "duration_ms", "amount"}},
    {"balance.changed", {"balance", "available"}},
    {"event.rejected", {"reason"}},
};

const char *column_name(const char *type, size_t column)
{
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        if (strcmp(columns[i].type, type) == 0) {
            return column < COLUMNS_MAX ? columns[i].names[column] : NULL;
        }
    }
    return NULL;
}

bool is_clock(const char *text)
{
    return strlen(text) >= 8 && isdigit((unsigned char)text[0]) && text[2] == ':' && text[5] == ':';
}

bool table_instant(const char *day, const char *text, int64_t *ms)
{
    char whole[64];
    if (is_clock(text)) {
        snprintf(whole, sizeof whole, "%sT%sZ", day, text);
        text = whole;
    }
    return instant_parse(text_of(text), ms);
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);
    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static bool is_integer_name(const char *name)
{
    static const char *const names[] = {
        "daily_limit", "first_s",      "step_s",    "rates",  "revision",
        "entry",       "raised_count", "partition", "offset", "size",
        "next_offset", "fold_version", "entries",   "inputs", "max_concurrent_calls",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return ends_with(name, "_ms");
}

static bool is_boolean_name(const char *name)
{
    return strcmp(name, "enabled") == 0 || strcmp(name, "voicemail") == 0 || strcmp(name, "domestic") == 0 ||
           strcmp(name, "charged") == 0;
}

/* 90s, 5m, 1h, 7d in ms, else plain digits. */
static json_t *integer_value(const char *name, const char *text)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'s', MS_PER_SECOND}, {'m', MS_PER_MINUTE}, {'h', MS_PER_HOUR}, {'d', MS_PER_DAY}};
    char *unit;
    long long number = strtoll(text, &unit, 10);
    if (unit == text || *unit == '\0') {
        return unit == text ? NULL : json_integer(number);
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (unit[0] == units[i].letter && unit[1] == '\0' && ends_with(name, "_ms")) {
            return json_integer(number * units[i].ms);
        }
    }
    return NULL;
}

json_t *member_value(const char *day, const char *name, const char *text)
{
    int64_t ms;
    if (*text == '[' || *text == '{' || *text == '"' || is_boolean_name(name)) {
        return json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    }
    if (is_integer_name(name)) {
        return integer_value(name, text);
    }
    bool is_instant = ends_with(name, "_at") || strcmp(name, "@time") == 0;
    if (is_instant && is_clock(text) && table_instant(day, text, &ms)) {
        char written[INSTANT_TEXT_MAX];
        instant_format(ms, written);
        return json_string(written);
    }
    return json_string(text);
}
