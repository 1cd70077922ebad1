/* test_deck.c - the CSV reader, and the longest match of a deck in memory
 * against the obvious way to find it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "processor/csv.h"
#include "processor/deck.h"

/* ---- CSV ---- */

struct csv_row {
    const char *text;
    const char *fields; /* of all records: fields end with '|', records with '/', a faulty one is '!' */
};

/* Reads all of text, from memory of its exact size so that ASan sees a byte too many. */
static void read_csv(const char *text, size_t len, char *out, size_t out_size)
{
    char *bytes = malloc(len > 0 ? len : 1);
    assert_non_null(bytes);
    memcpy(bytes, text, len);
    struct csv csv = {.at = bytes, .end = bytes + len, .next_line = 1};
    size_t at = 0;
    out[0] = '\0';
    while (csv_next(&csv)) {
        for (size_t i = 0; i < csv.count && csv.fault == NULL; i++)
            at += (size_t)snprintf(out + at, out_size - at, "%.*s|", TEXT_ARGS(csv.fields[i]));
        at += (size_t)snprintf(out + at, out_size - at, csv.fault == NULL ? "/" : "!/");
        assert_true(at < out_size);
    }
    assert_ptr_equal(csv.at, csv.end);
    free(bytes);
}

static void test_csv(void **state)
{
    static const struct csv_row rows[] = {
        {"", ""},
        {"a,b", "a|b|/"},
        {"a,b\n", "a|b|/"},
        {"a,b\r\nc\r\n", "a|b|/c|/"},
        {",\n", "||/"},
        {"\n\r\n\na\n\n", "a|/"},
        {"\"a,b\",c", "a,b|c|/"},
        {"\"a\"\"b\"\n\"\"\n", "a\"b|/|/"},
        {"\"two\nlines\",x\ny", "two\nlines|x|/y|/"},
        {"\"a\"\r\n\"b\"", "a|/b|/"},
        {"a\rb,c", "a\rb|c|/"},
        {"a\"b,c\nd", "!/d|/"},
        {"\"a\"b,c\nd", "!/d|/"},
        {"\"a\nd", "!/"},
        {"\"", "!/"},
        {"a,", "a||/"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char got[256];
        read_csv(rows[i].text, strlen(rows[i].text), got, sizeof got);
        if (strcmp(got, rows[i].fields) != 0)
            fail_msg("row %zu: '%s' is read as '%s'", i, rows[i].text, got);
    }
}

static void test_csv_lines(void **state)
{
    char text[] = "a\n\n\"b\nb\"\nc";
    struct csv csv = {.at = text, .end = text + strlen(text), .next_line = 1};
    (void)state;
    static const int64_t lines[] = {1, 3, 5};
    for (size_t i = 0; i < 3; i++) {
        assert_true(csv_next(&csv));
        assert_int_equal(csv.line, lines[i]);
    }
    assert_false(csv_next(&csv));
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Any bytes at all are read to their end, and nothing beyond it. */
static void test_csv_any_bytes(void **state)
{
    static const char alphabet[] = "a,,\"\"\n\r";
    uint64_t seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[24], out[512];
        size_t len = draw(&seed) % sizeof text;
        for (size_t i = 0; i < len; i++)
            text[i] = alphabet[draw(&seed) % (sizeof alphabet - 1)];
        read_csv(text, len, out, sizeof out);
    }
}

/* More fields than there is room for are a fault, not a crash. */
static void test_csv_many_fields(void **state)
{
    char text[CSV_FIELDS_MAX + 8], out[512];
    (void)state;
    memset(text, ',', sizeof text);
    read_csv(text, CSV_FIELDS_MAX - 1, out, sizeof out);
    assert_int_equal(out[CSV_FIELDS_MAX], '/');
    read_csv(text, CSV_FIELDS_MAX, out, sizeof out);
    assert_string_equal(out, "!/");
}

/* ---- decks ---- */

#define RATES   400
#define ORIGINS 3

struct random_deck {
    struct deck deck;
    char prefixes[RATES][17];
};

/* Few digits, so that prefixes lie within each other. */
static struct text random_prefix(uint64_t *seed, char *out, size_t digits_most)
{
    size_t digits = 1 + draw(seed) % digits_most;
    out[0] = '+';
    for (size_t i = 1; i <= digits; i++)
        out[i] = (char)("0129"[draw(seed) % 4]);
    return (struct text){out, digits + 1};
}

static void fill(struct random_deck *random, uint64_t *seed)
{
    for (size_t i = 0; i < RATES; i++) {
        struct text prefix = random_prefix(seed, random->prefixes[i], i % 10 == 0 ? 15 : 5);
        size_t origin = draw(seed) % ORIGINS;
        bool is_taken = false;
        for (size_t j = 0; j < random->deck.count && !is_taken; j++)
            is_taken = random->deck.rate_origins[j] == origin && text_equal(random->deck.rates[j].prefix, prefix);
        struct deck_rate rate = {.prefix = prefix};
        if (!is_taken)
            deck_add_rate(&random->deck, &rate, origin);
    }
    deck_make_index(&random->deck);
}

static const struct deck_rate *naive_match(const struct deck *deck, size_t origin, struct text number)
{
    const struct deck_rate *best = NULL;
    for (size_t i = 0; i < deck->count; i++) {
        struct text prefix = deck->rates[i].prefix;
        if (deck->rate_origins[i] == origin && prefix.len <= number.len &&
            memcmp(prefix.at, number.at, prefix.len) == 0 && (best == NULL || prefix.len > best->prefix.len))
            best = &deck->rates[i];
    }
    return best;
}

static void test_longest_match(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t draws = seed;
        struct random_deck *random = calloc(1, sizeof *random);
        assert_non_null(random);
        fill(random, &draws);
        for (int i = 0; i < 2000; i++) {
            char digits[17];
            struct text number = random_prefix(&draws, digits, 15);
            size_t origin = draw(&draws) % (ORIGINS + 1); /* the last has no rates */
            if (deck_match(&random->deck, origin, number) != naive_match(&random->deck, origin, number))
                fail_msg("seed %llu: %.*s from origin %zu", (unsigned long long)seed, TEXT_ARGS(number), origin);
        }
        deck_free(&random->deck);
        free(random);
    }
}

static void test_empty_deck(void **state)
{
    struct deck deck = {0};
    (void)state;
    deck_make_index(&deck);
    assert_null(deck_match(&deck, 0, TEXT_LIT("+33612345678")));
    assert_int_equal(deck_find_origin(&deck, TEXT_LIT("US")), 0);
    deck_free(&deck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),           cmocka_unit_test(test_csv_lines),
        cmocka_unit_test(test_csv_any_bytes), cmocka_unit_test(test_csv_many_fields),
        cmocka_unit_test(test_longest_match), cmocka_unit_test(test_empty_deck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
