/* status_overview.c - partitions, and what was broadcast to each of them.
 *
 * Decks, fx and policy should be the same in every partition, so each is shown
 * once, with the number of partitions that have it so: fewer than all means
 * that a broadcast has not reached them yet.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/currency.h"
#include "events/encode.h"
#include "events/instant.h"
#include "events/money.h"
#include "processor/status.h"
#include "terminal/message.h"

int each_partition(struct status *status, int (*visit)(void *context, struct state_view *view), void *context)
{
    int code = EX_OK;
    for (size_t i = 0; i < status->partition_count && code == EX_OK; i++) {
        struct state_view view;
        code = state_view_open(&view, status->dir, status->partitions[i]);
        if (code != EX_OK)
            return code;
        code = visit(context, &view);
        int closing = state_view_close(&view);
        code = code == EX_OK ? closing : code;
    }
    return code;
}

struct table *status_begin(struct status *status, const struct table_column *columns, size_t count)
{
    struct table *table = table_begin(status->format, stdout, columns, count);
    table_title(table, status->title);
    return table;
}

void join(struct buffer *joined, const char *before, struct text text)
{
    if (joined->len > 0)
        buffer_text(joined, " ");
    buffer_text(joined, before);
    buffer_append(joined, text.at, text.len);
}

void table_joined(struct table *table, const struct buffer *joined)
{
    table_text(table, (struct text){joined->at != NULL ? joined->at : "", joined->len});
}

/* ---- partitions ---- */

static bool count_record(void *context, struct text key, struct text body)
{
    (void)key;
    (void)body;
    ++*(int64_t *)context;
    return true;
}

static int64_t sum(const int64_t *counts, size_t count)
{
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += counts[i];
    return total;
}

static int print_partition(void *context, struct state_view *view)
{
    struct table *table = context;
    const struct partition_record *partition = &view->partition;
    int64_t accounts = 0;
    const char kind = RECORD_ACCOUNT;
    store_scan(view->store, (struct text){&kind, 1}, count_record, &accounts);
    table_row(table, NULL);
    table_number(table, view->header.partition, 0);
    table_number(table, view->header.next_offset, 0);
    if (partition->time_ms == TIME_NEVER)
        table_blank(table);
    else
        table_instant(table, partition->time_ms);
    table_number(table, accounts, 0);
    table_number(table, partition->live_calls, 0);
    table_number(table, view->header.entries, 0);
    table_number(table, view->header.inputs, 0);
    table_number(table, sum(partition->rejects, REJECT_REASON_COUNT), 0);
    table_number(table, partition->duplicates, 0);
    table_flag(table, view->header.clean != 0);
    table_text(table, (struct text){view->header.chain, sizeof view->header.chain});
    table_text(table, (struct text){view->header.digest, sizeof view->header.digest});
    return EX_OK;
}

int status_partitions(struct status *status)
{
    static const struct table_column columns[] = {
        {"partition", "PARTITION", COLUMN_NUMBER, NULL, 0},
        {"next_offset", "NEXT OFFSET", COLUMN_NUMBER, NULL, 0},
        {"time", "TIME", COLUMN_WORD, NULL, 0},
        {"accounts", "ACCOUNTS", COLUMN_NUMBER, NULL, 0},
        {"live_calls", "LIVE CALLS", COLUMN_NUMBER, NULL, 0},
        {"entries", "ENTRIES", COLUMN_NUMBER, NULL, 0},
        {"inputs", "INPUTS", COLUMN_NUMBER, NULL, 2},
        {"rejects", "REJECTS", COLUMN_NUMBER, NULL, 2},
        {"duplicates", "DUPLICATES", COLUMN_NUMBER, NULL, 2},
        {"clean", "CLEAN", COLUMN_FLAG, NULL, 2},
        {"chain", "CHAIN", COLUMN_WORD, NULL, 1},
        {"digest", "DIGEST", COLUMN_WORD, NULL, 1},
    };
    struct table *table = status_begin(status, columns, sizeof columns / sizeof columns[0]);
    int code = each_partition(status, print_partition, table);
    return table_end(table) ? code : EX_IOERR;
}

/* ---- what every partition should have alike ---- */

#define CELLS_MAX 8

struct shared_row {
    char *cells[CELLS_MAX]; /* NULL: no value */
    int64_t partitions;     /* that have this very row */
};

struct shared_rows {
    size_t cells; /* of each row */
    struct shared_row *rows;
    size_t count;
};

/* Takes the row's cells over. */
static void add_shared(struct shared_rows *rows, struct shared_row *row)
{
    for (size_t i = 0; i < rows->count; i++) {
        bool is_equal = true;
        for (size_t j = 0; j < rows->cells && is_equal; j++) {
            const char *a = rows->rows[i].cells[j], *b = row->cells[j];
            is_equal = a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
        }
        if (!is_equal)
            continue;
        rows->rows[i].partitions++;
        for (size_t j = 0; j < rows->cells; j++)
            free(row->cells[j]);
        return;
    }
    rows->rows = must_alloc(realloc(rows->rows, (rows->count + 1) * sizeof *rows->rows));
    row->partitions = 1;
    rows->rows[rows->count++] = *row;
}

/* Prints and frees the rows. The last column is for the count of partitions. */
static int print_shared(struct status *status, struct shared_rows *rows, struct table_column *columns)
{
    char all[24];
    snprintf(all, sizeof all, "%zu", status->partition_count);
    columns[rows->cells] = (struct table_column){"partitions", "PARTITIONS", COLUMN_NUMBER, all, 0};
    struct table *table = status_begin(status, columns, rows->cells + 1);
    for (size_t i = 0; i < rows->count; i++) {
        struct shared_row *row = &rows->rows[i];
        table_row(table, NULL);
        for (size_t j = 0; j < rows->cells; j++) {
            table_string(table, row->cells[j]);
            free(row->cells[j]);
        }
        table_number(table, row->partitions, 0);
    }
    free(rows->rows);
    return table_end(table) ? EX_OK : EX_IOERR;
}

static char *text_string(struct text text)
{
    return must_alloc(strndup(text.at != NULL ? text.at : "", text.len));
}

__attribute__((format(printf, 1, 2))) static char *format_string(const char *format, ...)
{
    char *string;
    va_list arguments;
    va_start(arguments, format);
    int len = vasprintf(&string, format, arguments);
    va_end(arguments);
    return must_alloc(len < 0 ? NULL : string);
}

static char *currency_string(uint32_t currency)
{
    char text[CURRENCY_TEXT_MAX];
    currency_format(currency, text);
    return format_string("%s", text);
}

static char *instant_string(int64_t ms)
{
    char text[INSTANT_TEXT_MAX];
    instant_format(ms, text);
    return format_string("%s", text);
}

/* ---- decks ---- */

static const char *deck_state(const struct deck_record *deck, int64_t time_ms, bool is_in_force)
{
    if (deck->publication == 0)
        return deck->spoilt ? "spoilt" : "being filled";
    if (is_in_force)
        return "in force";
    return deck->effective_at_ms > time_ms ? "upcoming" : "superseded";
}

static void add_deck(struct shared_rows *rows, const struct stored_list *decks, const struct deck_record *deck,
                     int64_t time_ms)
{
    struct buffer all = {0}, in_force = {0};
    uint16_t index;
    for (uint32_t i = 0; i < deck->origin_count; i++) {
        struct text origin = deck_origin(deck, (uint16_t)i);
        join(&all, "", origin);
        if (state_deck_in_force(decks, origin, time_ms, &index) == deck)
            join(&in_force, "", origin);
    }
    const char *state = deck_state(deck, time_ms, in_force.len > 0);
    char *now = in_force.len > 0 ? text_string((struct text){in_force.at, in_force.len}) : NULL;
    struct shared_row row = {.cells = {text_string(deck_id(deck)), format_string("%s", state),
                                       instant_string(deck->effective_at_ms), currency_string(deck->currency),
                                       format_string("%" PRId64, deck->rate_count),
                                       text_string((struct text){all.at, all.len}), now}};
    add_shared(rows, &row);
    buffer_free(&all);
    buffer_free(&in_force);
}

static int add_decks(void *context, struct state_view *view)
{
    struct key key;
    key_begin(&key, RECORD_DECK);
    struct stored_list decks = state_view_list(view, &key);
    for (size_t i = 0; i < decks.count; i++)
        add_deck(context, &decks, decks.items[i].body, view->partition.time_ms);
    stored_free(&decks);
    return EX_OK;
}

int status_decks(struct status *status)
{
    struct table_column columns[CELLS_MAX] = {
        {"deck_id", "DECK", COLUMN_WORD, NULL, 0},
        {"state", "STATE", COLUMN_WORD, NULL, 0},
        {"effective_at", "EFFECTIVE AT", COLUMN_WORD, NULL, 0},
        {"currency", "CUR", COLUMN_WORD, NULL, 0},
        {"rates", "RATES", COLUMN_NUMBER, NULL, 0},
        {"origins", "ORIGINS", COLUMN_LIST, NULL, 1},
        {"in_force_for", "IN FORCE FOR", COLUMN_LIST, NULL, 0},
    };
    struct shared_rows rows = {.cells = 7};
    int code = each_partition(status, add_decks, &rows);
    return print_shared(status, &rows, columns) == EX_OK ? code : EX_IOERR;
}

/* ---- fx ---- */

static int add_fx(void *context, struct state_view *view)
{
    struct key key;
    key_begin(&key, RECORD_FX);
    struct stored_list tables = state_view_list(view, &key);
    const struct fx_record *in_force = state_fx_in_force(&tables, view->partition.time_ms);
    for (size_t i = 0; i < tables.count; i++) {
        const struct fx_record *table = tables.items[i].body;
        const char *state = table == in_force                                  ? "in force"
                            : table->effective_at_ms > view->partition.time_ms ? "upcoming"
                                                                               : "superseded";
        for (uint32_t j = 0; j < table->count; j++) {
            char rate[MONEY_TEXT_MAX];
            fx_rate_format(table->rates[j].micros, rate);
            struct shared_row row = {.cells = {currency_string(table->base), currency_string(table->rates[j].currency),
                                               format_string("%s", rate), format_string("%s", state),
                                               instant_string(table->effective_at_ms)}};
            add_shared(context, &row);
        }
    }
    stored_free(&tables);
    return EX_OK;
}

int status_fx(struct status *status)
{
    struct table_column columns[CELLS_MAX] = {
        {"base", "ONE", COLUMN_WORD, NULL, 0},
        {"currency", "IN", COLUMN_WORD, NULL, 0},
        {"rate", "COSTS", COLUMN_AMOUNT, NULL, 0},
        {"state", "STATE", COLUMN_WORD, NULL, 0},
        {"effective_at", "EFFECTIVE AT", COLUMN_WORD, NULL, 0},
    };
    struct shared_rows rows = {.cells = 5};
    int code = each_partition(status, add_fx, &rows);
    return print_shared(status, &rows, columns) == EX_OK ? code : EX_IOERR;
}

/* ---- policy ---- */

static char *changed_string(int64_t time_ms)
{
    return time_ms == TIME_NEVER ? NULL : instant_string(time_ms);
}

static void add_policy_maps(struct shared_rows *rows, const struct policy_record *policy)
{
    const struct amount_record *amount = policy->maps;
    for (unsigned map = 0; map < POLICY_MAP_COUNT; map++)
        for (uint32_t i = 0; i < policy->map_count[map]; i++, amount++) {
            char micros[MONEY_TEXT_MAX];
            money_format(amount->micros, micros);
            struct shared_row row = {.cells = {format_string("%s", policy_map_name((enum policy_map)map)),
                                               format_string("%s", micros), currency_string(amount->currency),
                                               changed_string(policy->map_time_ms[map])}};
            add_shared(rows, &row);
        }
}

static int add_policy(void *context, struct state_view *view)
{
    struct key key;
    key_begin(&key, RECORD_POLICY);
    struct stored_list list = state_view_list(view, &key);
    for (size_t i = 0; i < list.count; i++) {
        const struct policy_record *policy = list.items[i].body;
        for (unsigned number = 0; number < POLICY_NUMBER_COUNT; number++) {
            struct shared_row row = {.cells = {format_string("%s", policy_number_name((enum policy_number)number)),
                                               format_string("%" PRId64, policy->number[number]), NULL,
                                               changed_string(policy->number_time_ms[number])}};
            add_shared(context, &row);
        }
        add_policy_maps(context, policy);
    }
    stored_free(&list);
    return EX_OK;
}

int status_policy(struct status *status)
{
    struct table_column columns[CELLS_MAX] = {
        {"name", "POLICY", COLUMN_WORD, NULL, 0},
        {"value", "VALUE", COLUMN_AMOUNT, NULL, 0},
        {"currency", "CUR", COLUMN_WORD, "", 0},
        {"changed_at", "CHANGED AT", COLUMN_WORD, "", 0},
    };
    struct shared_rows rows = {.cells = 4};
    int code = each_partition(status, add_policy, &rows);
    return print_shared(status, &rows, columns) == EX_OK ? code : EX_IOERR;
}

/* ---- what came in ---- */

struct counting {
    int64_t events[EVENT_TYPE_COUNT], rejects[REJECT_REASON_COUNT];
};

static int add_counts(void *context, struct state_view *view)
{
    struct counting *counting = context;
    for (int i = 0; i < EVENT_TYPE_COUNT; i++)
        counting->events[i] += view->partition.events[i];
    for (int i = 0; i < REJECT_REASON_COUNT; i++)
        counting->rejects[i] += view->partition.rejects[i];
    return EX_OK;
}

/* One row a word, with its count. */
static int print_counts(struct status *status, const char *name, const char *heading, const char *const *words,
                        const int64_t *counts, size_t count)
{
    const struct table_column columns[] = {{name, heading, COLUMN_WORD, NULL, 0},
                                           {"count", "COUNT", COLUMN_NUMBER, NULL, 0}};
    struct table *table = status_begin(status, columns, 2);
    for (size_t i = 0; i < count; i++) {
        table_row(table, NULL);
        table_string(table, words[i]);
        table_number(table, counts[i], 0);
    }
    return table_end(table) ? EX_OK : EX_IOERR;
}

int status_events(struct status *status)
{
    struct counting counting = {0};
    const char *words[EVENT_TYPE_COUNT];
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++)
        words[i] = event_type_name((enum event_type)i);
    int code = each_partition(status, add_counts, &counting);
    int printing = print_counts(status, "type", "EVENT", words, counting.events, EVENT_TYPE_COUNT);
    return code == EX_OK ? printing : code;
}

int status_rejects(struct status *status)
{
    struct counting counting = {0};
    const char *words[REJECT_REASON_COUNT];
    for (unsigned i = 0; i < REJECT_REASON_COUNT; i++)
        words[i] = reject_reason_name((enum reject_reason)i);
    int code = each_partition(status, add_counts, &counting);
    int printing = print_counts(status, "reason", "REJECTED", words, counting.rejects, REJECT_REASON_COUNT);
    return code == EX_OK ? printing : code;
}
