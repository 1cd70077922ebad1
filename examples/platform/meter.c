/* meter.c - see meter.h. */
#include "examples/platform/meter.h"

#include <err.h>
#include <sysexits.h>
#include <time.h>

#include "events/currency.h"
#include "events/money.h"

int64_t meter_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

json_t *meter_parse(struct text record, const char *where)
{
    json_error_t error;
    json_t *parsed = json_loadb(record.at, record.len, 0, &error);
    if (!parsed)
        errx(EX_PROTOCOL, "%s: not JSON: %s", where, error.text);
    return parsed;
}

static struct text member_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? (struct text){json_string_value(value), json_string_length(value)} : TEXT_NONE;
}

static int64_t member_integer(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static enum output_type output_type_of(struct text word, const char *where)
{
    const size_t prefix = sizeof TYPE_PREFIX - 1;
    for (int type = 0; type < OUTPUT_TYPE_COUNT; type++) {
        struct text name = text_of(output_type_name((enum output_type)type));
        if (word.len == prefix + name.len && memcmp(word.at + prefix, name.at, name.len) == 0)
            return (enum output_type)type;
    }
    errx(EX_PROTOCOL, "%s: a record of unknown type \"%.*s\"", where, TEXT_ARGS(word));
}

static void read_order(const json_t *record, const char *where, struct order *order)
{
    const json_t *data = json_object_get(record, "data");
    struct text reason = member_text(data, "reason");
    struct text amount = member_text(data, "amount"), currency = member_text(data, "currency");
    *order = (struct order){
        .type = output_type_of(member_text(record, "type"), where),
        .id = member_text(record, "id"),
        .subject = member_text(record, "subject"),
        .call_id = member_text(data, "call_id"),
        .message_id = member_text(data, "message_id"),
        .deck_id = member_text(data, "deck_id"),
        .recharge_id = member_text(data, "recharge_id"),
        .reason = text_present(reason) ? reason : member_text(data, "kind"),
        .at_duration_ms = member_integer(data, "at_duration_ms"),
        .revision = member_integer(data, "revision"),
        .raised_count = member_integer(data, "raised_count"),
        .charged = json_is_true(json_object_get(data, "charged")),
        .has_max_duration = json_object_get(data, "max_duration_ms") != NULL,
    };
    if (text_present(amount) && !money_parse(amount, &order->amount.micros))
        errx(EX_PROTOCOL, "%s: amount \"%.*s\"", where, TEXT_ARGS(amount));
    if (text_present(currency) && !currency_parse(currency, &order->amount.currency))
        errx(EX_PROTOCOL, "%s: currency \"%.*s\"", where, TEXT_ARGS(currency));
}

bool meter_await(struct meter *meter, int64_t lines)
{
    return meter->way->await(meter->own, lines);
}

bool meter_order(struct meter *meter, struct order *order)
{
    struct text record;
    json_decref(meter->record);
    meter->record = NULL;
    if (!meter->way->next(meter->own, &record))
        return false;
    meter->record = meter_parse(record, meter->way->commands);
    read_order(meter->record, meter->way->commands, order);
    return true;
}

void meter_close(struct meter *meter)
{
    json_decref(meter->record);
    meter->way->close(meter->own);
}
