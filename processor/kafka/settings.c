/* settings.c - see settings.h. */
#include "processor/kafka/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "events/phone.h"
#include "snapshots/files.h"
#include "terminal/message.h"

#define OWN_PREFIX    "callfold."
#define DEFAULT_GROUP "callfold"
#define FILE_MOST     ((size_t)1 << 20) /* bytes; certificates are in files of their own */

static const char *const secrets[] = {
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.client.secret",
    /* of later librdkafkas */
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.assertion.private.key.passphrase",
};

/* What cannot be chosen: the commit rule stands on it. Without a value: nothing
 * may be given at all. */
static const struct {
    const char *name, *value, *why;
} fixed[] = {
    {"isolation.level", "read_committed", "what a broken transaction left is no event"},
    {"acks", "all", "a commit must survive a broker"},
    {"request.required.acks", "all", "a commit must survive a broker"},
    {"enable.idempotence", "true", "a retry must not publish twice"},
    {"max.in.flight", "1", "what a new leader refuses must not be overtaken"},
    {"max.in.flight.requests.per.connection", "1", "what a new leader refuses must not be overtaken"},
    {"enable.auto.commit", "false", "offsets are committed with the outputs"},
    {"auto.commit.enable", "false", "offsets are committed with the outputs"},
    {"enable.auto.offset.store", "false", "offsets are committed with the outputs"},
    {"auto.offset.reset", "error", "events that are gone are for the operator to see, not to be skipped"},
    {"partition.assignment.strategy", "range", "partitions change hands between transactions, all at once"},
    {"group.protocol", "classic", "partitions change hands between transactions, all at once"},
    {"transactional.id", NULL, "it is made of group.id and callfold.instance"},
    {"group.instance.id", NULL, "it is callfold.instance"},
    {"enable.partition.eof", "true", "an idle partition is known by it"},
};

static bool is_secret(const char *name)
{
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        if (strcasecmp(name, secrets[i]) == 0)
            return true;
    return false;
}

static bool check_fixed(const struct kafka_setting *setting, struct store_error *error)
{
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcmp(setting->name, fixed[i].name) != 0)
            continue;
        if (fixed[i].value == NULL)
            return fail_with(error, EX_CONFIG, "%s: %s cannot be set: %s", setting->where, setting->name, fixed[i].why);
        if (strcmp(setting->value, fixed[i].value) == 0)
            continue;
        return fail_with(error, EX_CONFIG, "%s: %s=%s is not possible: %s; leave it out, it is %s", setting->where,
                         setting->name, setting->value, fixed[i].why, fixed[i].value);
    }
    return true;
}

static char *copy(const char *text)
{
    char *copied = strdup(text);
    if (copied == NULL)
        abort();
    return copied;
}

static void replace(char **kept, const char *text)
{
    free(*kept);
    *kept = copy(text);
}

static void keep(struct kafka_settings *settings, const struct kafka_setting *setting)
{
    struct kafka_setting *grown = realloc(settings->items, (settings->count + 1) * sizeof *grown);
    if (grown == NULL)
        abort();
    settings->items = grown;
    grown[settings->count] = *setting;
    grown[settings->count].name = copy(setting->name);
    grown[settings->count].value = copy(setting->value);
    settings->count++;
}

/* The names that begin with OWN_PREFIX. */
static bool take_own(struct kafka_settings *settings, const struct kafka_setting *setting, struct store_error *error)
{
    const char *name = setting->name + strlen(OWN_PREFIX), *value = setting->value;
    if (strcmp(name, "instance") == 0) {
        if (!id_is_valid(text_of(value)))
            return fail_with(error, EX_CONFIG, "%s: %s: '%s' is no name: write 1 to 64 of A-Z a-z 0-9 . _ : -",
                             setting->where, setting->name, value);
        replace(&settings->instance, value);
        return true;
    }
    if (strcmp(name, "allow.retention") != 0)
        return fail_with(error, EX_CONFIG,
                         "%s: %s is not known; there are callfold.instance and callfold.allow.retention",
                         setting->where, setting->name);
    settings->allow_retention = strcmp(value, "true") == 0;
    return settings->allow_retention || strcmp(value, "false") == 0 ||
           fail_with(error, EX_CONFIG, "%s: %s is true or false, not '%s'", setting->where, setting->name, value);
}

static bool take(struct kafka_settings *settings, const struct kafka_setting *setting, struct store_error *error)
{
    if (strncmp(setting->name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
        return take_own(settings, setting, error);
    if (!check_fixed(setting, error))
        return false;
    if (strcmp(setting->name, "group.id") != 0) {
        keep(settings, setting);
        return true;
    }
    replace(&settings->group, setting->value);
    return setting->value[0] != '\0' ||
           fail_with(error, EX_CONFIG, "%s: group.id is empty; give the group a name, or leave it out: it is then %s",
                     setting->where, DEFAULT_GROUP);
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    return text;
}

/* How much of a word may be repeated in a message: it may have a secret in it. */
static int name_length(const char *word)
{
    return (int)strspn(word, "abcdefghijklmnopqrstuvwxyz._");
}

/* "name=value", spaces around either ignored, in place; false without a name or a sign. */
static bool split(char *line, struct kafka_setting *setting)
{
    char *sign = strchr(line, '=');
    if (sign == NULL)
        return false;
    *sign = '\0';
    setting->name = trim(line);
    setting->value = trim(sign + 1);
    return setting->name[0] != '\0';
}

static bool read_line(struct kafka_settings *settings, struct kafka_setting *setting, char *line, bool *has_secret,
                      struct store_error *error)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#')
        return true;
    if (!split(line, setting))
        return fail_with(error, EX_CONFIG, "%s: this is no name=value; a comment begins with #", setting->where);
    *has_secret = *has_secret || is_secret(setting->name);
    return take(settings, setting, error);
}

static void warn_if_exposed(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
        message_note("warning: %s holds a secret and others can read it; chmod 600 %s", path, path);
}

static bool read_lines(struct kafka_settings *settings, const char *path, char *text, size_t len, bool *has_secret,
                       struct store_error *error)
{
    struct kafka_setting setting;
    char *end;
    int number = 1;
    for (char *line = text; line < text + len; line = end + 1, number++) {
        end = memchr(line, '\n', (size_t)(text + len - line));
        if (end == NULL)
            end = text + len;
        *end = '\0';
        snprintf(setting.where, sizeof setting.where, "%.300s:%d", path, number);
        if (strlen(line) != (size_t)(end - line))
            return fail_with(error, EX_CONFIG, "%s: a NUL byte; this is no text file", setting.where);
        if (!read_line(settings, &setting, line, has_secret, error))
            return false;
    }
    return true;
}

static bool read_file(struct kafka_settings *settings, const char *path, struct store_error *error)
{
    bool has_secret = false;
    size_t len;
    char *text = read_whole(path, FILE_MOST, &len, error);
    if (text == NULL) {
        error->code = EX_CONFIG;
        return false;
    }
    bool taken = read_lines(settings, path, text, len, &has_secret, error);
    if (has_secret)
        warn_if_exposed(path);
    free(text);
    return taken;
}

static bool read_override(struct kafka_settings *settings, const char *word, struct store_error *error)
{
    struct kafka_setting setting = {.where = "-X"};
    char *line = copy(word);
    bool taken = false;
    if (!split(line, &setting))
        fail_with(error, EX_USAGE, "-X %.*s: this is no name=value", name_length(word), word);
    else if (is_secret(setting.name))
        fail_with(error, EX_USAGE,
                  "-X %s: a secret is not taken from the command line, which others can read; put it into the file "
                  "of --kafka",
                  setting.name);
    else
        taken = take(settings, &setting, error);
    free(line);
    return taken;
}

bool kafka_settings_read(struct kafka_settings *settings, const char *path, const struct option_list *overrides,
                         struct store_error *error)
{
    *settings = (struct kafka_settings){.group = copy(DEFAULT_GROUP)};
    if (!read_file(settings, path, error))
        return false;
    for (size_t i = 0; i < overrides->count; i++)
        if (!read_override(settings, overrides->values[i], error))
            return false;
    return true;
}

void kafka_settings_free(struct kafka_settings *settings)
{
    for (size_t i = 0; i < settings->count; i++) {
        free(settings->items[i].name);
        free(settings->items[i].value);
    }
    free(settings->items);
    free(settings->group);
    free(settings->instance);
}
