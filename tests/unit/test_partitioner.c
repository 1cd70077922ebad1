/* The partitioner against the values that Kafka's own client is tested with
 * (org.apache.kafka.common.utils.UtilsTest, testMurmur2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "events/partitioner.h"

static const struct {
    const char *key;
    int32_t murmur2;
} keys[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

static void agrees_with_the_java_client(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        uint32_t positive = (uint32_t)keys[i].murmur2 & 0x7fffffff;
        assert_int_equal(partition_of_key(text_of(keys[i].key), UINT32_C(1) << 31), positive);
        assert_int_equal(partition_of_key(text_of(keys[i].key), 12), positive % 12);
        assert_int_equal(partition_of_key(text_of(keys[i].key), 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_the_java_client)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
