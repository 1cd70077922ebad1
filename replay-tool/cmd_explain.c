/* cmd_explain.c - callfold-replay explain: where did this amount come from? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/instant.h"
#include "events/partitioner.h"
#include "events/phone.h"
#include "processor/fold/state.h"
#include "replay-tool/callers.h"
#include "replay-tool/commands.h"
#include "replay-tool/explanation.h"
#include "terminal/message.h"

struct explain {
    struct history_options from;
    const char *call, *account, *day_text;
    int64_t entry, partition;
    bool json;
    /* while it is folded */
    struct history *history;
    struct witness witness;
    struct call_story **stories; /* of the call's id: one, or more once it was forgotten and used again */
    size_t story_count;
    struct day_story *day;
    enum entry_outcome outcome; /* of the entry */
    struct history_until until;
    struct range range; /* the entry alone */
    struct store_error error;
};

/* --- folding --- */

static void visit_call(struct explain *explain, const struct history_step *step)
{
    for (size_t i = 0; i < explain->story_count; i++)
        story_step(explain->stories[i], &explain->witness, step);
    if (step->event == NULL || step->event->type != EVENT_CALL_STARTED ||
        !name_is(&explain->witness.account, step->event->subject) ||
        !text_equal(step->event->data.call_started.call_id, text_of(explain->call)))
        return;
    struct call_story *begun = story_begin(&explain->witness, step);
    if (begun == NULL)
        return;
    explain->stories = must_alloc(realloc(explain->stories, (explain->story_count + 1) * sizeof(struct call_story *)));
    explain->stories[explain->story_count++] = begun;
}

static bool visit(void *context, const struct history_step *step)
{
    struct explain *explain = context;
    witness_step(&explain->witness, step);
    if (explain->entry > 0) {
        bool is_whole = history_start(explain->history, step->partition)->fold_version == 0;
        explain->outcome = entry_explain(explain->entry, explain->json, is_whole, &explain->witness, step);
        return explain->outcome == ENTRY_NOT_HERE;
    }
    if (explain->day != NULL)
        day_step(explain->day, &explain->witness, step);
    else
        visit_call(explain, step);
    return true;
}

/* --- whose call --- */

static int name_callers(const struct explain *explain, const struct callers *callers)
{
    message_error("%zu accounts have a call %s; say which with --account:", callers->count, explain->call);
    for (size_t i = 0; i < callers->count; i++) {
        const struct caller *caller = &callers->items[i];
        message_note("  --account %s (partition %" PRIu32 ", offset %" PRId64 ")", caller->account.at,
                     caller->first.partition, caller->first.offset);
    }
    return EX_USAGE;
}

/* Finds the account of the call, and so the partition. EX_OK or an exit code after a message. */
static int find_caller(struct explain *explain)
{
    struct callers callers = {0};
    int code = EX_OK;
    if (!callers_find(&callers, &explain->from.source, text_of(explain->call), &explain->error))
        code = message_fail(explain->error.code, "%s", explain->error.message);
    else if (callers.count == 0)
        code = message_fail(EX_DATAERR, "no account has begun a call %s", explain->call);
    else if (callers.count > 1)
        code = name_callers(explain, &callers);
    if (code == EX_OK) {
        explain->witness.account = callers.items[0].account;
        explain->until.is_one_partition = true;
        explain->until.partition = callers.items[0].first.partition;
    }
    free(callers.items);
    return code;
}

static int choose_partition(struct explain *explain)
{
    uint32_t count = (uint32_t)explain->from.source.partitions;
    explain->until = HISTORY_TO_THE_END;
    if (explain->entry > 0) {
        explain->until.is_one_partition = true;
        explain->until.partition = (uint32_t)explain->partition;
        explain->range = (struct range){.first_day = INT32_MIN, .last_day = INT32_MAX, .is_by_entry = true};
        explain->range.entries[explain->partition] = (struct entry_range){true, explain->entry, explain->entry};
        explain->from.range = &explain->range;
    } else if (explain->account == NULL) {
        return find_caller(explain);
    } else if (count > 0) {
        explain->until.is_one_partition = true;
        explain->until.partition = partition_of_key(text_of(explain->account), count);
    }
    return EX_OK;
}

/* --- telling --- */

static int tell_call(const struct explain *explain)
{
    bool adds_up = true;
    json_t *array = json_array();
    if (explain->story_count == 0)
        message_error("account %s has begun no call %s", explain->witness.account.at, explain->call);
    for (size_t i = 0; i < explain->story_count; i++) {
        adds_up &= story_adds_up(explain->stories[i]);
        if (explain->json)
            json_array_append_new(array, story_json(explain->stories[i]));
        else
            story_print(explain->stories[i]);
        if (!explain->json && i + 1 < explain->story_count)
            printf("\n-- the call was forgotten, and its id used again --\n\n");
    }
    if (explain->json)
        json_dumpf(array, stdout, JSON_INDENT(2));
    if (explain->json)
        printf("\n");
    json_decref(array);
    if (!adds_up)
        return message_fail(EX_SOFTWARE, "the figures do not add up: keep the events and report this");
    return explain->story_count == 0 ? EX_DATAERR : EX_OK;
}

static int tell_day(const struct explain *explain)
{
    if (!explain->witness.has_account)
        return message_fail(EX_DATAERR, "account %s has not been opened", explain->account);
    day_explain(explain->day, &explain->witness, explain->json);
    if (!day_adds_up(explain->day))
        return message_fail(EX_SOFTWARE, "the figures do not add up: keep the events and report this");
    return EX_OK;
}

static int tell(const struct explain *explain)
{
    int code = EX_OK;
    if (explain->entry == 0)
        code = explain->day != NULL ? tell_day(explain) : tell_call(explain);
    else if (explain->outcome != ENTRY_EXPLAINED)
        code = message_fail(EX_DATAERR, "partition %" PRId64 " has no ledger entry %" PRId64, explain->partition,
                            explain->entry);
    if (fflush(stdout) != 0 || ferror(stdout))
        return message_fail(EX_IOERR, "standard output could not be written");
    return code;
}

static bool fold(struct explain *explain)
{
    explain->history = history_open(&explain->from, &explain->until, &explain->error);
    bool is_done = explain->history != NULL && history_run(explain->history, visit, explain, &explain->error);
    history_close(explain->history);
    return is_done;
}

static int run(struct explain *explain)
{
    struct store_error *error = &explain->error;
    int code = choose_partition(explain);
    if (code != EX_OK)
        return code;
    bool is_done = fold(explain);
    if (is_done && explain->outcome == ENTRY_NOT_KNOWN) { /* then from the first event */
        witness_free(&explain->witness);
        explain->witness = (struct witness){.account = explain->witness.account};
        explain->from.base = (struct base_options){0};
        is_done = fold(explain);
    }
    return is_done ? tell(explain) : message_fail(error->code, "%s", error->message);
}

/* --- the question --- */

static bool check_account(struct explain *explain)
{
    if (explain->account == NULL)
        return true;
    explain->witness.account = name_of(text_of(explain->account));
    return id_is_valid(text_of(explain->account)) ||
           (message_error("--account: '%s' is no id of an account", explain->account), false);
}

static bool check_day(struct explain *explain)
{
    int32_t day;
    if (explain->day_text == NULL)
        return true;
    if (explain->account == NULL) {
        message_error("--day is a day of an account: name it with --account");
        return false;
    }
    if (!day_parse(text_of(explain->day_text), &day)) {
        message_error("--day: '%s' is no day; write it as 2026-11-23", explain->day_text);
        return false;
    }
    explain->day = day_begin(day);
    return true;
}

static bool check(struct explain *explain)
{
    int questions = (explain->call != NULL) + (explain->entry > 0) + (explain->day_text != NULL);
    const char *events = explain->from.source.events;
    bool has_base = explain->from.base.snapshots != NULL || explain->from.base.state != NULL;
    if (!history_check(&explain->from, "callfold-replay explain") || !check_account(explain))
        return false;
    if (questions != 1)
        message_error("what is to be explained? --call ID, --entry N, or --account ID --day DAY: one of them");
    else if (explain->call != NULL && !id_is_valid(text_of(explain->call)))
        message_error("--call: '%s' is no id of a call", explain->call);
    else if (has_base && (explain->entry == 0 || (events != NULL && strcmp(events, "-") == 0)))
        message_error("--snapshots and --state go with --entry, and not with standard input: who had set what was said "
                      "before any snapshot, and is read from the first event");
    else if (explain->call != NULL && explain->account == NULL && events != NULL && strcmp(events, "-") == 0)
        message_error("standard input is read only once: say whose call it is with --account");
    else
        return check_day(explain);
    return false;
}

static void finish(struct explain *explain)
{
    for (size_t i = 0; i < explain->story_count; i++)
        story_free(explain->stories[i]);
    free(explain->stories);
    day_free(explain->day);
    witness_free(&explain->witness);
    history_options_free(&explain->from);
}

int cmd_explain(int argc, char **argv)
{
    struct explain *explain = must_alloc(calloc(1, sizeof *explain));
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "call", .kind = OPTION_TEXT, .target = &explain->call, .value = "ID",
         .help = "explain a call"},
        {.name = "account", .kind = OPTION_TEXT, .target = &explain->account, .value = "ID",
         .help = "whose call, where several accounts have the id; or\nwhose day"},
        {.name = "day", .kind = OPTION_TEXT, .target = &explain->day_text, .value = "DAY",
         .help = "explain all entries of the account dated on that UTC\nday, and its calls: 2026-11-23"},
        {.name = "entry", .kind = OPTION_NUMBER, .target = &explain->entry, .value = "N", .least = 1,
         .most = INT64_MAX, .help = "explain a ledger entry"},
        {.name = "partition", .kind = OPTION_NUMBER, .target = &explain->partition, .value = "P", .least = 0,
         .most = PARTITIONS_MAX - 1, .help = "of which partition's ledger (0)"},
        HISTORY_OPTION_SPECS(explain->from),
        {.name = "json", .kind = OPTION_FLAG, .target = &explain->json, .help = "as JSON, for programs"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay explain",
        .usage = "--events FILE|DIR|- --call ID [--account ID]\n--events FILE|DIR|- --entry N [--partition P]\n"
                 "--events FILE|DIR|- --account ID --day DAY",
        .about = "Says in words and figures where an amount came from: the records with their\n"
                 "places, who had set what, rate deck, exchange rate, increments and roundings,\n"
                 "every limit with its reason, the ledger entries and their hashes. A call that\n"
                 "was denied: by which question, and the figures behind it. All of the history\n"
                 "is folded, for what holds was said in it long before; only an entry may be\n"
                 "explained from the newest snapshot before it (--snapshots).",
        .examples = "  callfold-replay explain --events events.jsonl --call c1\n"
                    "  callfold-replay explain --events events.jsonl --entry 1841\n"
                    "  callfold-replay explain --events archive --account acct-17 --day 2026-11-23",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = check(explain) ? run(explain) : EX_USAGE;
    finish(explain);
    free(explain);
    return exit_code;
}
