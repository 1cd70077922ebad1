/* mutate_history.c - mutations that leave a history a history.
 *
 * Bytes changed at random rarely pass the decoder twice in a row. Most
 * mutations here work on what a history is made of: its lines are copied,
 * moved and dropped, and within them strings and numbers take each other's
 * place, so that ids, times and amounts keep meeting. The others are
 * libFuzzer's own, with a dictionary of the contract's words. Linked by run.sh
 * only.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MAX 4096 /* bytes of a line or a token that can be put somewhere else */
#define TRIES     64

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

struct input {
    uint8_t *at;
    size_t len, max;
    unsigned int dice;
};

/* A run of the input's bytes. */
struct run {
    size_t at, len;
};

static size_t roll(struct input *input, size_t sides)
{
    return sides > 0 ? ((size_t)rand_r(&input->dice) << 16 ^ (size_t)rand_r(&input->dice)) % sides : 0;
}

/* Puts piece in the place of a run; nothing where it does not fit. */
static void replace(struct input *input, struct run run, const void *piece, size_t len)
{
    if (input->len - run.len + len > input->max)
        return;
    memmove(input->at + run.at + len, input->at + run.at + run.len, input->len - run.at - run.len);
    memcpy(input->at + run.at, piece, len);
    input->len += len - run.len;
}

/* Any line, with its newline. */
static struct run some_line(struct input *input)
{
    size_t start = roll(input, input->len), end = start;

    while (start > 0 && input->at[start - 1] != '\n')
        start--;
    while (end < input->len && input->at[end] != '\n')
        end++;
    return (struct run){start, end - start + (end < input->len)};
}

/* What stands between some two neighbouring quotes. */
static struct run some_string(struct input *input)
{
    for (int i = 0; i < TRIES; i++) {
        size_t start = roll(input, input->len), end;
        while (start < input->len && input->at[start] != '"')
            start++;
        for (end = start + 1; end < input->len && input->at[end] != '"' && input->at[end] != '\n';)
            end++;
        if (end < input->len && input->at[end] == '"' && end > start + 1 && !strchr(":,", input->at[start + 1]))
            return (struct run){start + 1, end - start - 1};
    }
    return (struct run){0, 0};
}

static struct run some_number(struct input *input)
{
    size_t start = roll(input, input->len), end;

    while (start < input->len && !isdigit(input->at[start]))
        start++;
    while (start > 0 && start < input->len && isdigit(input->at[start - 1]))
        start--;
    for (end = start; end < input->len && isdigit(input->at[end]);)
        end++;
    return (struct run){start, end - start};
}

static void take_place(struct input *input, struct run from, struct run to)
{
    uint8_t piece[PIECE_MAX];

    if (from.len > sizeof(piece))
        return;
    memcpy(piece, input->at + from.at, from.len);
    replace(input, to, piece, from.len);
}

static void change_number(struct input *input)
{
    static const char *const telling[] = {"0",
                                          "1",
                                          "59",
                                          "60",
                                          "999",
                                          "5000",
                                          "6000",
                                          "30000",
                                          "60000",
                                          "60001",
                                          "86400000",
                                          "600000",
                                          "9007199254740991",
                                          "9223372036854.775807"};
    struct run number = some_number(input);

    if (number.len == 0)
        return;
    if (roll(input, 2) == 0) { /* as long as it was: times stay times */
        input->at[number.at + roll(input, number.len)] = (uint8_t)('0' + roll(input, 10));
        return;
    }
    const char *other = telling[roll(input, sizeof(telling) / sizeof(*telling))];
    replace(input, number, other, strlen(other));
}

static void mutate_line(struct input *input)
{
    uint8_t piece[PIECE_MAX];
    struct run line = some_line(input);

    if (line.len > sizeof(piece) || line.len == 0)
        return;
    memcpy(piece, input->at + line.at, line.len);
    size_t len = LLVMFuzzerMutate(piece, line.len, sizeof(piece));
    replace(input, line, piece, len);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    struct input input = {data, size, max_size, seed};
    size_t times = 1 + roll(&input, 4);

    if (size == 0 || roll(&input, 4) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    for (size_t i = 0; i < times && input.len > 0; i++) {
        struct run line = some_line(&input);
        switch (roll(&input, 8)) {
        case 0: take_place(&input, line, (struct run){some_line(&input).at, 0}); break;
        case 1: replace(&input, line, "", 0); break;
        case 2: take_place(&input, line, some_line(&input)); break;
        case 3:
        case 4: take_place(&input, some_string(&input), some_string(&input)); break;
        case 5: take_place(&input, some_number(&input), some_number(&input)); break;
        case 6: change_number(&input); break;
        default: mutate_line(&input);
        }
    }
    return input.len;
}
