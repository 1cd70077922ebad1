/* cmd_topics_create.c - callfold topics create. */
#include <stdlib.h>

#include "processor/commands.h"
#include "processor/kafka/topics.h"
#include "processor/log.h"
#include "terminal/message.h"

struct create_options {
    const char *kafka;
    struct option_list overrides;
    int64_t partitions, replication_factor, retention_ms;
};

static bool parse(struct create_options *options, int argc, char **argv, int *exit_code)
{
    /* clang-format off */
    const struct option_spec specs[] = {
        KAFKA_OPTION_SPECS(true, options->kafka, options->overrides),
        {.name = "partitions", .kind = OPTION_NUMBER, .target = &options->partitions, .value = "N", .least = 1,
         .most = PARTITIONS_MAX,
         .help = "of each topic (the broker's default); cannot be\n"
                 "changed later"},
        {.name = "replication-factor", .kind = OPTION_NUMBER, .target = &options->replication_factor, .value = "N",
         .least = 1, .most = 32, .help = "brokers that hold each partition (the broker's\n"
                 "default)"},
        {.name = "retention-ms", .kind = OPTION_NUMBER, .target = &options->retention_ms, .value = "MS", .least = 1,
         .most = INT64_MAX / 2,
         .help = "let events, ledger, calls and attestations expire\n"
                 "(kept for ever unless given; the meter then wants\n"
                 "callfold.allow.retention=true)"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold topics create",
        .usage = "--kafka FILE [--partitions N]\n[--replication-factor N]",
        .about = "Makes the topics that are missing. What is there already is left as it is, and\n"
                 "every difference is named: then the exit code is 1.",
        .examples = "  callfold topics create --kafka kafka.properties --partitions 4 \\\n"
                    "      --replication-factor 3",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    return options_parse(&table, &argc, argv, exit_code);
}

static int create(const struct create_options *options)
{
    struct kafka_settings settings;
    struct store_error error;
    struct client client = {0};
    const struct topics_wish wish = {.partitions = (int)options->partitions,
                                     .replication_factor = (int)options->replication_factor,
                                     .retention_ms = options->retention_ms};
    bool differs;
    bool done = kafka_settings_read(&settings, options->kafka, &options->overrides, &error) &&
                client_open(&client, CLIENT_FEEDER, &settings, &error) && topics_make(&client, &wish, &differs, &error);
    client_close(&client);
    kafka_settings_free(&settings);
    if (!done)
        return message_fail(error.code, "%s", error.message);
    return differs ? EXIT_DIFFERS : EX_OK;
}

int topics_create(int argc, char **argv)
{
    struct create_options options = {.partitions = -1, .replication_factor = -1, .retention_ms = -1};
    int exit_code;
    if (parse(&options, argc, argv, &exit_code))
        exit_code = create(&options);
    free(options.overrides.values);
    return exit_code;
}
