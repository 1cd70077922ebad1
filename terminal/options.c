/* options.c - see options.h. */
#include "terminal/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/message.h"

#define OPTIONS_MAX  48 /* of one command */
#define WORD_MAX     64 /* letters looked at when a word is compared */
#define HELP_COLUMN  26
#define VALUE_HELP   1000 /* getopt's answer for --help, beyond any index and letter */
#define VALUE_OPTION 1001 /* + index of the option */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    size_t a_len = strnlen(a, WORD_MAX), b_len = strnlen(b, WORD_MAX);
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

const char *closest_word(const char *word, const char *const *words, size_t count)
{
    const char *best = NULL;
    size_t best_distance = strnlen(word, WORD_MAX) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(word, words[i]);
        if (distance < best_distance && distance < strlen(words[i])) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}

/* Prints text; what follows a newline in it begins at `column`. */
static void print_hanging(const char *text, int column)
{
    for (const char *at = text; *at != '\0'; at++) {
        putchar(*at);
        if (*at == '\n')
            printf("%*s", column, "");
    }
    putchar('\n');
}

static void print_spec(const char *name, char letter, const char *value, const char *help)
{
    char head[96];
    int len = snprintf(head, sizeof head, "  %s%s%s--%s%s%s", letter != '\0' ? "-" : "",
                       letter != '\0' ? (char[]){letter, '\0'} : "", letter != '\0' ? ", " : "", name,
                       value != NULL ? " " : "", value != NULL ? value : "");
    if (len >= HELP_COLUMN - 1)
        printf("%s\n%*s", head, HELP_COLUMN, "");
    else
        printf("%-*s", HELP_COLUMN, head);
    print_hanging(help, HELP_COLUMN);
}

static void print_help(const struct option_table *table)
{
    int column = printf("usage: %s ", table->command);
    print_hanging(table->usage, column);
    printf("\n%s\n\nOptions:\n", table->about);
    for (size_t i = 0; i < table->count; i++) {
        const struct option_spec *spec = &table->specs[i];
        print_spec(spec->name, spec->letter, spec->value, spec->help);
    }
    print_spec("help", 'h', NULL, "this text");
    if (table->examples != NULL)
        printf("\nExamples:\n%s\n", table->examples);
}

static bool usage_error(const struct option_table *table, int *exit_code)
{
    fprintf(stderr, "Try: %s --help\n", table->command);
    *exit_code = EX_USAGE;
    return false;
}

/* The option that getopt answered with; table->count when it is none. */
static size_t index_of(const struct option_table *table, int answer)
{
    if (answer >= VALUE_OPTION)
        return (size_t)(answer - VALUE_OPTION);
    for (size_t i = 0; i < table->count; i++)
        if (table->specs[i].letter == answer && answer != '\0')
            return i;
    return table->count;
}

static void say_unknown(const struct option_table *table, const char *given)
{
    char word[WORD_MAX + 1];
    const char *bare = given + strspn(given, "-");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(bare, "="), bare);
    const char *names[OPTIONS_MAX + 1];
    for (size_t i = 0; i < table->count; i++)
        names[i] = table->specs[i].name;
    names[table->count] = "help";
    const char *meant = closest_word(word, names, table->count + 1);
    if (meant != NULL)
        message_error("unknown option '%s'; did you mean '--%s'?", given, meant);
    else
        message_error("unknown option '%s'", given);
}

/* An option that getopt did not take; optopt is its letter or number, 0 for a
 * long one that is unknown or ambiguous, which is then the word before optind. */
static bool refuse_option(const struct option_table *table, char **argv, int answer, int *exit_code)
{
    size_t index = index_of(table, optopt);
    if (optopt == 0)
        say_unknown(table, argv[optind - 1]);
    else if (optopt == VALUE_HELP)
        message_error("option '--help' takes no value");
    else if (index == table->count)
        message_error("unknown option '-%c'", optopt);
    else if (answer == ':')
        message_error("option '--%s' needs a value: %s", table->specs[index].name, table->specs[index].value);
    else
        message_error("option '--%s' takes no value", table->specs[index].name);
    return usage_error(table, exit_code);
}

static bool read_number(const struct option_spec *spec, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (errno == 0 && end != value && *end == '\0' && number >= spec->least && number <= spec->most) {
        *(int64_t *)spec->target = number;
        return true;
    }
    message_error("--%s: '%s' is not a whole number from %" PRId64 " to %" PRId64, spec->name, value, spec->least,
                  spec->most);
    return false;
}

/* ms of "90s", "15m", "12h" or "30d"; -1 when it is none. */
static int64_t parse_time(const char *value)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end;
    errno = 0;
    long long count = strtoll(value, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (*end == units[i].letter && end[1] == '\0' && end != value && errno == 0 && count >= 0 &&
            count <= INT64_MAX / units[i].ms)
            return count * units[i].ms;
    return -1;
}

static bool read_time(const struct option_spec *spec, const char *value)
{
    int64_t ms = parse_time(value);
    if (ms >= spec->least && ms <= spec->most) {
        *(int64_t *)spec->target = ms;
        return true;
    }
    message_error("--%s: '%s' is not a time from %" PRId64 "s to %" PRId64 "d, such as 90s, 15m, 12h or 30d",
                  spec->name, value, spec->least / 1000, spec->most / 86400000);
    return false;
}

static void append_value(struct option_list *list, const char *value)
{
    const char **grown = realloc(list->values, (list->count + 1) * sizeof *grown);
    if (grown == NULL)
        abort();
    list->values = grown;
    list->values[list->count++] = value;
}

static bool set_target(const struct option_spec *spec, const char *value)
{
    switch (spec->kind) {
    case OPTION_FLAG: *(bool *)spec->target = true; return true;
    case OPTION_TEXT: *(const char **)spec->target = value; return true;
    case OPTION_NUMBER: return read_number(spec, value);
    case OPTION_TIME: return read_time(spec, value);
    case OPTION_LIST: append_value(spec->target, value); return true;
    }
    return false;
}

/* What getopt_long reads: the table's long names, and the letters into letters[]. */
static void fill_getopt(const struct option_table *table, struct option longs[OPTIONS_MAX + 2],
                        char letters[2 * OPTIONS_MAX + 4])
{
    size_t at = 0;
    letters[at++] = ':'; /* getopt prints nothing and tells a missing value apart */
    letters[at++] = 'h';
    for (size_t i = 0; i < table->count; i++) {
        const struct option_spec *spec = &table->specs[i];
        int takes = spec->kind == OPTION_FLAG ? no_argument : required_argument;
        longs[i] = (struct option){spec->name, takes, NULL, VALUE_OPTION + (int)i};
        if (spec->letter == '\0')
            continue;
        letters[at++] = spec->letter;
        if (takes == required_argument)
            letters[at++] = ':';
    }
    letters[at] = '\0';
    longs[table->count] = (struct option){"help", no_argument, NULL, VALUE_HELP};
    longs[table->count + 1] = (struct option){NULL, 0, NULL, 0};
}

static bool check_required(const struct option_table *table, const bool given[OPTIONS_MAX], int *exit_code)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->specs[i].required && !given[i]) {
            message_error("--%s %s is missing", table->specs[i].name, table->specs[i].value);
            return usage_error(table, exit_code);
        }
    return true;
}

/* getopt_long has moved the operands to the end: argv becomes argv[0] and them. */
static bool take_operands(const struct option_table *table, int *argc, char **argv, int *exit_code)
{
    size_t operands = (size_t)(*argc - optind);
    if (operands > table->operands_most) {
        message_error("unexpected '%s'", argv[optind + (int)table->operands_most]);
        return usage_error(table, exit_code);
    }
    if (operands < table->operands_least) {
        message_error("too few words on the command line");
        return usage_error(table, exit_code);
    }
    memmove(argv + 1, argv + optind, operands * sizeof *argv);
    argv[operands + 1] = NULL;
    *argc = (int)operands + 1;
    return true;
}

bool options_parse(const struct option_table *table, int *argc, char **argv, int *exit_code)
{
    struct option longs[OPTIONS_MAX + 2];
    char letters[2 * OPTIONS_MAX + 4];
    bool given[OPTIONS_MAX] = {false};
    if (table->count > OPTIONS_MAX)
        abort();
    fill_getopt(table, longs, letters);
    optind = 0; /* GNU: begin anew, for a second table in one process */
    opterr = 0;
    for (;;) {
        int answer = getopt_long(*argc, argv, letters, longs, NULL);
        if (answer == -1)
            break;
        if (answer == 'h' || answer == VALUE_HELP) {
            print_help(table);
            *exit_code = EX_OK;
            return false;
        }
        if (answer == '?' || answer == ':')
            return refuse_option(table, argv, answer, exit_code);
        size_t index = index_of(table, answer);
        given[index] = true;
        if (!set_target(&table->specs[index], optarg))
            return usage_error(table, exit_code);
    }
    return take_operands(table, argc, argv, exit_code) && check_required(table, given, exit_code);
}

static void print_commands(const struct command_table *table)
{
    printf("usage: %s COMMAND [OPTIONS]\n\n%s\n\nCommands:\n", table->program, table->about);
    for (size_t i = 0; i < table->count; i++)
        printf("  %-12s %s\n", table->commands[i].name, table->commands[i].description);
    printf("\n%s COMMAND --help explains a command.\n", table->program);
    if (table->examples != NULL)
        printf("\nExamples:\n%s\n", table->examples);
}

static int refuse_command(const struct command_table *table, const char *word)
{
    const char *names[OPTIONS_MAX];
    size_t count = smaller(table->count, OPTIONS_MAX);
    for (size_t i = 0; i < count; i++)
        names[i] = table->commands[i].name;
    const char *meant = closest_word(word, names, count);
    if (meant != NULL)
        message_error("unknown command '%s'; did you mean '%s %s'?", word, table->program, meant);
    else
        message_error("unknown command '%s'", word);
    fprintf(stderr, "Try: %s --help\n", table->program);
    return EX_USAGE;
}

int command_dispatch(const struct command_table *table, int argc, char **argv)
{
    if (argc < 2) {
        message_error("a command is needed");
        fprintf(stderr, "Try: %s --help\n", table->program);
        return EX_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_commands(table);
        return EX_OK;
    }
    if (table->version != NULL && strcmp(word, "--version") == 0) {
        printf("%s %s\n", table->program, table->version);
        return EX_OK;
    }
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(word, table->commands[i].name) == 0)
            return table->commands[i].run(argc - 1, argv + 1);
    return refuse_command(table, word);
}
