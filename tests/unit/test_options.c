/* test_options.c - command lines: what is taken, what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "terminal/message.h"
#include "terminal/options.h"

#define WORDS_MAX 12

/* What was read, and what was said on stdout and stderr. */
struct outcome {
    bool parsed;
    int exit_code, argc;
    const char *operand;
    const char *file;
    int64_t number, wait_ms;
    bool loud;
    struct option_list list;
    char said[4096];
};

static struct outcome outcome;

/* Both streams into a file while the command line is read. */
static int divert(FILE *stream, FILE *to)
{
    fflush(stream);
    int kept = dup(fileno(stream));
    dup2(fileno(to), fileno(stream));
    return kept;
}

static void restore(FILE *stream, int kept)
{
    fflush(stream);
    dup2(kept, fileno(stream));
    close(kept);
}

static size_t split(char *line, char **words)
{
    size_t count = 0;
    for (char *word = strtok(line, " "); word != NULL; word = strtok(NULL, " "))
        words[count++] = word;
    words[count] = NULL;
    return count;
}

static void read_words(int argc, char **argv)
{
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "file", .letter = 'f', .kind = OPTION_TEXT, .target = &outcome.file, .value = "FILE", .required = true,
         .help = "what to read"},
        {.name = "number", .kind = OPTION_NUMBER, .target = &outcome.number, .value = "N", .least = -5, .most = 100,
         .help = "how many"},
        {.name = "wait", .kind = OPTION_TIME, .target = &outcome.wait_ms, .value = "TIME", .least = 1000,
         .most = 30 * 86400000LL, .help = "how long"},
        {.name = "loud", .letter = 'l', .kind = OPTION_FLAG, .target = &outcome.loud, .help = "louder\nand louder"},
        {.name = "prop", .letter = 'X', .kind = OPTION_LIST, .target = &outcome.list, .value = "K=V", .help = "more"},
    };
    /* clang-format on */
    const struct option_table table = {.command = "prog do",
                                       .usage = "--file FILE [WORD]",
                                       .about = "Does it.",
                                       .examples = "  prog do -f x",
                                       .specs = specs,
                                       .count = sizeof specs / sizeof specs[0],
                                       .operands_most = 1};
    outcome.parsed = options_parse(&table, &argc, argv, &outcome.exit_code);
    outcome.argc = argc;
    outcome.operand = outcome.parsed && argc > 1 ? argv[1] : NULL;
}

static int run_first(int argc, char **argv)
{
    outcome.argc = argc;
    outcome.operand = argv[argc - 1];
    return 41;
}

static int run_second(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return 42;
}

static void dispatch_words(int argc, char **argv)
{
    static const struct command commands[] = {{"first", run_first, "the one"}, {"second", run_second, "the other"}};
    const struct command_table table = {
        .program = "prog", .about = "Things.", .version = "7", .commands = commands, .count = 2};
    outcome.exit_code = command_dispatch(&table, argc, argv);
}

static void with(const char *line, void (*act)(int argc, char **argv))
{
    static char words_line[256];
    char *argv[WORDS_MAX];
    free(outcome.list.values);
    outcome = (struct outcome){.number = 9};
    snprintf(words_line, sizeof words_line, "%s", line);
    FILE *said = tmpfile();
    assert_non_null(said);
    int argc = (int)split(words_line, argv);
    int out = divert(stdout, said), err = divert(stderr, said);
    act(argc, argv);
    restore(stdout, out);
    restore(stderr, err);
    rewind(said);
    outcome.said[fread(outcome.said, 1, sizeof outcome.said - 1, said)] = '\0';
    fclose(said);
}

static void values_are_taken_in_every_spelling(void **state)
{
    (void)state;
    static const char *const lines[] = {"do --file x --number 17", "do --file=x --number=17", "do -f x --num 17",
                                        "do -fx --number=17"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        with(lines[i], read_words);
        assert_true(outcome.parsed);
        assert_string_equal(outcome.file, "x");
        assert_int_equal(outcome.number, 17);
        assert_int_equal(outcome.argc, 1);
        assert_false(outcome.loud);
    }
}

static void times_have_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t ms;
    } rows[] = {{"do -f x --wait 1s", 1000},
                {"do -f x --wait 90s", 90000},
                {"do -f x --wait=15m", 900000},
                {"do -f x --wait 12h", 43200000},
                {"do -f x --wait 30d", 2592000000}};
    static const char *const wrong[] = {
        "do -f x --wait 90",  "do -f x --wait 0s",  "do -f x --wait 31d",
        "do -f x --wait h",   "do -f x --wait -5m", "do -f x --wait 5mm",
        "do -f x --wait 5 m", "do -f x --wait=",    "do -f x --wait 99999999999999999d"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        with(rows[i].line, read_words);
        assert_true(outcome.parsed);
        assert_int_equal(outcome.wait_ms, rows[i].ms);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        with(wrong[i], read_words);
        assert_false(outcome.parsed);
        assert_int_equal(outcome.exit_code, EX_USAGE);
        assert_non_null(strstr(outcome.said, "such as 90s, 15m, 12h or 30d"));
    }
}

static void flags_lists_and_operands(void **state)
{
    (void)state;
    with("do word -l --file x -X a=1 --prop=b=2", read_words);
    assert_true(outcome.parsed);
    assert_true(outcome.loud);
    assert_int_equal(outcome.number, 9); /* the preset */
    assert_int_equal(outcome.list.count, 2);
    assert_string_equal(outcome.list.values[0], "a=1");
    assert_string_equal(outcome.list.values[1], "b=2");
    assert_string_equal(outcome.operand, "word");
    with("do --file x -- --loud", read_words);
    assert_true(outcome.parsed);
    assert_false(outcome.loud);
    assert_string_equal(outcome.operand, "--loud");
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"do", "--file FILE is missing"},
        {"do --fiel x", "unknown option '--fiel'; did you mean '--file'?"},
        {"do --file x --zebra=1", "unknown option '--zebra=1'\n"},
        {"do --file x -z", "unknown option '-z'"},
        {"do --file", "option '--file' needs a value: FILE"},
        {"do -f", "option '--file' needs a value: FILE"},
        {"do --file x --loud=1", "option '--loud' takes no value"},
        {"do --help=1", "option '--help' takes no value"},
        {"do --file x --number 101", "--number: '101' is not a whole number from -5 to 100"},
        {"do --file x --number -6", "--number: '-6' is not"},
        {"do --file x --number 1x", "--number: '1x' is not"},
        {"do --file x --number 99999999999999999999", "is not a whole number"},
        {"do --file x --number=", "--number: '' is not"},
        {"do --file x one two", "unexpected 'two'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        with(cases[i].line, read_words);
        assert_false(outcome.parsed);
        assert_int_equal(outcome.exit_code, EX_USAGE);
        if (strstr(outcome.said, cases[i].words) == NULL)
            fail_msg("'%s' said: %s", cases[i].line, outcome.said);
        assert_non_null(strstr(outcome.said, "Try: prog do --help"));
    }
}

static void help_shows_every_option(void **state)
{
    (void)state;
    static const char *const words[] = {"usage: prog do --file FILE [WORD]",
                                        "Does it.",
                                        "-f, --file FILE",
                                        "--number N",
                                        "-l, --loud",
                                        "and louder",
                                        "-X, --prop K=V",
                                        "-h, --help",
                                        "prog do -f x"};
    with("do --help", read_words);
    assert_false(outcome.parsed);
    assert_int_equal(outcome.exit_code, EX_OK);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_non_null(strstr(outcome.said, words[i]));
}

static void commands_are_dispatched(void **state)
{
    (void)state;
    with("prog first a b", dispatch_words);
    assert_int_equal(outcome.exit_code, 41);
    assert_int_equal(outcome.argc, 3);
    assert_string_equal(outcome.operand, "b");
    with("prog second", dispatch_words);
    assert_int_equal(outcome.exit_code, 42);
    with("prog secnod", dispatch_words);
    assert_int_equal(outcome.exit_code, EX_USAGE);
    assert_non_null(strstr(outcome.said, "did you mean 'prog second'?"));
    with("prog", dispatch_words);
    assert_int_equal(outcome.exit_code, EX_USAGE);
    with("prog --version", dispatch_words);
    assert_int_equal(outcome.exit_code, EX_OK);
    assert_string_equal(outcome.said, "prog 7\n");
    with("prog --help", dispatch_words);
    assert_int_equal(outcome.exit_code, EX_OK);
    assert_non_null(strstr(outcome.said, "the other"));
}

static void counts_are_grouped(void **state)
{
    (void)state;
    static const struct {
        int64_t count;
        const char *text;
    } cases[] = {{0, "0"},        {999, "999"},
                 {1000, "1,000"}, {-1234567, "-1,234,567"},
                 {-123, "-123"},  {INT64_MIN, "-9,223,372,036,854,775,808"}};
    char text[COUNT_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(count_format(cases[i].count, text), cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_taken_in_every_spelling),
        cmocka_unit_test(times_have_a_unit),
        cmocka_unit_test(flags_lists_and_operands),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(help_shows_every_option),
        cmocka_unit_test(commands_are_dispatched),
        cmocka_unit_test(counts_are_grouped),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(outcome.list.values);
    return failed;
}
