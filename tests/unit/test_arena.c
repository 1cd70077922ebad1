/* A step's memory: what was given out stays untouched until the next step. */
#include "processor/fold/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { PIECES = 200, LARGEST = 150000 };

static size_t size_of(int piece)
{
    return 1 + (size_t)piece * 7919 % LARGEST;
}

static void check_intact(char *const pieces[], int count)
{
    for (int i = 0; i < count; i++)
        for (size_t at = 0; at < size_of(i); at++)
            assert_int_equal(pieces[i][at], (char)i);
}

static void pieces_of_a_step_are_apart(void **unused)
{
    (void)unused;
    struct arena arena = {0};
    char *pieces[PIECES];
    for (int step = 0; step < 3; step++) {
        for (int i = 0; i < PIECES; i++) {
            pieces[i] = arena_alloc(&arena, size_of(i));
            assert_int_equal((uintptr_t)pieces[i] % 16, 0);
            memset(pieces[i], i, size_of(i));
        }
        check_intact(pieces, PIECES);
        arena_reset(&arena);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_of_a_step_are_apart)};
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
