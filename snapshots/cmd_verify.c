/* cmd_verify.c - callfold-snapshot verify: is a snapshot what its manifest says? */
#include <stdio.h>
#include <sysexits.h>

#include "snapshots/commands.h"
#include "terminal/message.h"
#include "terminal/table.h"

static const struct table_column columns[] = {
    {"partition", "partition", COLUMN_NUMBER, NULL, 0},
    {"name", "snapshot", COLUMN_WORD, NULL, 0},
    {"verified", "verified", COLUMN_FLAG, NULL, 0},
    {"difference", "what differs", COLUMN_NAME, NULL, 0},
};

struct verification {
    struct signature_key *key;
    struct table *table;
    int code;
};

static int verify_one(void *context, const struct snapshot_place *place)
{
    struct manifest manifest;
    struct store_error error;
    struct verification *verification = context;
    bool is_verified = snapshot_verify(place, verification->key, &manifest, &error);
    if (!is_verified && error.code != EX_DATAERR)
        return message_fail(error.code, "%s", error.message);
    table_row(verification->table, is_verified ? NULL : "red");
    table_number(verification->table, place->partition, 0);
    table_string(verification->table, place->name);
    table_flag(verification->table, is_verified);
    table_text(verification->table, is_verified ? TEXT_NONE : text_of(error.message));
    if (!is_verified)
        verification->code = EXIT_DIFFERS;
    return EX_OK;
}

static int verify(const struct selection *selection, struct signature_key *key, enum table_format format)
{
    struct verification verification = {
        .key = key, .table = table_begin(format, stdout, columns, sizeof columns / sizeof columns[0])};
    int code = selection_each_snapshot(selection, verify_one, &verification);
    if (!table_end(verification.table))
        return message_fail(EX_IOERR, "standard output could not be written");
    return code != EX_OK ? code : verification.code;
}

int cmd_verify(int argc, char **argv)
{
    struct selection selection = SELECTION_ALL;
    const char *key_path = NULL;
    bool json = false, csv = false;
    enum table_format format;
    struct signature_key *key;
    const struct option_spec specs[] = {
        SNAPSHOTS_SPEC(selection),
        PARTITION_SPEC(selection),
        NAME_SPEC(selection),
        VERIFY_KEY_SPEC(key_path),
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .help = "an array of objects, for programs"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &csv, .help = "comma-separated values, for spreadsheets"},
    };
    const struct option_table table = {
        .command = "callfold-snapshot verify",
        .usage = "--snapshots DIR [--partition N]\n[--snapshot NAME] [--verify-key PUBLIC]\n[--json|--csv]",
        .about = "Holds snapshots against their manifests: name, size and SHA-256 of the copy, its\n"
                 "header, the digest of its records by a full scan, their counts; and with a\n"
                 "public key the signature. Exit code 1 if anything differs.",
        .examples = "  callfold-snapshot verify --snapshots snapshots\n"
                    "  callfold-snapshot verify --snapshots snapshots --verify-key public.pem --json",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    int exit_code;
    if (!options_parse(&table, &argc, argv, &exit_code))
        return exit_code;
    if (!table_format_chosen(json, csv, &format))
        return EX_USAGE;
    if (!verify_key_read(key_path, &key, &exit_code))
        return exit_code;
    exit_code = verify(&selection, key, format);
    signature_key_free(key);
    return exit_code;
}
