/* settings.h - what a Kafka properties file and -X say.
 *
 * The file is one name=value a line, names those of librdkafka; `#` begins a
 * comment. Names that begin with "callfold." are ours:
 *
 *     callfold.instance          which of the processes of the group this one is; kept over restarts
 *     callfold.allow.retention   true: events and ledger may expire
 *
 * -X name=value comes after the file and overrides it. Secrets are taken from
 * the file alone: a command line can be read by every user of the machine.
 * What exactly-once stands on cannot be set to anything else (settings.c).
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_SETTINGS_H
#define CALLFOLD_PROCESSOR_KAFKA_SETTINGS_H

#include "snapshots/store.h"
#include "terminal/options.h"

#define SETTING_WHERE 320 /* bytes of "FILE:LINE" */

struct kafka_setting {
    char *name, *value;
    char where[SETTING_WHERE]; /* "FILE:LINE" or "-X", for messages */
};

struct kafka_settings {
    struct kafka_setting *items; /* librdkafka's, in the order they are to be set */
    size_t count;
    char *group;    /* group.id, "callfold" unless set */
    char *instance; /* NULL: not given */
    bool allow_retention;
};

/* The options of every command that speaks to Kafka. */
#define KAFKA_OPTION_SPECS(is_required, file, overrides)                                                       \
    {.name = "kafka",                                                                                          \
     .kind = OPTION_TEXT,                                                                                      \
     .target = &(file),                                                                                        \
     .value = "FILE",                                                                                          \
     .required = (is_required),                                                                                \
     .help = "librdkafka properties, one name=value a line:\n"                                                 \
             "bootstrap.servers, callfold.instance, sasl.username"},                                           \
    {                                                                                                          \
        .name = "property", .letter = 'X', .kind = OPTION_LIST, .target = &(overrides), .value = "NAME=VALUE", \
        .help = "a property that overrides the file's; secrets are\ntaken from the file alone"                 \
    }

/* Reads the file, then -X. Warns when others than its owner can read a file
 * with a secret in it. False with *error set (EX_CONFIG, EX_USAGE for -X);
 * free in either case. */
bool kafka_settings_read(struct kafka_settings *settings, const char *path, const struct option_list *overrides,
                         struct store_error *error);
void kafka_settings_free(struct kafka_settings *settings);

#endif
