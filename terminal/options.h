/* options.h - command lines read from a table.
 *
 * A command describes its options once; parsing, checking and --help come from
 * that table, so that none is undocumented. Values are written straight into
 * the caller's variables: preset them with the defaults.
 *
 *     const char *events = NULL;
 *     int64_t batch = 10000;
 *     const struct option_spec specs[] = {
 *         {.name = "events", .kind = OPTION_TEXT, .target = &events, .value = "FILE|-",
 *          .required = true, .help = "the events, one a line; - reads stdin"},
 *         {.name = "batch", .kind = OPTION_NUMBER, .target = &batch, .value = "N",
 *          .least = 1, .most = 1000000, .help = "records a commit at most (10000)"},
 *     };
 *     const struct option_table table = {.command = "callfold run", .usage = "--events FILE|- ...",
 *         .about = "...", .examples = "...", .specs = specs, .count = 2};
 *     int exit_code;
 *     if (!options_parse(&table, &argc, argv, &exit_code))
 *         return exit_code;
 *
 * Every option takes `--name value` and `--name=value`, and may be shortened
 * as long as it stays unambiguous (GNU getopt_long is underneath).
 */
#ifndef CALLFOLD_TERMINAL_OPTIONS_H
#define CALLFOLD_TERMINAL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,   /* bool: set to true */
    OPTION_TEXT,   /* const char *: points into argv */
    OPTION_NUMBER, /* int64_t within least..most */
    OPTION_TIME,   /* int64_t, ms, within least..most: 90s, 15m, 12h, 30d */
    OPTION_LIST,   /* struct option_list: may be given again and again */
};

/* Values of a repeated option in the order given; each points into argv. The
 * array is malloc'd: free(list.values). Zero it to begin. */
struct option_list {
    const char **values;
    size_t count;
};

struct option_spec {
    const char *name; /* without dashes */
    char letter;      /* a short form (-X), 0 without one */
    enum option_kind kind;
    void *target;
    const char *value; /* what --help calls the value; NULL for a flag */
    const char *help;  /* one sentence or two; a newline breaks it */
    bool required;
    int64_t least, most; /* of a number or a time */
};

struct option_table {
    const char *command;  /* "callfold run" */
    const char *usage;    /* what follows it in the usage line; a newline breaks it */
    const char *about;    /* a paragraph: what the command does */
    const char *examples; /* lines to try, or NULL */
    const struct option_spec *specs;
    size_t count;
    size_t operands_least, operands_most; /* words that are not options: how many are taken */
};

/* Reads argv[1..]. True: the targets are set, *argc and argv hold what is left:
 * argv[0] and the operands. False: the command is over and *exit_code says how:
 * EX_OK after --help, EX_USAGE after a message that names what is wrong. */
bool options_parse(const struct option_table *table, int *argc, char **argv, int *exit_code);

/* A word of the command line and what it runs. */
struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *description;
};

struct command_table {
    const char *program;  /* "callfold", "callfold rates" */
    const char *about;    /* a paragraph */
    const char *examples; /* lines to try, or NULL */
    const char *version;  /* what --version prints; NULL: the option is not known */
    const struct command *commands;
    size_t count;
};

/* Runs the command that argv[1] names with the words from there on and returns
 * its exit code; --help and --version are answered here, no command or an
 * unknown one is EX_USAGE. */
int command_dispatch(const struct command_table *table, int argc, char **argv);

/* The one of words that a mistyped word most likely meant, or NULL when none
 * is near: at most a third of its letters differ. */
const char *closest_word(const char *word, const char *const *words, size_t count);

#endif
