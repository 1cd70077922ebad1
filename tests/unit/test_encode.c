/* test_encode.c - outputs and events byte for byte, JSON strings, the buffer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "events/decode.h"
#include "events/encode.h"
#include "tests/unit/encode_outputs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_written(const struct buffer *buffer, const char *expected)
{
    if (buffer->len != strlen(expected) || memcmp(buffer->at, expected, buffer->len) != 0)
        fail_msg("\nwritten:  %.*s\nexpected: %s", (int)buffer->len, buffer->at, expected);
}

static void every_output_is_written_as_its_sample_says(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t i = 0; i < OUTPUT_SAMPLES; i++) {
        struct output_list list = {SAMPLE_PARTITION, SAMPLE_OFFSET, SAMPLE_TIME_MS, 1, &output_samples[i].output};
        buffer.len = 0;
        output_encode(&buffer, &list, 0);
        assert_written(&buffer, output_samples[i].line);
    }
    buffer_free(&buffer);
}

static void every_output_type_has_a_sample(void **state)
{
    (void)state;
    bool seen[OUTPUT_TYPE_COUNT] = {false};
    for (size_t i = 0; i < OUTPUT_SAMPLES; i++)
        seen[output_samples[i].output.type] = true;
    for (int type = 0; type < OUTPUT_TYPE_COUNT; type++)
        if (!seen[type])
            fail_msg("no sample of %s", output_type_name((enum output_type)type));
}

static void outputs_follow_what_the_buffer_holds(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    const struct output items[] = {
        {.type = OUTPUT_SMS_ALLOWED, .n = 4, ACCOUNT, .data.sms_allowed = {TEXT_LIT("s1")}},
        {.type = OUTPUT_SMS_ALLOWED, .n = 5, ACCOUNT, .data.sms_allowed = {TEXT_LIT("s2")}},
    };
    struct output_list list = {SAMPLE_PARTITION, SAMPLE_OFFSET, SAMPLE_TIME_MS, 2, items};
    output_encode(&buffer, &list, 0);
    buffer_text(&buffer, "\n");
    output_encode(&buffer, &list, 1);
    assert_written(&buffer, OF_ACCOUNT("4", "sms.allowed", "{\"message_id\":\"s1\"}") "\n" OF_ACCOUNT(
                                "5", "sms.allowed", "{\"message_id\":\"s2\"}"));
    buffer_free(&buffer);
}

static void ids_hold_the_largest_numbers(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    const struct output item = {
        .type = OUTPUT_ACCOUNT_RECHARGE, .n = UINT32_MAX, ACCOUNT, .data.recharge = {{INT64_MAX, EUR}}};
    struct output_list list = {UINT32_MAX, INT64_MAX, SAMPLE_TIME_MS, 1, &item};
    output_encode(&buffer, &list, 0);
    buffer_append(&buffer, "", 1);
    assert_non_null(strstr(buffer.at, "\"recharge_id\":\"4294967295:9223372036854775807:4294967295\""));
    assert_non_null(strstr(buffer.at, "\"amount\":\"9223372036854.775807\""));
    buffer_free(&buffer);
}

/* The number of base64 characters between the quotes behind `member`. */
static size_t base64_length(const struct buffer *buffer, const char *member)
{
    const char *begin = memmem(buffer->at, buffer->len, member, strlen(member));
    assert_non_null(begin);
    begin += strlen(member);
    const char *end = memchr(begin, '"', (size_t)(buffer->at + buffer->len - begin));
    assert_non_null(end);
    return (size_t)(end - begin);
}

/* The hash of a million bytes "a" is one of FIPS 180's own examples. */
static void rejects_hash_all_and_keep_the_first_32_kib(void **state)
{
    (void)state;
    static char million[1000000];
    struct buffer buffer = {0};
    memset(million, 'a', sizeof million);
    const struct output item = {
        .type = OUTPUT_EVENT_REJECTED,
        .data.rejected = {REJECT_MALFORMED, TEXT_NONE, {million, sizeof million}, {million, REJECT_BYTES_MAX + 1}}};
    struct output_list list = {0, 0, 0, 1, &item};
    output_encode(&buffer, &list, 0);
    assert_non_null(memmem(buffer.at, buffer.len, "\"size\":1000000,", 15));
    assert_non_null(
        memmem(buffer.at, buffer.len, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", HASH_HEX));
    size_t kept = (REJECT_BYTES_MAX + 2) / 3 * 4;
    assert_int_equal(base64_length(&buffer, "\"payload\":\""), kept);
    assert_int_equal(base64_length(&buffer, "\"key\":\""), kept);
    buffer_free(&buffer);
}

/* Every field as long as anything may make it, and every byte in need of the
 * longest escape: the room reserved must hold it. */
static void texts_of_any_length_fit(void **state)
{
    (void)state;
    static char controls[20000];
    struct buffer buffer = {0};
    memset(controls, 1, sizeof controls);
    struct text text = {controls, sizeof controls};
    for (size_t i = 0; i < OUTPUT_SAMPLES; i++) {
        struct output item = output_samples[i].output;
        item.subject = text;
        if (item.type == OUTPUT_CALL_RECORDED)
            item.data.call.to = item.data.call.from = item.data.call.destination = text;
        if (item.type == OUTPUT_LEDGER_POSTED)
            item.data.entry.line = item.data.entry.reference = item.data.entry.postings[1].name = text;
        if (item.type == OUTPUT_CALL_DENIED)
            item.data.denied.call_id = item.data.denied.detail = text;
        struct output_list list = {SAMPLE_PARTITION, SAMPLE_OFFSET, SAMPLE_TIME_MS, 1, &item};
        buffer_free(&buffer);
        output_encode(&buffer, &list, 0);
        assert_true(buffer.len > 6 * sizeof controls);
        assert_memory_equal(buffer.at + buffer.len - 2, "}}", 2);
    }
    buffer_free(&buffer);
}

static const struct {
    struct text text;
    const char *json;
} strings[] = {
    {TEXT_LIT(""), "\"\""},
    {TEXT_LIT("plain"), "\"plain\""},
    {TEXT_LIT("exactly8"), "\"exactly8\""},
    {TEXT_LIT("seventeen letters"), "\"seventeen letters\""},
    {TEXT_LIT("\"\\/"), "\"\\\"\\\\/\""},
    {TEXT_LIT("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\""},
    {TEXT_LIT("\x01\x1f \x7f"), "\"\\u0001\\u001f \x7f\""},
    {TEXT_LIT("\0"), "\"\\u0000\""},
    {TEXT_LIT("01234567\"1234567\n"), "\"01234567\\\"1234567\\n\""},
    {TEXT_LIT("\u20ac \u00e9\u00e9\u00e9\u00e9 \U0001f4de"), "\"\u20ac \u00e9\u00e9\u00e9\u00e9 \U0001f4de\""},
};

static void strings_escape_what_json_demands_and_nothing_else(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t i = 0; i < COUNT(strings); i++) {
        buffer.len = 0;
        buffer_json_string(&buffer, strings[i].text);
        assert_written(&buffer, strings[i].json);
    }
    buffer_free(&buffer);
}

/* Eight bytes are looked at together, and what is left with those before it: each
 * byte value at each place of texts of up to twenty bytes. */
static void assert_only_this_is_escaped(struct buffer *buffer, size_t len, size_t place, int byte)
{
    char text[20];
    memset(text, 'x', sizeof text);
    text[place] = (char)byte;
    buffer->len = 0;
    buffer_json_string(buffer, (struct text){text, len});
    bool plain = byte >= 0x20 && byte != '"' && byte != '\\';
    assert_int_equal(buffer->len == len + 2, plain);
    assert_int_equal(buffer->at[1 + place] == '\\', !plain);
    assert_memory_equal(buffer->at + 1, text, plain ? len : place);
    assert_memory_equal(buffer->at + buffer->len - 1 - (len - place - 1), text + place + 1, len - place - 1);
    assert_true(buffer->at[0] == '"' && buffer->at[buffer->len - 1] == '"');
}

static void every_byte_is_seen_at_every_place(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t len = 1; len <= 20; len++)
        for (size_t place = 0; place < len; place++)
            for (int byte = 0; byte < 256; byte++)
                assert_only_this_is_escaped(&buffer, len, place, byte);
    buffer_free(&buffer);
}

static void the_buffer_grows_and_keeps_its_bytes(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 10000; i++)
        buffer_append(&buffer, "0123456789", 10);
    assert_int_equal(buffer.len, 100000);
    for (size_t i = 0; i < buffer.len; i++)
        assert_int_equal(buffer.at[i], '0' + (int)(i % 10));
    buffer_reserve(&buffer, 1 << 20);
    assert_true(buffer.capacity - buffer.len >= 1 << 20);
    buffer_free(&buffer);
    assert_null(buffer.at);
    assert_int_equal(buffer.capacity, 0);
}

/* Events as event_encode writes them: decoding and encoding a line again gives
 * the same bytes, so every member is both read and written. Each type with all
 * its members, none at its default, and again with those that may be absent. */
#define HEAD(type)            "{\"specversion\":\"1.0\",\"id\":\"17-a\",\"source\":\"/pbx/par1\",\"type\":\"callfold." type "\","
#define TIME                  "\"time\":\"2026-11-23T08:00:06.007Z\","
#define EVENT(type, data)     HEAD(type) TIME "\"subject\":\"acct-17\",\"data\":" data "}"
#define BROADCAST(type, data) HEAD(type) TIME "\"data\":" data "}"

static const struct {
    enum event_type type;
    const char *line;
} events[] = {
    {EVENT_ACCOUNT_OPENED, EVENT("account.opened", "{\"currency\":\"EUR\",\"owner\":\"m1\"}")},
    {EVENT_MEMBER_SET, EVENT("member.set", "{\"member_id\":\"m2\",\"role\":\"manager\"}")},
    {EVENT_MEMBER_REMOVED, EVENT("member.removed", "{\"member_id\":\"m2\"}")},
    {EVENT_NUMBER_ADDED, EVENT("number.added", "{\"number\":\"+33612345678\",\"origin\":\"FR-mobile\"}")},
    {EVENT_NUMBER_REMOVED, EVENT("number.removed", "{\"number\":\"+33612345678\"}")},
    {EVENT_MEMBER_ASSIGNED, EVENT("member.assigned", "{\"number\":\"+33612345678\",\"member_id\":\"m2\"}")},
    {EVENT_MEMBER_UNASSIGNED, EVENT("member.unassigned", "{\"number\":\"+33612345678\",\"member_id\":\"m2\"}")},
    {EVENT_INTERNATIONAL_ENABLED,
     EVENT("number.international_enabled", "{\"number\":\"+33612345678\",\"actor\":\"m1\"}")},
    {EVENT_INTERNATIONAL_DISABLED,
     EVENT("number.international_disabled", "{\"number\":\"+33612345678\",\"actor\":\"m1\"}")},
    {EVENT_DESTINATION_BLOCKED, EVENT("destination.blocked", "{\"prefix\":\"+882\",\"actor\":\"m1\"}")},
    {EVENT_DESTINATION_UNBLOCKED,
     EVENT("destination.unblocked", "{\"prefix\":\"+882\",\"number\":\"+33612345678\",\"actor\":\"m1\"}")},
    {EVENT_AUTO_RECHARGE_CONFIGURED,
     EVENT("auto_recharge.configured", "{\"enabled\":true,\"amount\":\"25\",\"currency\":\"USD\","
                                       "\"threshold\":\"2.5\",\"daily_limit\":3,\"actor\":\"m1\"}")},
    {EVENT_CREDIT_TOPPED_UP,
     EVENT("credit.topped_up", "{\"topup_id\":\"t1\",\"amount\":\"27.5\",\"currency\":\"EUR\","
                               "\"paid\":{\"amount\":\"25\",\"currency\":\"USD\"},\"recharge_id\":\"0:17:3\"}")},
    {EVENT_CREDIT_TOPPED_UP,
     EVENT("credit.topped_up", "{\"topup_id\":\"t1\",\"amount\":\"0.000001\",\"currency\":\"EUR\"}")},
    {EVENT_TOPUP_REVERSED, EVENT("topup.reversed", "{\"topup_id\":\"t1\",\"reason\":\"charge \\\"back\\\"\"}")},
    {EVENT_CREDIT_REFUNDED, EVENT("credit.refunded", "{}")},
    {EVENT_RECHARGE_FAILED, EVENT("recharge.failed", "{\"recharge_id\":\"0:17:3\",\"reason\":\"card_declined\"}")},
    {EVENT_CALL_STARTED,
     EVENT("call.started", "{\"call_id\":\"c1\",\"direction\":\"outbound\",\"from\":\"+33612345678\","
                           "\"to\":\"+12125550123\",\"member_id\":\"m2\"}")},
    {EVENT_CALL_STARTED,
     EVENT("call.started", "{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\"\",\"to\":\"+33612345678\"}")},
    {EVENT_CALL_TICKED, EVENT("call.ticked", "{\"call_id\":\"c1\",\"duration_ms\":6000}")},
    {EVENT_CALL_ENDED, EVENT("call.ended", "{\"call_id\":\"c1\",\"duration_ms\":61000,\"voicemail\":true}")},
    {EVENT_CALL_ENDED, EVENT("call.ended", "{\"call_id\":\"c1\",\"duration_ms\":9007199254740991}")},
    {EVENT_SMS_REQUESTED,
     EVENT("sms.requested", "{\"message_id\":\"s1\",\"from\":\"+33612345678\",\"to\":\"+33612345679\"}")},
    {EVENT_CLOCK_ADVANCED, BROADCAST("clock.advanced", "{}")},
    {EVENT_RATEDECK_OPENED,
     BROADCAST("ratedeck.opened",
               "{\"deck_id\":\"2026-12\",\"currency\":\"USD\",\"effective_at\":\"2026-12-01T00:00:00.000Z\","
               "\"origins\":[{\"origin\":\"US\",\"country\":\"US\",\"currency\":\"USD\"},"
               "{\"origin\":\"FR-mobile\",\"country\":\"FR\",\"currency\":\"EUR\"}]}")},
    {EVENT_RATEDECK_RATES,
     BROADCAST("ratedeck.rates",
               "{\"deck_id\":\"2026-12\",\"rates\":[{\"origin\":\"US\",\"prefix\":\"+336\","
               "\"destination\":\"France mobile\",\"status\":\"open\",\"price\":\"0.021\",\"connect\":\"0.01\","
               "\"first_s\":60,\"step_s\":6,\"kind\":\"mobile\",\"domestic\":true},"
               "{\"origin\":\"US\",\"prefix\":\"+8816\",\"destination\":\"Iridium\",\"status\":\"blocked\","
               "\"first_s\":1,\"step_s\":1},"
               "{\"origin\":\"US\",\"prefix\":\"+1\",\"destination\":\"N\u00e9vada\",\"status\":\"free\","
               "\"price\":\"0.5\",\"first_s\":1,\"step_s\":86400},"
               "{\"origin\":\"US\",\"prefix\":\"+2\",\"destination\":\"b\",\"status\":\"open\",\"price\":\"0\","
               "\"first_s\":1,\"step_s\":1}]}")},
    {EVENT_RATEDECK_PUBLISHED, BROADCAST("ratedeck.published", "{\"deck_id\":\"2026-12\",\"rates\":3}")},
    {EVENT_FX_PUBLISHED,
     BROADCAST("fx.published", "{\"base\":\"USD\",\"rates\":{\"EUR\":\"0.92\",\"GBP\":\"0.785000001\"},"
                               "\"effective_at\":\"2026-11-23T00:00:00.000Z\"}")},
    {EVENT_POLICY_CONFIGURED,
     BROADCAST("policy.configured",
               "{\"tick_ms\":1,\"horizon_ms\":2,\"stale_after_ms\":3,\"retention_ms\":4,\"max_call_ms\":5,"
               "\"recharge_timeout_ms\":6,\"notice_ms\":7,\"max_concurrent_calls\":8,"
               "\"low_credits\":{\"EUR\":\"5\",\"USD\":\"5.5\"},\"daily_spend\":{\"EUR\":\"0\"}}")},
    {EVENT_POLICY_CONFIGURED, BROADCAST("policy.configured", "{\"notice_ms\":0,\"low_credits\":{}}")},
    {EVENT_POLICY_CONFIGURED, BROADCAST("policy.configured", "{}")},
};

static void events_are_written_as_they_are_read(void **state)
{
    (void)state;
    struct decoder *decoder = decoder_new();
    struct buffer buffer = {0};
    bool seen[EVENT_TYPE_COUNT] = {false};
    for (size_t i = 0; i < COUNT(events); i++) {
        struct event event;
        struct decode_error error;
        if (!event_decode(decoder, text_of(events[i].line), &event, &error))
            fail_msg("%s\n%s", error.detail, events[i].line);
        assert_int_equal(event.type, events[i].type);
        seen[event.type] = true;
        buffer.len = 0;
        event_encode(&buffer, &event, TEXT_LIT("17-a"), TEXT_LIT("/pbx/par1"));
        assert_written(&buffer, events[i].line);
    }
    for (int type = 0; type < EVENT_TYPE_COUNT; type++)
        if (!seen[type])
            fail_msg("no line of %s", event_type_name((enum event_type)type));
    buffer_free(&buffer);
    decoder_free(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_output_is_written_as_its_sample_says),
        cmocka_unit_test(every_output_type_has_a_sample),
        cmocka_unit_test(outputs_follow_what_the_buffer_holds),
        cmocka_unit_test(ids_hold_the_largest_numbers),
        cmocka_unit_test(rejects_hash_all_and_keep_the_first_32_kib),
        cmocka_unit_test(texts_of_any_length_fit),
        cmocka_unit_test(strings_escape_what_json_demands_and_nothing_else),
        cmocka_unit_test(every_byte_is_seen_at_every_place),
        cmocka_unit_test(the_buffer_grows_and_keeps_its_bytes),
        cmocka_unit_test(events_are_written_as_they_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
