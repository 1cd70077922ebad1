/* fx_file.c - see fx_file.h. */
#include "processor/fx_file.h"

#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "events/currency.h"
#include "events/decode.h"
#include "events/money.h"
#include "processor/csv.h"
#include "processor/input_file.h"
#include "terminal/message.h"

/* ---- CSV to the event's data ---- */

static const char base_line[] = "# base:";

/* Takes a "# base: USD" line off the beginning into data. */
static void take_base(struct csv *csv, json_t *data)
{
    char *end = memchr(csv->at, '\n', (size_t)(csv->end - csv->at));
    bool is_there = end != NULL && (size_t)(end - csv->at) >= sizeof base_line &&
                    memcmp(csv->at, base_line, strlen(base_line)) == 0;
    if (!is_there)
        return;
    const char *value = csv->at + strlen(base_line);
    value += strspn(value, " ");
    size_t len = strcspn(value, " ,\r\n");
    json_object_set_new(data, "base", json_stringn(value, len));
    csv->at = end + 1;
    csv->next_line++;
}

/* NULL, or what is wrong with the record. */
static const char *csv_record_trouble(const struct csv *csv, json_t *rates)
{
    if (csv->fault != NULL)
        return csv->fault;
    if (csv->count != 2)
        return "an fx table has two columns: currency,rate";
    if (text_equal(csv->fields[0], TEXT_LIT("currency")))
        return NULL;
    char currency[CURRENCY_TEXT_MAX] = "";
    if (csv->fields[0].len == CURRENCY_TEXT_MAX - 1)
        memcpy(currency, csv->fields[0].at, CURRENCY_TEXT_MAX - 1);
    if (currency[0] == '\0')
        return "the first column is a currency of three letters, such as EUR";
    if (json_object_get(rates, currency) != NULL)
        return "this currency stands in the table already: keep one line";
    if (json_object_set_new(rates, currency, json_stringn(csv->fields[1].at, csv->fields[1].len)) != 0)
        return "not UTF-8: save the file as UTF-8";
    return NULL;
}

/* The data of an fx.published; NULL after messages. */
static json_t *data_of_csv(const char *path, struct buffer *bytes)
{
    json_t *data = json_object(), *rates = json_object();
    json_object_set_new(data, "rates", rates);
    struct csv csv = {.at = bytes->at, .end = bytes->at + bytes->len, .next_line = 1};
    take_base(&csv, data);
    bool is_good = true;
    while (csv_next(&csv)) {
        const char *trouble = csv_record_trouble(&csv, rates);
        if (trouble == NULL)
            continue;
        message_error("%s:%" PRId64 ": %s", input_file_name(path), csv.line, trouble);
        is_good = false;
    }
    if (json_object_get(data, "base") == NULL) {
        message_error("%s:1: an fx table in CSV begins with its base: '# base: USD', say", input_file_name(path));
        is_good = false;
    }
    if (is_good)
        return data;
    json_decref(data);
    return NULL;
}

/* ---- JSON ---- */

static json_t *data_of_json(const char *path, const struct buffer *bytes)
{
    json_error_t error;
    json_t *root = json_loadb(bytes->at, bytes->len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        message_error("%s:%d:%d: no fx table, {\"base\":\"USD\",\"rates\":{...}}: %s", input_file_name(path),
                      error.line, error.column, root == NULL ? error.text : "not an object");
        json_decref(root);
        return NULL;
    }
    json_t *data = json_object_get(root, "data");
    if (data == NULL)
        return root;
    json_incref(data);
    json_decref(root);
    return data;
}

/* ---- the table ---- */

/* Only the table counts here and not from when it holds. */
static char *event_around(json_t *data)
{
    json_t *event = json_pack("{ss ss ss ss ss sO}", "specversion", "1.0", "id", "fx", "source", "/callfold/rates",
                              "type", "callfold.fx.published", "time", "1970-01-01T00:00:00Z", "data", data);
    if (event == NULL)
        abort();
    json_object_set_new(data, "effective_at", json_string("1970-01-01T00:00:00Z"));
    char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    return text;
}

static bool currencies_known(const struct event *event, struct decode_error *error)
{
    char code[CURRENCY_TEXT_MAX];
    for (size_t i = 0; i <= event->data.fx.count; i++) {
        uint32_t currency = i == event->data.fx.count ? event->data.fx.base : event->data.fx.rates[i].currency;
        currency_format(currency, code);
        if (currency_known(currency))
            continue;
        snprintf(error->detail, sizeof error->detail, "%s is no currency that ISO 4217 lists", code);
        return false;
    }
    return true;
}

static int table_of_data(struct fx_record **table, const char *path, json_t *data)
{
    char *text = event_around(data);
    struct decoder *decoder = decoder_new();
    if (text == NULL || decoder == NULL)
        abort();
    struct event event;
    struct decode_error error;
    int code = EX_OK;
    if (event_decode(decoder, text_of(text), &event, &error) && currencies_known(&event, &error)) {
        *table = calloc(1, fx_record_size(event.data.fx.count));
        if (*table == NULL)
            abort();
        fx_fill(*table, &event);
    } else {
        code = message_fail(EX_DATAERR, "%s: %s", input_file_name(path), error.detail);
    }
    decoder_free(decoder);
    free(text);
    return code;
}

int fx_read(struct fx_record **table, const char *path)
{
    *table = NULL;
    struct buffer bytes = {0};
    int code = input_file_read(path, &bytes);
    if (code == EX_OK) {
        size_t blank = strspn(bytes.at, " \t\r\n");
        json_t *data = bytes.at[blank] == '{' ? data_of_json(path, &bytes) : data_of_csv(path, &bytes);
        code = data == NULL ? EX_DATAERR : table_of_data(table, path, data);
        json_decref(data);
    }
    buffer_free(&bytes);
    return code;
}
