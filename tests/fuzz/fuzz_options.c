/* fuzz_options.c - any words as a command line (terminal/options.h).
 *
 * An input is words with a NUL between them. Whatever they are, reading them
 * ends with the targets set within their bounds and the operands left over, or
 * with an exit code of sysexits and a line that says why and where help is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "terminal/options.h"
#include "tests/fuzz/hear.h"

#define WORDS_MAX     64
#define OPERANDS_MOST 2
#define INPUT_MAX     1000 /* bytes: a message repeats a word as it was given, and hear.h wants it to end */

struct line {
    char *bytes;
    char *words[WORDS_MAX + 1];
    int count;
};

struct targets {
    bool json;
    const char *events;
    int64_t batch;
    struct option_list origins;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_options: %s\n", what);
    abort();
}

static void split(struct line *line, const uint8_t *data, size_t size)
{
    line->bytes = malloc(size + 1);
    if (!line->bytes)
        abort();
    memcpy(line->bytes, data, size);
    line->bytes[size] = '\0';
    line->words[line->count++] = (char[]){"command"};
    for (size_t at = 0; at < size && line->count < WORDS_MAX; at += strlen(line->bytes + at) + 1)
        line->words[line->count++] = line->bytes + at;
    line->words[line->count] = NULL;
}

static bool parse(struct line *line, struct targets *targets, int *exit_code)
{
    const struct option_spec specs[] = {
        {.name = "events",
         .kind = OPTION_TEXT,
         .target = &targets->events,
         .value = "FILE",
         .required = true,
         .help = ""},
        {.name = "batch",
         .kind = OPTION_NUMBER,
         .target = &targets->batch,
         .value = "N",
         .least = 1,
         .most = 1000,
         .help = ""},
        {.name = "json", .letter = 'j', .kind = OPTION_FLAG, .target = &targets->json, .help = ""},
        {.name = "origin", .letter = 'X', .kind = OPTION_LIST, .target = &targets->origins, .value = "A B", .help = ""},
    };
    const struct option_table table = {.command = "command",
                                       .usage = "",
                                       .about = "",
                                       .specs = specs,
                                       .count = sizeof specs / sizeof specs[0],
                                       .operands_most = OPERANDS_MOST};

    return options_parse(&table, &line->count, line->words, exit_code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line line = {0};
    struct targets targets = {.batch = 1};
    int exit_code = -1;

    if (size > INPUT_MAX)
        return 0;
    split(&line, data, size);
    hear_begin();
    bool taken = parse(&line, &targets, &exit_code);
    size_t lines = hear_end("callfold: ");
    require(!taken || lines == 0, "taken, and something said");
    require(!taken || (targets.events && line.count <= OPERANDS_MOST + 1 && !line.words[line.count]), "taken, not set");
    require(taken || (exit_code == EX_OK && lines == 0) || (exit_code == EX_USAGE && lines == 2),
            "another exit code, or not the two lines of it");
    require(targets.batch >= 1 && targets.batch <= 1000, "a number beyond its bounds");
    free(targets.origins.values);
    free(line.bytes);
    return 0;
}
