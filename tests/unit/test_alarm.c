/* When a record may be written to an idle partition: not while there is more to
 * read, not before the last one came back or must have failed, not twice within
 * half a second, not right after the process stood still. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#include "processor/kafka/alarm.h"
#include "terminal/message.h"

#define P 3
static struct alarm alarm;

/* A partition whose last record was received ten seconds ago, and an earlier one written by us before that. */
static int set_up(void **state)
{
    (void)state;
    double now = seconds_now();
    alarm = (struct alarm){.read_at = now};
    alarm.places[P] = (struct alarm_place){.received_at = now - 10, .rung_at = now - 30};
    alarm_at_end(&alarm, P);
    return 0;
}

static int64_t day_ms(void)
{
    return (int64_t)time(NULL) * 1000;
}

static void assert_idle_about(int64_t ms)
{
    int64_t idle_ms = alarm_idle_ms(&alarm, P, day_ms() - 3600000);
    assert_true(idle_ms >= ms - 2000 && idle_ms <= ms + 2000);
}

static void assert_silent(void)
{
    assert_int_equal(alarm_idle_ms(&alarm, P, day_ms() - 3600000), -1);
}

static void idle_is_counted_from_the_receipt(void **state)
{
    (void)state;
    assert_idle_about(10000);
    alarm_received(&alarm, P, alarm.read_at - 4);
    assert_silent(); /* there may be more */
    alarm_at_end(&alarm, P);
    assert_idle_about(4000);
}

/* What passed while nobody had it is told by the time of day alone; once. */
static void a_partition_just_taken_goes_by_the_time_of_day(void **state)
{
    (void)state;
    alarm_begin(&alarm, P);
    assert_silent();
    alarm_at_end(&alarm, P);
    alarm.read_at = seconds_now();
    assert_idle_about(3600000);
    alarm.places[P].rung_at = alarm.read_at - 1;
    alarm_received(&alarm, P, alarm.read_at);
    alarm_at_end(&alarm, P);
    alarm.read_at += 1;
    assert_idle_about(1000);
}

static void one_that_has_not_come_back_is_waited_for(void **state)
{
    (void)state;
    alarm.places[P].rung_at = alarm.read_at - 9;
    assert_silent();
    alarm.places[P].rung_at = alarm.places[P].received_at = alarm.read_at - 11;
    assert_idle_about(11000);
}

static void two_a_second_at_most(void **state)
{
    (void)state;
    alarm.places[P].rung_at = alarm.read_at - 0.4;
    alarm_received(&alarm, P, alarm.read_at - 0.3);
    alarm_at_end(&alarm, P);
    assert_silent();
    alarm.read_at += 0.2;
    assert_idle_about(500);
}

static void who_stood_still_comes_to_first(void **state)
{
    (void)state;
    alarm.read_at -= 60;
    alarm_reads(&alarm);
    assert_silent();
    alarm_reads(&alarm);
    assert_silent();
    alarm.read_at += 1.1;
    assert_idle_about(11000);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(idle_is_counted_from_the_receipt),         TEST(a_partition_just_taken_goes_by_the_time_of_day),
        TEST(one_that_has_not_come_back_is_waited_for), TEST(two_a_second_at_most),
        TEST(who_stood_still_comes_to_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
