/* cmd_archive.c - callfold-replay archive: the log, kept for those who come later. */
#include <stdlib.h>
#include <sysexits.h>

#include "replay-tool/archiving.h"
#include "replay-tool/commands.h"
#include "terminal/message.h"
#include "terminal/table.h"

#define MEGABYTE     ((int64_t)1 << 20)
#define SEGMENT_MB   64
#define SEGMENT_MOST 4096

struct archive_command {
    struct source_options from;
    const char *dir;
    int64_t segment_mb;
    bool verify;
    enum table_format format;
};

/* A row a partition. */
static int show(const struct archive_command *command, const struct archive *archive)
{
    static const struct table_column columns[] = {
        {"partition", "PARTITION", COLUMN_NUMBER, NULL, 0}, {"next_offset", "NEXT OFFSET", COLUMN_NUMBER, NULL, 0},
        {"records", "RECORDS", COLUMN_NUMBER, NULL, 0},     {"segments", "SEGMENTS", COLUMN_NUMBER, NULL, 0},
        {"bytes", "BYTES", COLUMN_NUMBER, NULL, 1},         {"size", "COMPRESSED", COLUMN_NUMBER, NULL, 0},
    };
    struct table *table = table_begin(command->format, stdout, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < PARTITIONS_MAX; i++) {
        size_t count;
        int64_t records = 0, bytes = 0, size = 0;
        const struct archive_segment *segments = archive_segments(archive, i, &count);
        for (size_t s = 0; s < count; s++) {
            records += segments[s].records;
            bytes += segments[s].bytes;
            size += segments[s].size;
        }
        if (count == 0)
            continue;
        table_row(table, NULL);
        table_number(table, i, 0);
        table_number(table, segments[count - 1].next_offset, 0);
        table_number(table, records, 0);
        table_number(table, (int64_t)count, 0);
        table_number(table, bytes, 0);
        table_number(table, size, 0);
    }
    return table_end(table) ? EX_OK : message_fail(EX_IOERR, "standard output could not be written");
}

/* What is not as the manifest says is a difference, not bad input. */
static int verify(const struct archive_command *command)
{
    struct archive archive;
    struct store_error error = {0};
    int exit_code = EX_OK;
    if (!archive_exists(command->dir))
        return message_fail(EX_CONFIG, "%s holds no " ARCHIVE_MANIFEST ": name the directory of an archive",
                            command->dir);
    if (archive_read(&archive, command->dir, &error) && archiving_prove(&archive, &error))
        exit_code = show(command, &archive);
    else if (error.code == EX_DATAERR)
        exit_code = message_fail(EXIT_DIFFERS, "%s", error.message);
    else
        exit_code = message_fail(error.code, "%s", error.message);
    archive_release(&archive);
    return exit_code;
}

static int add(const struct archive_command *command)
{
    struct archive archive;
    struct store_error error = {0};
    int exit_code = archiving_run(&command->from, command->dir, command->segment_mb * MEGABYTE, &archive, &error)
                        ? show(command, &archive)
                        : message_fail(error.code, "%s", error.message);
    archive_release(&archive);
    return exit_code;
}

static int run(const struct archive_command *command)
{
    if (!command->verify)
        return source_check(&command->from, "callfold-replay archive") ? add(command) : EX_USAGE;
    if (command->from.events != NULL || command->from.kafka != NULL)
        return message_fail(EX_USAGE, "--verify looks at the archive alone: leave --events and --kafka out");
    return verify(command);
}

int cmd_archive(int argc, char **argv)
{
    struct archive_command command = {.segment_mb = SEGMENT_MB};
    bool json = false, csv = false;
    int exit_code;
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "archive", .kind = OPTION_TEXT, .target = &command.dir, .value = "DIR", .required = true,
         .help = "the archive; made when missing"},
        SOURCE_OPTION_SPECS(command.from),
        {.name = "segment-mb", .kind = OPTION_NUMBER, .target = &command.segment_mb, .value = "N", .least = 1,
         .most = SEGMENT_MOST, .help = "a segment ends after so many megabytes of lines (64)"},
        {.name = "verify", .kind = OPTION_FLAG, .target = &command.verify,
         .help = "add nothing: hold every segment against the manifest"},
        {.name = "json", .kind = OPTION_FLAG, .target = &json, .help = "the summary as JSON"},
        {.name = "csv", .kind = OPTION_FLAG, .target = &csv, .help = "the summary as CSV"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold-replay archive",
        .usage = "--archive DIR --events FILE|DIR|-|--kafka FILE\n--archive DIR --verify",
        .about = "Keeps the log of events as files of zstd-compressed JSON lines with their\n"
                 "SHA-256: zstdcat, jq and sha256sum -c read them without callfold, every command\n"
                 "here takes such a directory for --events. Run it again and it goes on where it\n"
                 "ended; killed at any moment it leaves no half segment that counts.",
        .examples = "  callfold-replay archive --archive archive --kafka kafka.properties\n"
                    "  (cd archive && sha256sum -c SHA256SUMS)\n"
                    "  zstdcat archive/partition-0/*.zst | jq -r .value\n"
                    "  callfold-replay verify --events archive --outputs out",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = table_format_chosen(json, csv, &command.format) ? run(&command) : EX_USAGE;
    source_options_free(&command.from);
    return exit_code;
}
