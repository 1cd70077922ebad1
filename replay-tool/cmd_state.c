/* cmd_state.c - callfold-replay state: what was known at a moment of the past. */
#include <stdlib.h>
#include <sysexits.h>

#include "events/phone.h"
#include "processor/status.h"
#include "replay-tool/commands.h"
#include "replay-tool/history.h"
#include "terminal/message.h"

struct state {
    struct history_options from;
    const char *at;
    struct history_until until;
    struct status_question question;
};

static bool step(void *context, const struct history_step *folded)
{
    (void)context;
    (void)folded;
    return true;
}

/* False after a message: nothing had happened yet, or not to this account. */
static bool check_there(const struct state *state, const struct history *history)
{
    bool is_any = false, is_there = false;
    struct fold_position position;
    const char *account = state->question.account;
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        struct fold *fold = history_fold(history, i);
        struct text body;
        if (fold == NULL)
            continue;
        fold_position(fold, &position);
        is_any = is_any || position.inputs > 0;
        if (account == NULL)
            continue;
        const struct key key = key_of(RECORD_ACCOUNT, text_of(account));
        is_there = is_there || fold_find(fold, (struct text){key.bytes, key.len}, &body);
    }
    if (!is_any)
        message_error("there is no event up to %s", state->at != NULL ? state->at : "the end");
    else if (account != NULL && !is_there)
        message_error("account %s was not there at %s", account, state->at != NULL ? state->at : "the end");
    return is_any && (account == NULL || is_there);
}

static int show(struct state *state, struct history *history)
{
    struct store_error error = {0};
    if (!history_run(history, step, NULL, &error))
        return message_fail(error.code, "%s", error.message);
    if (!check_there(state, history))
        return EX_DATAERR;
    state->question.dir = history_store(history, &error);
    return state->question.dir != NULL ? status_show(&state->question) : message_fail(error.code, "%s", error.message);
}

static int run(struct state *state)
{
    struct store_error error = {0};
    state->from.account = state->question.account;
    struct history *history = history_open(&state->from, &state->until, &error);
    int exit_code = history != NULL ? show(state, history) : message_fail(error.code, "%s", error.message);
    history_close(history);
    return exit_code;
}

static bool check(struct state *state)
{
    const char *account = state->question.account;
    state->until = HISTORY_TO_THE_END;
    if (!history_check(&state->from, "callfold-replay state"))
        return false;
    if (account != NULL && !id_is_valid(text_of(account))) {
        message_error("--account: '%s' is not an id", account);
        return false;
    }
    return state->at == NULL || history_until_parse("at", state->at, &state->until);
}

int cmd_state(int argc, char **argv)
{
    struct state state = {0};
    bool json = false, csv = false;
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "at", .kind = OPTION_TEXT, .target = &state.at, .value = "OFFSET|TIME",
         .help = "after the event at that offset (of partition 0, or\n"
                 "PARTITION:OFFSET), or with the last one of partition\n"
                 "time TIME; the end unless given"},
        HISTORY_OPTION_SPECS(state.from),
        STATUS_OPTION_SPECS(state.question, json, csv),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay state",
        .usage = "--at OFFSET|TIME --events FILE|DIR|-|--kafka FILE\n[--snapshots DIR] [--account ID] [--table NAME]",
        .about = "Shows what callfold knew at a moment of the past, as `callfold status` shows\n"
                 "what it knows now: balances, toggles, live calls, the decks in force. With\n"
                 "--snapshots only what came after the nearest one is folded.",
        .examples = "  callfold-replay state --at 2026-11-23T08:00:00Z --events archive \\\n"
                    "      --snapshots snapshots\n"
                    "  callfold-replay state --at 3:1841077 --kafka k.properties --account acct-17",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = table_format_chosen(json, csv, &state.question.format) && check(&state) ? run(&state) : EX_USAGE;
    history_options_free(&state.from);
    return exit_code;
}
