/* status.c - a state, or an account of it, as tables; see status.h.
 *
 * People see them one below the other; --json gives one object with an array
 * for each; --csv, which has no way to hold two tables, the first, or the one
 * that --table names. */
#include "processor/status.h"

#include <stdlib.h>

#include "events/phone.h"
#include "terminal/message.h"

struct named_table {
    const char *name, *title;
    status_table *print;
    bool on_request; /* shown only where --table names it */
};

static const struct named_table overview[] = {
    {"partitions", "Partitions", status_partitions, false},
    {"decks", "Rate decks", status_decks, false},
    {"fx", "Exchange rates", status_fx, false},
    {"policy", "Policy", status_policy, false},
    {"accounts", "Accounts", status_accounts, true},
    {"calls", "Live calls", status_calls, true},
    {"events", "Events folded", status_events, true},
    {"rejects", "Events rejected", status_rejects, true},
};

static const struct named_table of_account[] = {
    {"account", "Account", status_account, false},
    {"numbers", "Numbers", status_numbers, false},
    {"members", "Members", status_members, false},
    {"calls", "Live calls", status_account_calls, false},
};

static int refuse_table(const char *name, const struct named_table *tables, size_t count)
{
    char names[128] = "";
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i == 0 ? "" : ", ", tables[i].name);
    return message_fail(EX_USAGE, "--table: no table '%s' here; there are %s", name, names);
}

static int print_named(struct status *status, const char *name, const struct named_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(tables[i].name, name) == 0)
            return tables[i].print(status);
    return refuse_table(name, tables, count);
}

static int print_all(struct status *status, const struct named_table *tables, size_t count)
{
    int code = EX_OK;
    for (size_t i = 0; i < count && code == EX_OK; i++) {
        if (tables[i].on_request)
            continue;
        if (status->format == TABLE_JSON)
            printf("%s\"%s\":", i == 0 ? "{" : ",", tables[i].name);
        else if (i > 0)
            putchar('\n');
        status->title = tables[i].title;
        code = tables[i].print(status);
    }
    if (status->format == TABLE_JSON)
        printf("}\n");
    return fflush(stdout) == 0 ? code : EX_IOERR;
}

static int print_tables(struct status *status, const char *name, const struct named_table *tables, size_t count)
{
    if (name == NULL && status->format == TABLE_CSV)
        name = tables[0].name;
    int code = name != NULL ? print_named(status, name, tables, count) : print_all(status, tables, count);
    if (code == EX_IOERR)
        message_error("standard output could not be written");
    return code;
}

static int show_account(struct status *status, const char *account, const char *table)
{
    status->account_id = text_of(account);
    if (!id_is_valid(status->account_id))
        return message_fail(EX_USAGE, "--account: '%s' is not an id", account);
    int code = state_view_open_account(&status->view, status->dir, status->account_id, &status->account);
    if (code != EX_OK)
        return code;
    code = print_tables(status, table, of_account, sizeof of_account / sizeof of_account[0]);
    int closing = state_view_close(&status->view);
    return code == EX_OK ? closing : code;
}

static int show_state(struct status *status, const char *table)
{
    int code = state_view_partitions(status->dir, &status->partitions, &status->partition_count);
    if (code != EX_OK)
        return code;
    code = print_tables(status, table, overview, sizeof overview / sizeof overview[0]);
    free(status->partitions);
    return code;
}

int status_show(const struct status_question *question)
{
    struct status status = {.dir = question->dir, .format = question->format};
    return question->account != NULL ? show_account(&status, question->account, question->table)
                                     : show_state(&status, question->table);
}
