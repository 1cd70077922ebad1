/* cmd_create.c - callfold-snapshot create: hot copies of a state directory. */
#include <inttypes.h>
#include <stdlib.h>
#include <sysexits.h>

#include "snapshots/commands.h"
#include "terminal/message.h"

struct create_options {
    const char *state, *dir, *key_path;
    int64_t partition, keep;
    bool quiet;
    struct signature_key *key;
};

static bool parse(struct create_options *options, int argc, char **argv, int *exit_code)
{
    const struct option_spec specs[] = {
        {.name = "state",
         .kind = OPTION_TEXT,
         .target = &options->state,
         .value = "DIR",
         .required = true,
         .help = "the state directory; a processor may be using it"},
        {.name = "snapshots",
         .kind = OPTION_TEXT,
         .target = &options->dir,
         .value = "DIR",
         .required = true,
         .help = "where the snapshots go, made when missing; better on\nanother disk or machine than the state"},
        PARTITION_SPEC(*options),
        {.name = "sign",
         .kind = OPTION_TEXT,
         .target = &options->key_path,
         .value = "PRIVATE",
         .help = "an Ed25519 private key (PEM) to sign the manifests\nwith"},
        {.name = "keep",
         .kind = OPTION_NUMBER,
         .target = &options->keep,
         .value = "N",
         .least = 1,
         .most = INT32_MAX,
         .help = "afterwards remove all but the newest N of each\npartition (not unless given)"},
        QUIET_SPEC(options->quiet),
    };
    const struct option_table table = {
        .command = "callfold-snapshot create",
        .usage = "--state DIR --snapshots DIR [--partition N]\n[--sign PRIVATE] [--keep N]",
        .about = "Copies each partition as of its last checkpoint, which a running processor makes\n"
                 "every few seconds; the processor does not wait. The copy is read back whole: its\n"
                 "manifest says what is in it. Where nothing has changed since a snapshot was\n"
                 "made, no other is.",
        .examples = "  callfold-snapshot create --state state --snapshots /backup/snapshots --keep 24\n\n"
                    "  # signed, and checked without callfold\n"
                    "  openssl genpkey -algorithm ed25519 -out key.pem && chmod 600 key.pem\n"
                    "  openssl pkey -in key.pem -pubout -out public.pem\n"
                    "  callfold-snapshot create --state state --snapshots snapshots --sign key.pem\n"
                    "  cd snapshots/partition-0/0*\n"
                    "  openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in manifest.json \\\n"
                    "      -sigfile manifest.sig && sha256sum data.mdb",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    return options_parse(&table, &argc, argv, exit_code);
}

static void say_made(const struct snapshot_place *place, const struct manifest *manifest, double seconds)
{
    char size[COUNT_TEXT_MAX];
    message_note("made    partition %" PRIu32 ": %s, %s bytes in %.1f s", place->partition, place->name,
                 count_format(manifest->size, size), seconds);
}

static int prune(const struct create_options *options, const struct snapshot_place *made)
{
    struct store_error error;
    const struct snapshot_keep keep = {.count = options->keep, .age_ms = -1};
    if (options->keep == 0 ||
        snapshot_prune(made->dir, made->partition, &keep, NULL, made->name, selection_say_removed, NULL, &error))
        return EX_OK;
    return message_fail(error.code, "%s", error.message);
}

static int create_one(const struct create_options *options, uint32_t partition)
{
    struct store_error error;
    struct manifest manifest;
    struct snapshot_name name;
    double begun = seconds_now();
    struct snapshot_place place = {.dir = options->dir, .partition = partition};
    enum snapshot_outcome outcome = snapshot_create(options->state, &place, options->key, &name, &manifest, &error);
    if (outcome == SNAPSHOT_FAILED && error.code == EX_NOINPUT) {
        message_note("none    %s", error.message);
        return EX_OK;
    }
    if (outcome == SNAPSHOT_FAILED)
        return message_fail(error.code, "%s", error.message);
    place.name = name.text;
    if (outcome == SNAPSHOT_KNOWN) {
        message_note("there   partition %" PRIu32 ": %s, nothing has changed since", partition, place.name);
        return EX_OK;
    }
    say_made(&place, &manifest, seconds_now() - begun);
    return prune(options, &place);
}

/* One that cannot be copied does not keep the others from it. */
static int create_all(const struct create_options *options)
{
    uint32_t *partitions;
    int first = EX_OK;
    bool is_found = false;
    size_t count = store_partitions(options->state, &partitions);
    for (size_t i = 0; i < count; i++) {
        if (options->partition >= 0 && options->partition != partitions[i])
            continue;
        is_found = true;
        int code = create_one(options, partitions[i]);
        first = first == EX_OK ? code : first;
    }
    free(partitions);
    if (is_found)
        return first;
    return message_fail(EX_CONFIG, "%s holds no state%s: name the directory that `callfold run --state` was given",
                        options->state, options->partition >= 0 ? " of that partition" : "");
}

int cmd_create(int argc, char **argv)
{
    int exit_code;
    struct store_error error;
    struct create_options options = {.partition = -1};
    if (!parse(&options, argc, argv, &exit_code))
        return exit_code;
    message_quiet(options.quiet);
    if (options.key_path != NULL && (options.key = signature_private_key(options.key_path, &error)) == NULL)
        return message_fail(error.code, "%s", error.message);
    exit_code = create_all(&options);
    signature_key_free(options.key);
    return exit_code;
}
