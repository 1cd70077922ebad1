/* cmd_prune.c - callfold-snapshot prune: remove old snapshots. */
#include <inttypes.h>
#include <sysexits.h>

#include "events/instant.h"
#include "snapshots/commands.h"
#include "terminal/message.h"

#define AGE_MOST_MS (INT64_C(36500) * MS_PER_DAY)

struct prune_options {
    struct selection selection;
    struct snapshot_keep keep;
    const char *key_path;
    bool quiet;
    struct signature_key *key;
    int code;
};

static bool parse(struct prune_options *options, int argc, char **argv, int *exit_code)
{
    const struct option_spec specs[] = {
        SNAPSHOTS_SPEC(options->selection),
        PARTITION_SPEC(options->selection),
        {.name = "keep",
         .kind = OPTION_NUMBER,
         .target = &options->keep.count,
         .value = "N",
         .least = 1,
         .most = INT32_MAX,
         .help = "the newest N of each partition stay"},
        {.name = "keep-for",
         .kind = OPTION_TIME,
         .target = &options->keep.age_ms,
         .value = "TIME",
         .least = 0,
         .most = AGE_MOST_MS,
         .help = "those made within that time stay: 12h, 30d"},
        VERIFY_KEY_SPEC(options->key_path),
        QUIET_SPEC(options->quiet),
    };
    const struct option_table table = {
        .command = "callfold-snapshot prune",
        .usage = "--snapshots DIR [--keep N] [--keep-for TIME]\n[--partition N] [--verify-key PUBLIC]",
        .about = "Removes the snapshots that neither --keep nor --keep-for lets stay. Before it\n"
                 "does, one of each partition must verify, and that one stays in any case: the\n"
                 "last good one is never removed.",
        .examples = "  callfold-snapshot prune --snapshots snapshots --keep 24 --keep-for 30d",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    return options_parse(&table, &argc, argv, exit_code);
}

/* A partition without a good one does not keep the others from it. */
static int prune_one(void *context, uint32_t partition)
{
    struct store_error error;
    struct prune_options *options = context;
    if (snapshot_prune(options->selection.dir, partition, &options->keep, options->key, NULL, selection_say_removed,
                       NULL, &error))
        return EX_OK;
    options->code = message_fail(error.code, "%s", error.message);
    return EX_OK;
}

int cmd_prune(int argc, char **argv)
{
    int exit_code;
    struct prune_options options = {.selection = SELECTION_ALL,
                                    .keep = {.count = -1, .age_ms = -1, .now_ms = wall_clock_ms()}};
    if (!parse(&options, argc, argv, &exit_code))
        return exit_code;
    message_quiet(options.quiet);
    if (options.keep.count < 0 && options.keep.age_ms < 0)
        return message_fail(EX_USAGE, "say what may stay: --keep N, --keep-for TIME, or both");
    if (!verify_key_read(options.key_path, &options.key, &exit_code))
        return exit_code;
    exit_code = selection_each_partition(&options.selection, prune_one, &options);
    signature_key_free(options.key);
    return exit_code != EX_OK ? exit_code : options.code;
}
