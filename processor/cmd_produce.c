/* cmd_produce.c - callfold produce: a file of events, onto Kafka.
 *
 * The meter judges events, not the way to it: a line that is none is written
 * too, and rejected there with its place. It only has to be found where it
 * belongs, in the partition of its subject.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "events/decode.h"
#include "events/partitioner.h"
#include "processor/commands.h"
#include "processor/kafka/feed.h"
#include "processor/log_file_archive.h"
#include "snapshots/files.h"
#include "terminal/message.h"

struct production {
    const char *kafka, *events;
    struct option_list properties;
    struct feed feed;
    struct decoder *decoder;
    struct archive_memory archive;
    int64_t events_written, broadcasts, without_subject;
};

static bool parse(struct production *production, int argc, char **argv, int *exit_code)
{
    /* clang-format off */
    const struct option_spec specs[] = {
        KAFKA_OPTION_SPECS(true, production->kafka, production->properties),
        {.name = "events", .kind = OPTION_TEXT, .target = &production->events, .value = "FILE|-", .required = true,
         .help = "the events, one a line, bare or in archive form; -\n"
                 "reads stdin"},
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold produce",
        .usage = "--kafka FILE --events FILE|-",
        .about = "Writes events to callfold.events: an event of an account to the account's\n"
                 "partition with the account as its key, a broadcast to every partition, a line in\n"
                 "archive form to the partition and with the key that it names. Blank lines are\n"
                 "skipped.",
        .examples = "  callfold produce --kafka kafka.properties --events day.jsonl\n"
                    "  tail -f events.jsonl | callfold produce --kafka kafka.properties --events -",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
    };
    return options_parse(&table, &argc, argv, exit_code);
}

/* The subject of a line that is no event of the contract but may be JSON. */
static bool write_odd(struct production *production, struct text line, struct store_error *error)
{
    json_t *object = json_loadb(line.at, line.len, 0, NULL);
    const char *subject = json_string_value(json_object_get(object, "subject"));
    struct text key = text_of(subject);
    uint32_t partition = subject != NULL ? partition_of_key(key, production->feed.partition_count) : 0;
    production->without_subject += subject == NULL ? 1 : 0;
    bool written = feed_write(&production->feed, partition, key, line, error);
    json_decref(object);
    return written;
}

static bool write_event(struct production *production, struct text line, const struct event *event,
                        struct store_error *error)
{
    if (!text_present(event->subject)) {
        production->broadcasts++;
        return feed_broadcast(&production->feed, line, error);
    }
    return feed_write(&production->feed, partition_of_key(event->subject, production->feed.partition_count),
                      event->subject, line, error);
}

static bool write_archived(struct production *production, uint32_t partition, const struct fold_record *record,
                           int64_t number, struct store_error *error)
{
    if (partition >= production->feed.partition_count)
        return fail_with(error, EX_DATAERR,
                         "%s:%" PRId64 ": partition %" PRIu32 " does not exist: callfold.events has %" PRIu32,
                         production->events, number, partition, production->feed.partition_count);
    return feed_write(&production->feed, partition, record->key, record->value, error);
}

static bool write_line(struct production *production, struct text line, int64_t number, struct store_error *error)
{
    struct event event;
    struct decode_error fault;
    struct fold_record record;
    uint32_t partition;
    production->events_written++;
    if (event_decode(production->decoder, line, &event, &fault))
        return write_event(production, line, &event, error);
    if (!archive_parse(&production->archive, line, &partition, &record))
        return write_odd(production, line, error);
    bool written = write_archived(production, partition, &record, number, error);
    archive_forget(&production->archive);
    return written;
}

static bool write_lines(struct production *production, FILE *file, struct store_error *error)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    bool written = true;
    for (int64_t number = 1; written && (len = getline(&line, &capacity, file)) >= 0; number++) {
        struct text text = {line, (size_t)len};
        if (text.len > 0 && text.at[text.len - 1] == '\n')
            text.len--;
        if (strspn(line, " \t\r\n") < (size_t)len)
            written = write_line(production, text, number, error);
    }
    free(line);
    return written;
}

static void say_summary(const struct production *production)
{
    char events[COUNT_TEXT_MAX], broadcasts[COUNT_TEXT_MAX], odd[COUNT_TEXT_MAX];
    message_note("wrote %s events, %s of them to each of %" PRIu32 " partitions",
                 count_format(production->events_written, events), count_format(production->broadcasts, broadcasts),
                 production->feed.partition_count);
    if (production->without_subject > 0)
        message_note("%s lines are no events and name no subject: they are in partition 0, where they are rejected",
                     count_format(production->without_subject, odd));
}

static bool produce(struct production *production, const struct kafka_settings *settings, FILE *file,
                    struct store_error *error)
{
    bool done = feed_open(&production->feed, CLIENT_FEEDER, settings, error) && write_lines(production, file, error) &&
                feed_flush(&production->feed, error);
    feed_close(&production->feed);
    if (done)
        say_summary(production);
    return done;
}

static int run(struct production *production)
{
    struct kafka_settings settings;
    struct store_error error;
    bool is_stdin = strcmp(production->events, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(production->events, "re");
    if (file == NULL)
        return message_fail(EX_CONFIG, "cannot read %s: %s", production->events, strerror(errno));
    production->decoder = decoder_new();
    bool done = kafka_settings_read(&settings, production->kafka, &production->properties, &error) &&
                produce(production, &settings, file, &error);
    kafka_settings_free(&settings);
    decoder_free(production->decoder);
    if (!is_stdin)
        fclose(file);
    return done ? EX_OK : message_fail(error.code, "%s", error.message);
}

int cmd_produce(int argc, char **argv)
{
    struct production production = {0};
    int exit_code;
    if (parse(&production, argc, argv, &exit_code))
        exit_code = run(&production);
    free(production.properties.values);
    return exit_code;
}
