/* encode_outputs.h - one output of every type, and more where members may be
 * absent, each beside the line it is written as. test_encode.c compares the
 * bytes; the schemas' check (tests/schemas/) takes the same outputs.
 */
#ifndef CALLFOLD_TESTS_UNIT_ENCODE_OUTPUTS_H
#define CALLFOLD_TESTS_UNIT_ENCODE_OUTPUTS_H

#include "events/output.h"

#define CURRENCY(a, b, c) ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))
#define EUR               CURRENCY('E', 'U', 'R')
#define USD               CURRENCY('U', 'S', 'D')

/* All samples are outputs of one record. */
#define SAMPLE_PARTITION 3
#define SAMPLE_OFFSET    1041
#define SAMPLE_TIME_MS   1795420806007 /* 2026-11-23T08:00:06.007Z */

#define ZEROS  "0000000000000000000000000000000000000000000000000000000000000000"
#define EFFS   "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define DIGEST "0123456789abcdef0123456789abcdef"

/* The envelope of sample n, with and without a subject. */
#define ENVELOPE(n, type, data)                                                  \
    "{\"specversion\":\"1.0\",\"id\":\"3:1041:" n "\",\"source\":\"/callfold\"," \
    "\"type\":\"callfold." type "\",\"time\":\"2026-11-23T08:00:06.007Z\",\"data\":" data "}"
#define OF_ACCOUNT(n, type, data)                                                \
    "{\"specversion\":\"1.0\",\"id\":\"3:1041:" n "\",\"source\":\"/callfold\"," \
    "\"type\":\"callfold." type "\",\"time\":\"2026-11-23T08:00:06.007Z\","      \
    "\"subject\":\"acct-17\",\"data\":" data "}"

#define ACCOUNT .subject = TEXT_LIT("acct-17")

struct output_sample {
    struct output output;
    const char *line;
};

static const struct raised_rate sample_raised[] = {
    {TEXT_LIT("US"), TEXT_LIT("+336"), TEXT_LIT("France mobile"), 19000, 21000},
    {TEXT_LIT("FR-mobile"), TEXT_LIT("+1"), TEXT_LIT("Am\u00e9rique du Nord"), 0, 1},
};

/* clang-format off */
static const struct output_sample output_samples[] = {
    {{.type = OUTPUT_CALL_AUTHORIZED, .n = 0, ACCOUNT,
      .data.authorized = {.call_id = TEXT_LIT("c1"), .charged = true, .destination = TEXT_LIT("New York"),
                          .prefix = TEXT_LIT("+1212"), .deck_id = TEXT_LIT("2026-12"), .has_price = true,
                          .price_micros = 18478, .currency = EUR, .has_max_duration = true,
                          .max_duration_ms = 14400000}},
     OF_ACCOUNT("0", "call.authorized",
                "{\"call_id\":\"c1\",\"charged\":true,\"destination\":\"New York\",\"prefix\":\"+1212\","
                "\"deck_id\":\"2026-12\",\"price\":\"0.018478\",\"currency\":\"EUR\","
                "\"max_duration_ms\":14400000}")},
    {{.type = OUTPUT_CALL_AUTHORIZED, .n = 1, ACCOUNT, .data.authorized = {.call_id = TEXT_LIT("c2")}},
     OF_ACCOUNT("1", "call.authorized", "{\"call_id\":\"c2\",\"charged\":false}")},
    {{.type = OUTPUT_CALL_DENIED, .n = 2, ACCOUNT,
      .data.denied = {TEXT_LIT("c3"), DENIED_INSUFFICIENT_CREDITS, TEXT_LIT("0.01 EUR left")}},
     OF_ACCOUNT("2", "call.denied",
                "{\"call_id\":\"c3\",\"reason\":\"insufficient_credits\",\"detail\":\"0.01 EUR left\"}")},
    {{.type = OUTPUT_CALL_DENIED, .n = 3, ACCOUNT,
      .data.denied = {TEXT_LIT("c3"), DENIED_ACCOUNT_UNKNOWN, TEXT_LIT("no such \"account\"")}},
     OF_ACCOUNT("3", "call.denied",
                "{\"call_id\":\"c3\",\"reason\":\"account_unknown\",\"detail\":\"no such \\\"account\\\"\"}")},
    {{.type = OUTPUT_CALL_CUTOFF, .n = 4, ACCOUNT,
      .data.cutoff = {TEXT_LIT("c1"), 61000, CUTOFF_CREDITS_EXHAUSTED, 1}},
     OF_ACCOUNT("4", "call.cutoff",
                "{\"call_id\":\"c1\",\"at_duration_ms\":61000,\"reason\":\"credits_exhausted\",\"revision\":1}")},
    {{.type = OUTPUT_CALL_CUTOFF, .n = 5, ACCOUNT,
      .data.cutoff = {TEXT_LIT("c1"), 0, CUTOFF_STALE, UINT32_MAX}},
     OF_ACCOUNT("5", "call.cutoff",
                "{\"call_id\":\"c1\",\"at_duration_ms\":0,\"reason\":\"stale\",\"revision\":4294967295}")},
    {{.type = OUTPUT_CALL_CUTOFF_WITHDRAWN, .n = 6, ACCOUNT, .data.withdrawn = {TEXT_LIT("c1"), 2}},
     OF_ACCOUNT("6", "call.cutoff_withdrawn", "{\"call_id\":\"c1\",\"revision\":2}")},
    {{.type = OUTPUT_ACCOUNT_RECHARGE, .n = 7, ACCOUNT, .data.recharge = {{25000000, USD}}},
     OF_ACCOUNT("7", "account.recharge",
                "{\"recharge_id\":\"3:1041:7\",\"amount\":\"25\",\"currency\":\"USD\"}")},
    {{.type = OUTPUT_ACCOUNT_NOTIFY, .n = 8, ACCOUNT, .data.notify = {NOTIFY_RECHARGE_SUSPENDED}},
     OF_ACCOUNT("8", "account.notify", "{\"kind\":\"recharge_suspended\"}")},
    {{.type = OUTPUT_SMS_ALLOWED, .n = 9, ACCOUNT, .data.sms_allowed = {TEXT_LIT("s1")}},
     OF_ACCOUNT("9", "sms.allowed", "{\"message_id\":\"s1\"}")},
    {{.type = OUTPUT_SMS_DENIED, .n = 10, ACCOUNT,
      .data.sms_denied = {TEXT_LIT("s1"), DENIED_INTERNATIONAL_SMS, TEXT_LIT("France")}},
     OF_ACCOUNT("10", "sms.denied",
                "{\"message_id\":\"s1\",\"reason\":\"international_sms\",\"detail\":\"France\"}")},
    {{.type = OUTPUT_RATEDECK_ACCEPTED, .n = 11,
      .data.deck_accepted = {TEXT_LIT("2026-12"), 1796083200000, 12345, 2, 2, sample_raised}},
     ENVELOPE("11", "ratedeck.accepted",
              "{\"deck_id\":\"2026-12\",\"effective_at\":\"2026-12-01T00:00:00.000Z\",\"rates\":12345,"
              "\"raised_count\":2,\"raised\":[{\"origin\":\"US\",\"prefix\":\"+336\","
              "\"destination\":\"France mobile\",\"from\":\"0.019\",\"to\":\"0.021\"},"
              "{\"origin\":\"FR-mobile\",\"prefix\":\"+1\",\"destination\":\"Am\u00e9rique du Nord\","
              "\"from\":\"0\",\"to\":\"0.000001\"}]}")},
    {{.type = OUTPUT_RATEDECK_ACCEPTED, .n = 12,
      .data.deck_accepted = {TEXT_LIT("2026-12"), 1796083200000, 0, 0, 0, NULL}},
     ENVELOPE("12", "ratedeck.accepted",
              "{\"deck_id\":\"2026-12\",\"effective_at\":\"2026-12-01T00:00:00.000Z\",\"rates\":0,"
              "\"raised_count\":0,\"raised\":[]}")},
    {{.type = OUTPUT_LEDGER_POSTED, .n = 13, ACCOUNT,
      .data.entry = {.entry = 7, .kind = ENTRY_CALL, .account = TEXT_LIT("acct-17"), .amount_micros = -20326,
                     .balance_micros = 24979674, .currency = EUR, .date = 20780, .has_for_date = true,
                     .for_date = 20779, .reference = TEXT_LIT("c1"), .posting_count = 2,
                     .postings = {{"customer:", TEXT_LIT("acct-17"), 20326, EUR},
                                  {"revenue:", TEXT_LIT("C\u00f4te \"d'Azur\""), -20326, EUR}},
                     .line = TEXT_LIT("7|2026-11-23T08:00:06.007Z|call|acct-17|-0.020326|EUR|24.979674|c1|3-1041|"
                                      "2026-11-23|customer:acct-17 0.020326 EUR;"
                                      "revenue:C%C3%B4te%20%22d%27Azur%22 -0.020326 EUR"),
                     .prev = ZEROS, .hash = EFFS}},
     OF_ACCOUNT("13", "ledger.posted",
                "{\"entry\":7,\"kind\":\"call\",\"account\":\"acct-17\",\"amount\":\"-0.020326\","
                "\"currency\":\"EUR\",\"balance\":\"24.979674\",\"date\":\"2026-11-23\","
                "\"for_date\":\"2026-11-22\",\"reference\":\"c1\",\"postings\":["
                "{\"account\":\"customer:acct-17\",\"amount\":\"0.020326\",\"currency\":\"EUR\"},"
                "{\"account\":\"revenue:C\u00f4te \\\"d'Azur\\\"\",\"amount\":\"-0.020326\","
                "\"currency\":\"EUR\"}],"
                "\"line\":\"7|2026-11-23T08:00:06.007Z|call|acct-17|-0.020326|EUR|24.979674|c1|3-1041|"
                "2026-11-23|customer:acct-17 0.020326 EUR;"
                "revenue:C%C3%B4te%20%22d%27Azur%22 -0.020326 EUR\","
                "\"prev\":\"" ZEROS "\",\"hash\":\"" EFFS "\"}")},
    {{.type = OUTPUT_CALL_RECORDED, .n = 14, ACCOUNT,
      .data.call = {.call_id = TEXT_LIT("c1"), .from = TEXT_LIT("+33612345678"), .to = TEXT_LIT("+12125550123"),
                    .member_id = TEXT_LIT("m2"), .direction = DIRECTION_OUTBOUND, .charged = true,
                    .destination = TEXT_LIT("New York"), .prefix = TEXT_LIT("+1212"),
                    .deck_id = TEXT_LIT("2026-12"), .has_price = true, .price_micros = 18478, .has_fx = true,
                    .fx_from = USD, .fx_to = EUR, .fx_nanos = 923900001, .currency = EUR,
                    .started_at_ms = 1795420740000, .ended_at_ms = SAMPLE_TIME_MS, .duration_ms = 61000,
                    .billed_ms = 66000, .amount_micros = 20326, .uncollected_micros = 1, .voicemail = true,
                    .ended_by = ENDED_BY_CUTOFF}},
     OF_ACCOUNT("14", "call.recorded",
                "{\"call_id\":\"c1\",\"direction\":\"outbound\",\"from\":\"+33612345678\","
                "\"to\":\"+12125550123\",\"member_id\":\"m2\",\"charged\":true,\"destination\":\"New York\","
                "\"prefix\":\"+1212\",\"deck_id\":\"2026-12\",\"price\":\"0.018478\","
                "\"fx\":{\"from\":\"USD\",\"to\":\"EUR\",\"rate\":\"0.923900001\"},\"currency\":\"EUR\","
                "\"started_at\":\"2026-11-23T07:59:00.000Z\",\"ended_at\":\"2026-11-23T08:00:06.007Z\","
                "\"duration_ms\":61000,\"billed_ms\":66000,\"amount\":\"0.020326\","
                "\"uncollected\":\"0.000001\",\"voicemail\":true,\"ended_by\":\"cutoff\"}")},
    {{.type = OUTPUT_CALL_RECORDED, .n = 15, ACCOUNT,
      .data.call = {.call_id = TEXT_LIT("c2"), .from = TEXT_LIT(""), .to = TEXT_LIT("+33612345678"),
                    .direction = DIRECTION_INBOUND, .currency = EUR, .started_at_ms = 1795420740000,
                    .ended_at_ms = 1795420740000}},
     OF_ACCOUNT("15", "call.recorded",
                "{\"call_id\":\"c2\",\"direction\":\"inbound\",\"from\":\"\",\"to\":\"+33612345678\","
                "\"charged\":false,\"currency\":\"EUR\",\"started_at\":\"2026-11-23T07:59:00.000Z\","
                "\"ended_at\":\"2026-11-23T07:59:00.000Z\",\"duration_ms\":0,\"billed_ms\":0,"
                "\"amount\":\"0\",\"uncollected\":\"0\",\"voicemail\":false,\"ended_by\":\"platform\"}")},
    {{.type = OUTPUT_BALANCE_CHANGED, .n = 16, ACCOUNT,
      .data.balance = {.balance_micros = INT64_MAX, .available_micros = 0, .entry = 7, .currency = EUR}},
     OF_ACCOUNT("16", "balance.changed",
                "{\"balance\":\"9223372036854.775807\",\"available\":\"0\",\"currency\":\"EUR\",\"entry\":7}")},
    {{.type = OUTPUT_EVENT_REJECTED, .n = 17, ACCOUNT,
      .data.rejected = {REJECT_INVALID_FIELD, TEXT_LIT("data.call_id: missing"), TEXT_LIT("{bad"),
                        TEXT_LIT("acct-17")}},
     OF_ACCOUNT("17", "event.rejected",
                "{\"reason\":\"invalid_field\",\"detail\":\"data.call_id: missing\",\"topic\":\"callfold.events\","
                "\"partition\":3,\"offset\":1041,\"size\":4,"
                "\"sha256\":\"17eed55d881c0dd5fe0935a98d89dd9e52d62aed941f3fb7d17bd490e5aa3e8f\","
                "\"payload\":\"e2JhZA==\",\"key\":\"YWNjdC0xNw==\"}")},
    {{.type = OUTPUT_EVENT_REJECTED, .n = 18,
      .data.rejected = {REJECT_MALFORMED, TEXT_LIT("empty"), TEXT_NONE, TEXT_NONE}},
     ENVELOPE("18", "event.rejected",
              "{\"reason\":\"malformed\",\"detail\":\"empty\",\"topic\":\"callfold.events\","
              "\"partition\":3,\"offset\":1041,\"size\":0,"
              "\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","
              "\"payload\":\"\"}")},
    {{.type = OUTPUT_EVENT_REJECTED, .n = 19,
      .data.rejected = {REJECT_KEY_MISMATCH, TEXT_LIT("empty key"), TEXT_LIT("\xff"), TEXT_LIT("")}},
     ENVELOPE("19", "event.rejected",
              "{\"reason\":\"key_mismatch\",\"detail\":\"empty key\",\"topic\":\"callfold.events\","
              "\"partition\":3,\"offset\":1041,\"size\":1,"
              "\"sha256\":\"a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89\","
              "\"payload\":\"/w==\",\"key\":\"\"}")},
    {{.type = OUTPUT_STATE_ATTESTED, .n = 20,
      .data.attested = {.next_offset = 1042, .entries = 7, .inputs = 1040, .fold_version = 1, .chain = ZEROS,
                        .input = EFFS, .digest = DIGEST}},
     ENVELOPE("20", "state.attested",
              "{\"partition\":3,\"next_offset\":1042,\"fold_version\":1,\"entries\":7,"
              "\"chain\":\"" ZEROS "\",\"digest\":\"" DIGEST "\",\"input\":\"" EFFS "\",\"inputs\":1040}")},
};
/* clang-format on */

#define OUTPUT_SAMPLES (sizeof output_samples / sizeof output_samples[0])

#endif
