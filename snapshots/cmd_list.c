/* cmd_list.c - callfold-snapshot list: which snapshots there are. */
#include <stdio.h>
#include <sysexits.h>

#include "snapshots/commands.h"
#include "terminal/message.h"
#include "terminal/table.h"

static const struct table_column columns[] = {
    {"partition", "partition", COLUMN_NUMBER, NULL, 0},
    {"name", "snapshot", COLUMN_WORD, NULL, 0},
    {"next_offset", "next offset", COLUMN_NUMBER, NULL, 0},
    {"time", "made at", COLUMN_WORD, NULL, 1},
    {"partition_time", "partition time", COLUMN_WORD, NULL, 2},
    {"live_calls", "live calls", COLUMN_NUMBER, NULL, 4},
    {"entries", "entries", COLUMN_NUMBER, NULL, 3},
    {"size", "bytes", COLUMN_NUMBER, NULL, 0},
    {"signed", "signed", COLUMN_FLAG, NULL, 0},
    {"home", "of", COLUMN_NAME, "files", 5},
    {"digest", "digest", COLUMN_WORD, NULL, 6},
};

struct listing {
    struct table *table;
    int code;
};

static int64_t live_calls(const struct stock *stock)
{
    for (size_t i = 0; i < STOCK_KINDS; i++)
        if (stock_kinds[i].kind == RECORD_LIVE_CALL)
            return stock->records[i];
    return 0;
}

static void add_row(struct table *table, const struct snapshot_place *place, const struct manifest *manifest,
                    bool is_signed)
{
    const struct store_header *header = &manifest->stock.header;
    table_row(table, NULL);
    table_number(table, place->partition, 0);
    table_string(table, place->name);
    table_number(table, header->next_offset, 0);
    table_instant(table, manifest->made_at_ms);
    if (manifest->stock.partition_time_ms != TIME_NEVER)
        table_instant(table, manifest->stock.partition_time_ms);
    else
        table_blank(table);
    table_number(table, live_calls(&manifest->stock), 0);
    table_number(table, header->entries, 0);
    table_number(table, manifest->size, 0);
    table_flag(table, is_signed);
    table_string(table, manifest->home[0] != '\0' ? manifest->home : "files");
    table_text(table, (struct text){header->digest, sizeof header->digest});
}

static int list_one(void *context, const struct snapshot_place *place)
{
    bool is_signed;
    struct manifest manifest;
    struct store_error error;
    struct listing *listing = context;
    if (snapshot_read(place, NULL, &manifest, &is_signed, &error))
        add_row(listing->table, place, &manifest, is_signed);
    else
        listing->code = message_fail(error.code, "%s", error.message);
    return EX_OK;
}

static int list(const struct selection *selection, enum table_format format)
{
    struct listing listing = {.table = table_begin(format, stdout, columns, sizeof columns / sizeof columns[0])};
    int code = selection_each_snapshot(selection, list_one, &listing);
    if (!table_end(listing.table))
        return message_fail(EX_IOERR, "standard output could not be written");
    return code != EX_OK ? code : listing.code;
}

int cmd_list(int argc, char **argv)
{
    struct selection selection = SELECTION_ALL;
    bool json = false, csv = false;
    enum table_format format;
    const struct option_spec specs[] = {
        SNAPSHOTS_SPEC(selection),
        PARTITION_SPEC(selection),
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .help = "an array of objects, for programs"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &csv, .help = "comma-separated values, for spreadsheets"},
    };
    const struct option_table table = {
        .command = "callfold-snapshot list",
        .usage = "--snapshots DIR [--partition N] [--json|--csv]",
        .about = "Lists the snapshots, the oldest of a partition first, as their manifests have\n"
                 "them. What was cut short while it was made or removed is none of them.",
        .examples = "  callfold-snapshot list --snapshots snapshots\n"
                    "  callfold-snapshot list --snapshots snapshots --json | jq '.[-1].next_offset'",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    int exit_code;
    if (!options_parse(&table, &argc, argv, &exit_code))
        return exit_code;
    return table_format_chosen(json, csv, &format) ? list(&selection, format) : EX_USAGE;
}
