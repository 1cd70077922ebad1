/* source.c - see source.h. */
#include "replay-tool/source.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "terminal/message.h"

bool source_check(const struct source_options *options, const char *command)
{
    if (options->events != NULL && options->kafka != NULL)
        message_error("--events and --kafka do not go together: a history has one source");
    else if (options->events == NULL && options->kafka == NULL)
        message_error("--events FILE|DIR|- or --kafka FILE is needed: where the history is; see %s --help", command);
    else if (options->kafka == NULL && options->properties.count > 0)
        message_error("-X is a property of Kafka: it needs --kafka FILE");
    else if (options->kafka != NULL && options->partitions > 0)
        message_error("--partitions is for files: on Kafka the topic says how many there are");
    else
        return true;
    return false;
}

void source_options_free(struct source_options *options)
{
    free(options->properties.values);
    options->properties = (struct option_list){0};
}

struct source *source_open(const struct source_options *options, struct store_error *error)
{
    struct stat status;
    if (options->kafka != NULL)
        return source_kafka_open(options, error);
    if (stat(options->events, &status) == 0 && S_ISDIR(status.st_mode))
        return source_archive_open(options, error);
    return source_file_open(options, error);
}
