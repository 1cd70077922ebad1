/* cmd_restore.c - callfold-snapshot restore: a state directory from snapshots. */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "snapshots/commands.h"
#include "terminal/message.h"

struct restore_options {
    struct selection selection;
    const char *state, *key_path;
    bool replace, quiet;
    struct signature_key *key;
};

static bool parse(struct restore_options *options, int argc, char **argv, int *exit_code)
{
    const struct option_spec specs[] = {
        SNAPSHOTS_SPEC(options->selection),
        {.name = "state",
         .kind = OPTION_TEXT,
         .target = &options->state,
         .value = "DIR",
         .required = true,
         .help = "the state directory to fill, made when missing;\nnothing may be running on it"},
        PARTITION_SPEC(options->selection),
        NAME_SPEC(options->selection),
        VERIFY_KEY_SPEC(options->key_path),
        {.name = "replace",
         .kind = OPTION_FLAG,
         .target = &options->replace,
         .help = "set aside a partition that is there, as\npartition-N.replaced-T; else it is refused"},
        QUIET_SPEC(options->quiet),
    };
    const struct option_table table = {
        .command = "callfold-snapshot restore",
        .usage = "--snapshots DIR --state DIR [--partition N]\n[--snapshot NAME] [--verify-key PUBLIC]\n[--replace]",
        .about = "Fills a state directory with the newest snapshot of each partition that\n"
                 "verifies, or with the one that is named. What does not verify is refused. The\n"
                 "meter then folds what has come since; a snapshot ahead of its last commit is of\n"
                 "no use to it. (callfold run --snapshots does all this by itself.)",
        .examples = "  callfold-snapshot restore --snapshots snapshots --state state\n"
                    "  callfold-snapshot restore --snapshots snapshots --state state --partition 3 \\\n"
                    "      --verify-key public.pem --replace",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    return options_parse(&table, &argc, argv, exit_code);
}

static void pass_over(const struct snapshot_place *place, const char *why)
{
    message_error("partition %" PRIu32 ": %s is passed over: %s", place->partition, place->name, why);
}

static bool restore_chosen(const struct restore_options *options, const struct snapshot_place *folder,
                           struct snapshot_name *name, struct manifest *manifest, struct store_error *error)
{
    if (options->selection.name == NULL)
        return snapshot_restore_newest(folder, options->key, NULL, options->state, options->replace, pass_over, name,
                                       manifest, error);
    const struct snapshot_place place = {folder->dir, folder->partition, options->selection.name};
    snprintf(name->text, sizeof name->text, "%s", options->selection.name);
    return snapshot_restore(&place, options->key, options->state, options->replace, manifest, error);
}

static int restore_one(void *context, uint32_t partition)
{
    const struct restore_options *options = context;
    struct snapshot_name name;
    struct manifest manifest;
    struct store_error error;
    const struct snapshot_place folder = {.dir = options->selection.dir, .partition = partition};
    if (!restore_chosen(options, &folder, &name, &manifest, &error))
        return message_fail(error.code == EX_NOINPUT ? EX_DATAERR : error.code, "%s", error.message);
    message_note("restored partition %" PRIu32 ": %s, next offset %" PRId64, partition, name.text,
                 manifest.stock.header.next_offset);
    return EX_OK;
}

static int restore(struct restore_options *options)
{
    struct store_error error;
    int lock = state_lock(options->state, &error);
    if (lock < 0)
        return message_fail(error.code, "%s", error.message);
    int code = selection_each_partition(&options->selection, restore_one, options);
    close(lock);
    return code;
}

int cmd_restore(int argc, char **argv)
{
    int exit_code;
    struct restore_options options = {.selection = SELECTION_ALL};
    if (!parse(&options, argc, argv, &exit_code))
        return exit_code;
    message_quiet(options.quiet);
    if (options.selection.name != NULL && options.selection.partition < 0)
        return message_fail(EX_USAGE, "--snapshot NAME needs --partition N: the name is one of that partition's");
    if (!verify_key_read(options.key_path, &options.key, &exit_code))
        return exit_code;
    exit_code = restore(&options);
    signature_key_free(options.key);
    return exit_code;
}
