/* fuzz_properties.c - any bytes as a file of Kafka properties: names with their
 * values, none of them what exactly-once forbids, or an error that names the
 * file. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "events/phone.h"
#include "processor/kafka/settings.h"
#include "tests/fuzz/hear.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_properties: %s\n", what);
    abort();
}

static void check_settings(const struct kafka_settings *settings)
{
    require(settings->group && settings->group[0], "no group");
    require(!settings->instance || id_is_valid(text_of(settings->instance)), "an instance that is no id");
    for (size_t i = 0; i < settings->count; i++) {
        const char *name = settings->items[i].name;
        require(name[0] != '\0', "a property without a name");
        require(strncmp(name, "callfold.", 9) != 0, "one of ours among librdkafka's");
        require(strcmp(name, "transactional.id") != 0, "what cannot be set");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kafka_settings settings = {0};
    struct store_error error = {0};
    const char *path = file_of_bytes(data, size);

    hear_begin();
    bool taken = kafka_settings_read(&settings, path, &(struct option_list){0}, &error);
    hear_end("callfold: ");
    if (taken)
        check_settings(&settings);
    else
        require(error.code == EX_CONFIG && strncmp(error.message, path, strlen(path)) == 0, error.message);
    kafka_settings_free(&settings);
    return 0;
}
