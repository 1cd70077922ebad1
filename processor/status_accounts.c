/* status_accounts.c - every account, every live call: as many as there are. */
#include "events/currency.h"
#include "processor/status.h"
#include "terminal/message.h"

#include <stdlib.h>

/* ---- accounts ---- */

struct account_rows {
    struct table *table;
    struct state_view *view;
};

void table_credits(struct table *table, const struct account_record *account)
{
    table_currency(table, account->currency);
    table_money(table, account->posted_micros);
    table_money(table, account->accrued_micros);
    table_money(table, account->posted_micros - account->accrued_micros);
    table_money(table, account->posted_micros - account->committed_micros);
    table_number(table, account->live_calls, 0);
}

static bool print_account(void *context, struct text key, struct text body)
{
    struct account_rows *rows = context;
    struct table *table = rows->table;
    struct account_record account;
    if (!state_view_trusts(rows->view, key,
                           body)) /* an account's address does not matter: only its size is looked at */
        return true;
    memcpy(&account, body.at, sizeof account);
    table_row(table, NULL);
    table_text(table, record_key_part(key, 0));
    table_number(table, rows->view->header.partition, 0);
    table_credits(table, &account);
    return true;
}

static int print_accounts(void *context, struct state_view *view)
{
    struct account_rows *rows = context;
    const char kind = RECORD_ACCOUNT;
    rows->view = view;
    store_scan(view->store, (struct text){&kind, 1}, print_account, rows);
    return EX_OK;
}

int status_accounts(struct status *status)
{
    static const struct table_column columns[] = {
        {"account", "ACCOUNT", COLUMN_WORD, NULL, 0},
        {"partition", "PARTITION", COLUMN_NUMBER, "0", 1},
        {"currency", "CUR", COLUMN_WORD, NULL, 0},
        {"balance", "BALANCE", COLUMN_AMOUNT, NULL, 0},
        {"accrued", "ACCRUED", COLUMN_AMOUNT, NULL, 0},
        {"available", "AVAILABLE", COLUMN_AMOUNT, NULL, 0},
        {"uncommitted", "UNCOMMITTED", COLUMN_AMOUNT, NULL, 2},
        {"live_calls", "LIVE CALLS", COLUMN_NUMBER, NULL, 0},
    };
    struct account_rows rows = {.table = status_begin(status, columns, sizeof columns / sizeof columns[0])};
    int code = each_partition(status, print_accounts, &rows);
    return table_end(rows.table) ? code : EX_IOERR;
}

/* ---- live calls ---- */

struct table *status_calls_begin(struct status *status)
{
    static const struct table_column columns[] = {
        {"account", "ACCOUNT", COLUMN_WORD, NULL, 1},
        {"call_id", "CALL", COLUMN_WORD, NULL, 0},
        {"direction", "DIRECTION", COLUMN_WORD, "outbound", 1},
        {"from", "FROM", COLUMN_NAME, NULL, 2},
        {"to", "TO", COLUMN_NAME, NULL, 0},
        {"destination", "DESTINATION", COLUMN_NAME, NULL, 0},
        {"member_id", "MEMBER", COLUMN_WORD, NULL, 2},
        {"started_at", "STARTED AT", COLUMN_WORD, NULL, 1},
        {"duration_ms", "DURATION", COLUMN_DURATION, NULL, 0},
        {"charging", "CHARGING", COLUMN_WORD, "credits", 0},
        {"price", "PER MIN", COLUMN_AMOUNT, NULL, 1},
        {"charged", "CHARGED", COLUMN_AMOUNT, NULL, 0},
        {"currency", "CUR", COLUMN_WORD, NULL, 1},
        {"limit_ms", "LIMIT", COLUMN_DURATION, "", 0},
        {"limit_reason", "REASON", COLUMN_WORD, "", 0},
    };
    return status_begin(status, columns, sizeof columns / sizeof columns[0]);
}

static const char *charging_name(uint8_t charging)
{
    static const char *const names[] = {[CHARGING_CREDITS] = "credits",
                                        [CHARGING_FREE] = "free",
                                        [CHARGING_DOMESTIC] = "domestic",
                                        [CHARGING_INBOUND] = "inbound"};
    return charging < sizeof names / sizeof names[0] ? names[charging] : "unknown";
}

/* A string of the call; absent where it has none. */
static void print_string(struct table *table, const struct call_record *call, enum call_string which)
{
    struct text text = call_string(call, which);
    table_text(table, text.len > 0 ? text : TEXT_NONE);
}

static void print_charge(struct table *table, const struct call_record *call, uint32_t currency)
{
    table_string(table, charging_name(call->charging));
    if (call->charging == CHARGING_CREDITS) {
        table_money(table, call->price_micros);
        table_money(table, call->charged_micros);
        table_currency(table, currency);
    } else {
        table_blank(table);
        table_blank(table);
        table_blank(table);
    }
}

static void print_call(struct table *table, const struct stored *stored, uint32_t currency)
{
    const struct call_record *call = stored->body;
    bool has_limit = call->limit_ms != NO_LIMIT;
    table_row(table, has_limit ? "red" : NULL);
    table_text(table, record_key_part(stored->key, 0));
    table_text(table, record_key_part(stored->key, 1));
    table_string(table, call_direction_name((enum call_direction)call->direction));
    print_string(table, call, CALL_FROM);
    print_string(table, call, CALL_TO);
    print_string(table, call, CALL_DESTINATION);
    print_string(table, call, CALL_MEMBER);
    table_instant(table, call->started_at_ms);
    table_duration(table, call->duration_ms);
    print_charge(table, call, currency);
    if (has_limit) {
        table_duration(table, call->limit_ms);
        table_string(table, cutoff_reason_name((enum cutoff_reason)call->limit_reason));
    } else {
        table_blank(table);
        table_blank(table);
    }
}

static int compare_starts(const void *left, const void *right)
{
    const struct call_record *a = ((const struct stored *)left)->body, *b = ((const struct stored *)right)->body;
    return (a->start_offset > b->start_offset) - (a->start_offset < b->start_offset);
}

int status_calls_add(struct table *table, struct state_view *view, struct text account)
{
    struct key key;
    if (text_present(account))
        key = keys_of_account(RECORD_LIVE_CALL, account);
    else
        key_begin(&key, RECORD_LIVE_CALL);
    struct stored_list calls = state_view_list(view, &key);
    if (calls.count > 0)
        qsort(calls.items, calls.count, sizeof *calls.items, compare_starts);
    for (size_t i = 0; i < calls.count; i++) {
        struct account_record owner = {0};
        struct key owner_key = key_of(RECORD_ACCOUNT, record_key_part(calls.items[i].key, 0));
        state_view_load(view, &owner_key, &owner, sizeof owner);
        print_call(table, &calls.items[i], owner.currency);
    }
    stored_free(&calls);
    return EX_OK;
}

static int add_calls(void *context, struct state_view *view)
{
    return status_calls_add(context, view, TEXT_NONE);
}

int status_calls(struct status *status)
{
    struct table *table = status_calls_begin(status);
    int code = each_partition(status, add_calls, table);
    return table_end(table) ? code : EX_IOERR;
}
