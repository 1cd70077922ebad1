/* Histograms, sums by currency, and what a page of figures says of partitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "events/currency.h"
#include "processor/metrics.h"

static struct figures figures;

static int set_up(void **state)
{
    (void)state;
    figures = (struct figures){0};
    return 0;
}

static void assert_says(const char *line)
{
    struct buffer page = {0};
    char *with_newline;
    assert_true(asprintf(&with_newline, "\n%s\n", line) > 0);
    metrics_format(&page, &figures);
    buffer_append(&page, "", 1);
    if (strstr(page.at, with_newline) == NULL)
        fail_msg("no line %s in\n%s", line, page.at);
    free(with_newline);
    buffer_free(&page);
}

static void buckets_are_cumulative_and_bounds_belong_below(void **state)
{
    (void)state;
    histogram_observe(&figures.commits, 0.0005);
    histogram_observe(&figures.commits, 0.001);
    histogram_observe(&figures.commits, 0.0011);
    histogram_observe(&figures.commits, 61);
    assert_says("callfold_commit_seconds_bucket{le=\"0.001\"} 2");
    assert_says("callfold_commit_seconds_bucket{le=\"0.0025\"} 3");
    assert_says("callfold_commit_seconds_bucket{le=\"60\"} 3");
    assert_says("callfold_commit_seconds_bucket{le=\"+Inf\"} 4");
    assert_says("callfold_commit_seconds_sum 61.0026");
    assert_says("callfold_commit_seconds_count 4");
    assert_says("callfold_checkpoint_seconds_count 0");
}

static struct output call(const char *currency, int64_t micros)
{
    struct output output = {.type = OUTPUT_CALL_RECORDED, .data.call.uncollected_micros = micros};
    assert_true(currency_parse(text_of(currency), &output.data.call.currency));
    return output;
}

static void money_is_added_by_currency(void **state)
{
    (void)state;
    const struct output calls[] = {call("USD", 1500000), call("EUR", 250000), call("USD", 1), call("JPY", 0)};
    for (size_t i = 0; i < 4; i++)
        figures_count_output(&figures, &calls[i]);
    assert_says("callfold_uncollected_total{currency=\"USD\"} 1.500001");
    assert_says("callfold_uncollected_total{currency=\"EUR\"} 0.25");
    assert_int_equal(figures.uncollected_count, 2);
    const struct output largest = call("EUR", INT64_MAX);
    figures_count_output(&figures, &largest);
    assert_says("callfold_uncollected_total{currency=\"EUR\"} 9223372036854.775807");
    assert_says("callfold_outputs_total{topic=\"calls\"} 5");
}

static void what_is_not_known_is_not_said(void **state)
{
    (void)state;
    figures.partition_count = 2;
    figures.partitions[0] = (struct partition_figures){.number = 3, .lag_records = -1, .catchup_ratio = 1};
    figures.partitions[1] = (struct partition_figures){
        .number = 1023, .lag_records = 7, .lag_seconds = 0.5, .live_calls = 4, .time_ms = 1500, .catchup_ratio = 0.25};
    assert_says("callfold_partitions 2");
    assert_says("# TYPE callfold_lag_records gauge\ncallfold_lag_records{partition=\"1023\"} 7");
    assert_says("callfold_lag_seconds{partition=\"1023\"} 0.5");
    assert_says("callfold_live_calls{partition=\"3\"} 0\ncallfold_live_calls{partition=\"1023\"} 4");
    assert_says("callfold_partition_time_seconds{partition=\"1023\"} 1.5");
    assert_says("callfold_catchup_ratio{partition=\"1023\"} 0.25");
}

static void a_board_is_read_as_it_was_written(void **state)
{
    (void)state;
    static struct figures read;
    struct board *board = board_new();
    board_read(board, &read);
    assert_string_equal(read.status, "starting");
    assert_false(read.is_ready);
    figures.events[EVENT_CALL_TICKED] = 5;
    figures.is_ready = true;
    board_write(board, &figures);
    figures.events[EVENT_CALL_TICKED] = 6;
    board_read(board, &read);
    assert_int_equal(read.events[EVENT_CALL_TICKED], 5);
    assert_true(read.is_ready);
    board_free(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(buckets_are_cumulative_and_bounds_belong_below, set_up),
        cmocka_unit_test_setup(money_is_added_by_currency, set_up),
        cmocka_unit_test_setup(what_is_not_known_is_not_said, set_up),
        cmocka_unit_test_setup(a_board_is_read_as_it_was_written, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
