/* cmd_status.c - callfold status: what a state directory knows. */
#include "processor/commands.h"
#include "processor/status.h"
#include "terminal/message.h"
#include "terminal/options.h"

int cmd_status(int argc, char **argv)
{
    struct status_question question = {0};
    bool json = false, csv = false;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "state", .kind = OPTION_TEXT, .target = &question.dir, .value = "DIR", .required = true,
         .help = "the state directory; a processor may be using it"},
        STATUS_OPTION_SPECS(question, json, csv),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold status",
        .usage = "--state DIR [--account ID] [--table NAME] [--json|--csv]",
        .about = "Shows what a state directory knows as of its last checkpoint, which a running\n"
                 "processor makes every few seconds. Nothing is changed, nobody is kept waiting.\n"
                 "available = balance - accrued; uncommitted = balance - what live calls may be\n"
                 "charged before they can be told to stop.",
        .examples = "  callfold status --state state\n"
                    "  callfold status --state state --account acct-17\n"
                    "  callfold status --state state --table accounts --csv > balances.csv\n"
                    "  callfold status --state state --table calls --json | jq '.[].limit_reason'",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    int exit_code;
    if (!options_parse(&table, &argc, argv, &exit_code))
        return exit_code;
    if (!table_format_chosen(json, csv, &question.format))
        return EX_USAGE;
    return status_show(&question);
}
