/* An idle partition's clock, on a broker whose time the test makes: each record
 * that the meter writes is read back some ms later. What must hold: calls go
 * stale and recharges time out no sooner than they must and little later,
 * nothing is written before it is needed, and asking changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "events/instant.h"
#include "processor/clock.h"

#define START_MS INT64_C(1764230400000) /* 2025-11-27T08:00:00Z */
#define OPENED   "\"callfold.account.opened\",\"subject\":\"a\",\"data\":{\"currency\":\"USD\",\"owner\":\"ann\"}"
#define RECHARGED \
    "\"callfold.auto_recharge.configured\",\"subject\":\"a\",\"data\":{\"enabled\":true,\"amount\":\"5\",\"currency\":\"USD\",\"actor\":\"ann\"}"
#define STARTED(call)                                                           \
    "\"callfold.call.started\",\"subject\":\"a\",\"data\":{\"call_id\":\"" call \
    "\",\"direction\":\"inbound\",\"from\":\"x\",\"to\":\"+12025550123\"}"
#define TICKED(call, ms) \
    "\"callfold.call.ticked\",\"subject\":\"a\",\"data\":{\"call_id\":\"" call "\",\"duration_ms\":" #ms "}"

/* A broker's partition and the meter on it. */
struct house {
    struct log log;
    struct partition partition;
    struct decoder *decoder;
    int64_t now_ms, record_ms, offset;
    int64_t delay_ms; /* from writing to the broker */
    int wakes, closed;
    char line[512];
    bool is_woken;
};

static int64_t idle_ms(struct log *log, uint32_t partition, int64_t timestamp_ms)
{
    const struct house *house = (const struct house *)log;
    assert_int_equal(partition, 0);
    assert_int_equal(timestamp_ms, house->record_ms);
    return house->now_ms - house->record_ms;
}

static void wake(struct log *log, uint32_t partition, struct text event)
{
    struct house *house = (struct house *)log;
    assert_int_equal(partition, 0);
    snprintf(house->line, sizeof house->line, "%.*s", TEXT_ARGS(event));
    house->is_woken = true;
    house->wakes++;
}

static const struct log_operations operations = {.idle_ms = idle_ms, .wake = wake};

static void take(struct house *house, struct text value)
{
    struct event event;
    struct decode_error error;
    struct output_list outputs;
    struct fold_record record = {.offset = house->offset++,
                                 .has_timestamp = true,
                                 .timestamp_ms = house->now_ms,
                                 .has_key = true,
                                 .value = value};
    bool decoded = event_decode(house->decoder, value, &event, &error);
    assert_true(decoded);
    record.key = event.subject;
    house->record_ms = house->now_ms;
    fold_step(house->partition.fold, &record, &event, NULL, &outputs);
    for (size_t i = 0; i < outputs.count; i++) {
        assert_int_not_equal(outputs.items[i].type, OUTPUT_EVENT_REJECTED);
        house->closed += outputs.items[i].type == OUTPUT_CALL_RECORDED;
    }
}

static void happens(struct house *house, const char *type_and_data)
{
    char time[INSTANT_TEXT_MAX], line[512];
    instant_format(house->now_ms, time);
    snprintf(line, sizeof line, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/t\",\"time\":\"%s\",\"type\":%s}",
             time, type_and_data);
    take(house, text_of(line));
}

/* Lets the time pass, ms by ms. */
static void pass(struct house *house, int64_t ms)
{
    for (int64_t until_ms = house->now_ms + ms; house->now_ms < until_ms;) {
        house->now_ms++;
        clock_watch(&house->log, &house->partition);
        if (!house->is_woken)
            continue;
        house->is_woken = false;
        house->now_ms += house->delay_ms;
        take(house, text_of(house->line));
    }
}

static int set_up(void **state)
{
    static struct house house;
    house = (struct house){.log = {.does = &operations},
                           .partition = {.fold = fold_new(0, 0, NULL), .is_caught_up = true},
                           .decoder = decoder_new(),
                           .now_ms = START_MS,
                           .delay_ms = 20};
    *state = &house;
    happens(&house, OPENED);
    return 0;
}

static int tear_down(void **state)
{
    struct house *house = *state;
    fold_free(house->partition.fold);
    decoder_free(house->decoder);
    return 0;
}

static void nothing_is_written_where_nothing_is_due(void **state)
{
    struct house *house = *state;
    assert_true(fold_next_deadline(house->partition.fold) == INT64_MAX);
    pass(house, 3 * INT64_C(3600000));
    assert_int_equal(house->wakes, 0);
}

/* 600 s by steps of 55 s: ten of them, and one for the rest. */
static void a_silent_call_goes_stale(void **state)
{
    struct house *house = *state;
    happens(house, STARTED("c"));
    assert_int_equal(fold_next_deadline(house->partition.fold), 600000);
    pass(house, 599990);
    assert_int_equal(house->closed, 0);
    pass(house, 100);
    assert_int_equal(house->closed, 1);
    assert_int_equal(house->wakes, 11);
    pass(house, 3600000);
    assert_int_equal(house->wakes, 11);
}

/* A tick only moves the true deadline; the one that the heap still has is not waited for. */
static void a_tick_puts_it_off(void **state)
{
    struct house *house = *state;
    happens(house, STARTED("c"));
    house->now_ms += 50000;
    happens(house, TICKED("c", 50000));
    assert_int_equal(fold_next_deadline(house->partition.fold), 600000);
    pass(house, 590000);
    assert_int_equal(house->closed, 0);
    pass(house, 10100);
    assert_int_equal(house->closed, 1);
}

static void a_recharge_times_out(void **state)
{
    struct house *house = *state;
    happens(house, RECHARGED);
    assert_int_equal(fold_next_deadline(house->partition.fold), 900000);
    pass(house, 900100);
    assert_true(fold_next_deadline(house->partition.fold) == INT64_MAX);
}

static void the_first_of_many_is_the_next(void **state)
{
    struct house *house = *state;
    happens(house, STARTED("c"));
    house->now_ms += 1000;
    happens(house, STARTED("d"));
    house->now_ms += 1000;
    happens(house, TICKED("c", 2000));
    assert_int_equal(fold_next_deadline(house->partition.fold), 599000);
}

static void asking_changes_nothing(void **state)
{
    struct house *house = *state;
    char before[DIGEST_HEX], after[DIGEST_HEX];
    happens(house, STARTED("c"));
    house->now_ms += 6000;
    happens(house, TICKED("c", 6000));
    fold_digest(house->partition.fold, before);
    fold_next_deadline(house->partition.fold);
    fold_digest(house->partition.fold, after);
    assert_memory_equal(before, after, DIGEST_HEX);
}

static void nothing_is_written_before_it_has_caught_up(void **state)
{
    struct house *house = *state;
    happens(house, STARTED("c"));
    house->partition.is_caught_up = false;
    pass(house, 700000);
    assert_int_equal(house->wakes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_written_where_nothing_is_due),
        TEST(a_silent_call_goes_stale),
        TEST(a_tick_puts_it_off),
        TEST(a_recharge_times_out),
        TEST(the_first_of_many_is_the_next),
        TEST(asking_changes_nothing),
        TEST(nothing_is_written_before_it_has_caught_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
