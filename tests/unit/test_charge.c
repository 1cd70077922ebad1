/* What a call costs, against amounts worked out by hand and against the
 * formula done in 128 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "processor/fold/charge.h"

static const struct {
    struct tariff tariff;
    int64_t duration_ms, billed_ms, cost_micros;
} costs[] = {
    /* price 0.06 a minute = 1,000 micros a second, per second */
    {{60000, 0, 1000, 1000}, 0, 0, 0},
    {{60000, 0, 1000, 1000}, 1, 1000, 1000},
    {{60000, 0, 1000, 1000}, 1000, 1000, 1000},
    {{60000, 0, 1000, 1000}, 1001, 2000, 2000},
    {{60000, 0, 1000, 1000}, 60000, 60000, 60000},
    /* 30/6: the first half minute, then tenths */
    {{100000, 0, 30000, 6000}, 29999, 30000, 50000},
    {{100000, 0, 30000, 6000}, 30001, 36000, 60000},
    {{100000, 0, 30000, 6000}, 36000, 36000, 60000},
    /* 60/60 with a connect fee of 0.05: 0.05 + 2 * 0.10 */
    {{100000, 50000, 60000, 60000}, 60001, 120000, 250000},
    /* half a micro is rounded up: 1 s at 30 micros a minute = 0.5 */
    {{30, 0, 1000, 1000}, 1000, 1000, 1},
    {{29, 0, 1000, 1000}, 1000, 1000, 0},
    /* what does not fit is more than any credits */
    {{INT64_MAX, 0, 1000, 1000}, 61000, 61000, INT64_MAX},
    {{60000, INT64_MAX, 1000, 1000}, 1, 1000, INT64_MAX},
};

static void costs_by_hand(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++) {
        assert_int_equal(charge_billed_ms(&costs[i].tariff, costs[i].duration_ms), costs[i].billed_ms);
        assert_int_equal(charge_cost(&costs[i].tariff, costs[i].duration_ms), costs[i].cost_micros);
    }
}

static uint64_t seed = 20261123;
static int64_t below(int64_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (int64_t)(seed % (uint64_t)limit);
}

/* Affordable is the last increment's end that the micros cover: its cost fits,
 * and one increment more does not. */
static void affordable_is_the_most_there_is(void **state)
{
    (void)state;
    for (int i = 0; i < 200000; i++) {
        struct tariff t = {below(3000000), below(4) ? 0 : below(500000), 1000 * (1 + below(60)),
                           1000 * (1 + below(60))};
        int64_t micros = below(40000000), end_ms = charge_affordable_ms(&t, micros, INT64_MAX);
        if (t.price_micros == 0)
            continue;
        if (end_ms > 0) {
            assert_int_equal(charge_billed_ms(&t, end_ms), end_ms);
            assert_true(charge_cost(&t, end_ms) <= micros);
        }
        assert_true(charge_cost(&t, charge_next_end_ms(&t, end_ms)) > micros);
    }
}

static void cost_never_falls(void **state)
{
    (void)state;
    for (int i = 0; i < 100000; i++) {
        struct tariff t = {below(3000000), below(500000), 1000 * (1 + below(60)), 1000 * (1 + below(60))};
        int64_t a = below(10000000), b = a + below(100000);
        assert_true(charge_cost(&t, a) <= charge_cost(&t, b));
    }
}

static void affordable_keeps_to_its_bound(void **state)
{
    (void)state;
    struct tariff t = {60000, 0, 1000, 1000}, gratis = {0, 0, 1000, 1000};
    assert_int_equal(charge_affordable_ms(&t, 10000, 5500), 5500);
    assert_int_equal(charge_affordable_ms(&t, 999, 5500), 0);
    assert_int_equal(charge_affordable_ms(&gratis, 0, 14400000), 14400000);
    assert_int_equal(charge_affordable_ms(&t, INT64_MAX, 14400000), 14400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_by_hand),
        cmocka_unit_test(affordable_is_the_most_there_is),
        cmocka_unit_test(cost_never_falls),
        cmocka_unit_test(affordable_keeps_to_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
