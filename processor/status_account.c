/* status_account.c - one account: its credits, numbers, members, live calls. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/currency.h"
#include "events/encode.h"
#include "events/instant.h"
#include "processor/status.h"
#include "terminal/message.h"

/* Prefixes blocked for a number, or account-wide (id "", number NULL). */
static struct buffer blocked_prefixes(struct status *status, struct text id, const struct number_record *number)
{
    struct buffer joined = {0};
    struct key key = keys_of_number(RECORD_BLOCK, status->account_id, id);
    struct stored_list list = state_view_list(&status->view, &key);
    for (size_t i = 0; i < list.count; i++)
        if (block_holds(list.items[i].body, number))
            join(&joined, "+", record_key_part(list.items[i].key, 2));
    stored_free(&list);
    return joined;
}

/* ---- the account itself ---- */

static bool is_configured(const struct account_record *account)
{
    return account->recharge_time_ms != TIME_NEVER;
}

static const char *recharge_state(const struct account_record *account)
{
    if (!is_configured(account))
        return "not configured";
    if (!(account->flags & ACCOUNT_RECHARGE_ENABLED))
        return "off";
    if (account->flags & ACCOUNT_RECHARGE_SUSPENDED)
        return "suspended";
    return account->flags & ACCOUNT_RECHARGE_WAITING ? "on, waiting after a failure" : "on";
}

static void print_recharge(struct table *table, struct status *status)
{
    const struct account_record *account = &status->account;
    table_string(table, recharge_state(account));
    if (is_configured(account)) {
        table_money(table, account->recharge_micros);
        table_currency(table, account->recharge_currency);
        table_money(table, account->threshold_micros);
        table_number(table, account->recharge_daily_limit, 0);
        table_number(table, account->recharge_failures, 0);
    } else {
        for (int i = 0; i < 5; i++)
            table_blank(table);
    }
    struct recharge_record recharge;
    struct key key = key_of(RECORD_RECHARGE, status->account_id);
    char id[64];
    if (state_view_load(&status->view, &key, &recharge, sizeof recharge)) {
        snprintf(id, sizeof id, "%" PRIu32 ":%" PRId64 ":%" PRIu32, status->view.header.partition, recharge.offset,
                 recharge.n);
        table_string(table, id);
    } else {
        table_blank(table);
    }
}

static void print_spent(struct table *table, const struct account_record *account)
{
    char day[DAY_TEXT_MAX];
    if (account->spent_day == DAY_NEVER) {
        table_blank(table);
        table_blank(table);
        return;
    }
    day_format(account->spent_day, day);
    table_money(table, account->spent_micros[0]);
    table_string(table, day);
}

static void print_account(struct table *table, struct status *status)
{
    const struct account_record *account = &status->account;
    struct buffer blocked = blocked_prefixes(status, TEXT_LIT(""), NULL);
    table_row(table, NULL);
    table_text(table, status->account_id);
    table_number(table, status->view.header.partition, 0);
    table_instant(table, status->view.partition.time_ms);
    table_credits(table, account);
    print_spent(table, account);
    table_flag(table, account->flags & ACCOUNT_EXHAUSTED);
    table_flag(table, account->flags & ACCOUNT_LOW);
    table_joined(table, &blocked);
    print_recharge(table, status);
    buffer_free(&blocked);
}

int status_account(struct status *status)
{
    static const struct table_column columns[] = {
        {"account", "account", COLUMN_WORD, NULL, 0},
        {"partition", "partition", COLUMN_NUMBER, NULL, 0},
        {"time", "as of", COLUMN_WORD, NULL, 0},
        {"currency", "currency", COLUMN_WORD, NULL, 0},
        {"balance", "balance (posted)", COLUMN_AMOUNT, NULL, 0},
        {"accrued", "accrued by live calls", COLUMN_AMOUNT, NULL, 0},
        {"available", "available", COLUMN_AMOUNT, NULL, 0},
        {"uncommitted", "uncommitted", COLUMN_AMOUNT, NULL, 0},
        {"live_calls", "live calls", COLUMN_NUMBER, NULL, 0},
        {"spent", "charged on the last day", COLUMN_AMOUNT, NULL, 0},
        {"spent_on", "which was", COLUMN_WORD, NULL, 0},
        {"exhausted", "told that credits are exhausted", COLUMN_FLAG, "", 0},
        {"low", "told that credits are low", COLUMN_FLAG, "", 0},
        {"blocked", "blocked for all numbers", COLUMN_LIST, "", 0},
        {"recharge", "auto-recharge", COLUMN_WORD, NULL, 0},
        {"recharge_amount", "  amount", COLUMN_AMOUNT, NULL, 0},
        {"recharge_currency", "  in", COLUMN_WORD, NULL, 0},
        {"recharge_threshold", "  at or below", COLUMN_AMOUNT, NULL, 0},
        {"recharge_daily_limit", "  times a day, at most", COLUMN_NUMBER, NULL, 0},
        {"recharge_failures", "  failures in a row", COLUMN_NUMBER, "0", 0},
        {"recharge_in_flight", "  in flight", COLUMN_WORD, NULL, 0},
    };
    struct table *table = table_begin_card(status->format, stdout, columns, sizeof columns / sizeof columns[0]);
    table_title(table, status->title);
    print_account(table, status);
    return table_end(table) ? EX_OK : EX_IOERR;
}

/* ---- who may call from what ---- */

static bool is_assigned(struct status *status, const struct assignment_record *assignment, struct text number_id,
                        struct text member_id)
{
    struct number_record number;
    struct member_record member;
    struct key number_key = key_of2(RECORD_NUMBER, status->account_id, number_id);
    struct key member_key = key_of2(RECORD_MEMBER, status->account_id, member_id);
    return state_view_load(&status->view, &number_key, &number, sizeof number) &&
           state_view_load(&status->view, &member_key, &member, sizeof member) &&
           assignment_holds(assignment, &number, &member);
}

/* Who may call from a number. */
static struct buffer members_of(struct status *status, struct text number)
{
    struct buffer joined = {0};
    struct key key = keys_of_number(RECORD_ASSIGNMENT, status->account_id, number);
    struct stored_list list = state_view_list(&status->view, &key);
    for (size_t i = 0; i < list.count; i++) {
        struct text member = record_key_part(list.items[i].key, 2);
        if (is_assigned(status, list.items[i].body, number, member))
            join(&joined, "", member);
    }
    stored_free(&list);
    return joined;
}

static struct text assigned_member(const struct stored *assignment)
{
    return record_key_part(assignment->key, 2);
}

static int compare_members(const void *left, const void *right)
{
    const struct stored *a = left, *b = right;
    int order = text_compare(assigned_member(a), assigned_member(b));
    return order != 0 ? order : text_compare(a->key, b->key);
}

/* The account's assignments by member, as its members are listed. */
static struct stored_list assignments_by_member(struct status *status)
{
    struct key key = keys_of_account(RECORD_ASSIGNMENT, status->account_id);
    struct stored_list list = state_view_list(&status->view, &key);
    if (list.count > 0)
        qsort(list.items, list.count, sizeof *list.items, compare_members);
    return list;
}

/* What a member may call from. *at is a place in the assignments at or before
 * the member's, and moves behind them. */
static struct buffer numbers_of(struct status *status, const struct stored_list *assignments, size_t *at,
                                struct text member)
{
    struct buffer joined = {0};
    while (*at < assignments->count && text_compare(assigned_member(&assignments->items[*at]), member) < 0)
        ++*at;
    for (; *at < assignments->count && text_equal(assigned_member(&assignments->items[*at]), member); ++*at) {
        const struct stored *stored = &assignments->items[*at];
        struct text number = record_key_part(stored->key, 1);
        if (is_assigned(status, stored->body, number, member))
            join(&joined, "", number);
    }
    return joined;
}

static void print_number(struct table *table, struct status *status, const struct stored_list *decks,
                         const struct stored *stored)
{
    const struct number_record *number = stored->body;
    struct text id = record_key_part(stored->key, 1), origin = number_origin(number);
    struct buffer members = members_of(status, id);
    struct buffer blocked = blocked_prefixes(status, id, number);
    uint16_t index;
    const struct deck_record *deck = state_deck_in_force(decks, origin, status->view.partition.time_ms, &index);
    table_row(table, NULL);
    table_text(table, id);
    table_text(table, origin);
    table_flag(table, number->international);
    table_joined(table, &members);
    table_joined(table, &blocked);
    table_text(table, deck == NULL ? TEXT_NONE : deck_id(deck));
    buffer_free(&members);
    buffer_free(&blocked);
}

int status_numbers(struct status *status)
{
    static const struct table_column columns[] = {
        {"number", "NUMBER", COLUMN_WORD, NULL, 0},
        {"origin", "ORIGIN", COLUMN_WORD, NULL, 0},
        {"international", "INTERNATIONAL", COLUMN_FLAG, NULL, 0},
        {"members", "MEMBERS", COLUMN_LIST, NULL, 0},
        {"blocked", "BLOCKED", COLUMN_LIST, "", 0},
        {"deck_id", "DECK", COLUMN_WORD, NULL, 1},
    };
    struct key key = keys_of_account(RECORD_NUMBER, status->account_id), deck_key;
    key_begin(&deck_key, RECORD_DECK);
    struct stored_list numbers = state_view_list(&status->view, &key);
    struct stored_list decks = state_view_list(&status->view, &deck_key);
    struct table *table = status_begin(status, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < numbers.count; i++)
        if (((const struct number_record *)numbers.items[i].body)->present)
            print_number(table, status, &decks, &numbers.items[i]);
    stored_free(&numbers);
    stored_free(&decks);
    return table_end(table) ? EX_OK : EX_IOERR;
}

int status_members(struct status *status)
{
    static const struct table_column columns[] = {
        {"member_id", "MEMBER", COLUMN_WORD, NULL, 0},
        {"role", "ROLE", COLUMN_WORD, NULL, 0},
        {"numbers", "MAY CALL FROM", COLUMN_LIST, NULL, 0},
    };
    struct key key = keys_of_account(RECORD_MEMBER, status->account_id);
    struct stored_list members = state_view_list(&status->view, &key);
    struct stored_list assignments = assignments_by_member(status);
    size_t at = 0;
    struct table *table = status_begin(status, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < members.count; i++) {
        const struct member_record *member = members.items[i].body;
        if (!member->present)
            continue;
        struct text id = record_key_part(members.items[i].key, 1);
        struct buffer numbers = numbers_of(status, &assignments, &at, id);
        table_row(table, NULL);
        table_text(table, id);
        table_string(table, member_role_name((enum member_role)member->role));
        table_joined(table, &numbers);
        buffer_free(&numbers);
    }
    stored_free(&members);
    stored_free(&assignments);
    return table_end(table) ? EX_OK : EX_IOERR;
}

int status_account_calls(struct status *status)
{
    struct table *table = status_calls_begin(status);
    int code = status_calls_add(table, &status->view, status->account_id);
    return table_end(table) ? code : EX_IOERR;
}
