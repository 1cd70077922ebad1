/* test_decode.c - bytes to typed events: every type with every member, every
 * default, every way to be wrong and the words that say so.
 *
 * Samples and faults are tables, one event a line. A sample names all its
 * type's members; the tests derive from it that each is required or optional,
 * that null is wrong everywhere and that members of others are ignored.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "events/currency.h"
#include "events/decode.h"
#include "events/instant.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define USD          ('U' << 16 | 'S' << 8 | 'D')
#define EUR          ('E' << 16 | 'U' << 8 | 'R')
#define GBP          ('G' << 16 | 'B' << 8 | 'P')

static struct decoder *decoder;
static struct event event;
static struct decode_error error;

static int set_up(void **state)
{
    (void)state;
    decoder = decoder_new();
    return decoder == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    decoder_free(decoder);
    return 0;
}

/* type, data, and which members of data may be left out ("*": all). */
static const struct sample {
    const char *type, *data, *optional;
} samples[] = {
    {"account.opened", "{'currency':'USD','owner':'m1'}", ""},
    {"member.set", "{'member_id':'m1','role':'manager'}", ""},
    {"member.removed", "{'member_id':'m1'}", ""},
    {"number.added", "{'number':'+33612345678','origin':'FR-mobile'}", ""},
    {"number.removed", "{'number':'+33612345678'}", ""},
    {"member.assigned", "{'number':'+33612345678','member_id':'m1'}", ""},
    {"member.unassigned", "{'number':'+33612345678','member_id':'m1'}", ""},
    {"number.international_enabled", "{'number':'+33612345678','actor':'m1'}", ""},
    {"number.international_disabled", "{'number':'+33612345678','actor':'m1'}", ""},
    {"destination.blocked", "{'prefix':'+44','number':'+33612345678','actor':'m1'}", "number"},
    {"destination.unblocked", "{'prefix':'+44','number':'+33612345678','actor':'m1'}", "number"},
    {"auto_recharge.configured",
     "{'enabled':true,'amount':'25','currency':'USD','threshold':'2.5','daily_limit':3,'actor':'m1'}",
     "threshold daily_limit"},
    {"credit.topped_up",
     "{'topup_id':'t1','amount':'25','currency':'USD','paid':{'amount':'22.5','currency':'EUR'},"
     "'recharge_id':'0:17:2'}",
     "paid recharge_id"},
    {"topup.reversed", "{'topup_id':'t1','reason':'chargeback'}", ""},
    {"recharge.failed", "{'recharge_id':'0:17:2','reason':'card declined'}", ""},
    {"call.started",
     "{'call_id':'c1','direction':'outbound','from':'+33612345678','to':'+442071234567','member_id':'m1'}", ""},
    {"call.ticked", "{'call_id':'c1','duration_ms':6000}", ""},
    {"call.ended", "{'call_id':'c1','duration_ms':6000,'voicemail':true}", "voicemail"},
    {"sms.requested", "{'message_id':'s1','from':'+33612345678','to':'+33712345678'}", ""},
    {"ratedeck.opened",
     "{'deck_id':'d1','currency':'USD','effective_at':'2026-11-24T00:00:00Z',"
     "'origins':[{'origin':'US','country':'US','currency':'USD'},"
     "{'origin':'UK','country':'GB','currency':'GBP'}]}",
     ""},
    {"ratedeck.rates",
     "{'deck_id':'d1','rates':[{'origin':'US','prefix':'+336','destination':'France mobile','status':'open',"
     "'price':'0.021','connect':'0.01','first_s':30,'step_s':6,'kind':'mobile','domestic':true},"
     "{'origin':'UK','prefix':'+44','destination':'United Kingdom','status':'free'}]}",
     ""},
    {"ratedeck.published", "{'deck_id':'d1','rates':2}", ""},
    {"fx.published",
     "{'base':'USD','rates':{'GBP':'0.8','EUR':'0.920000001','USD':'1.0'},'effective_at':'2026-11-24T00:00:00Z'}", ""},
    {"policy.configured",
     "{'tick_ms':1,'horizon_ms':2,'stale_after_ms':3,'retention_ms':0,'max_call_ms':5,'recharge_timeout_ms':6,"
     "'notice_ms':0,'low_credits':{'USD':'1','EUR':'0'},'daily_spend':{'GBP':'9.5'},'max_concurrent_calls':0}",
     "*"},
};

/* 'single' quotes to "double" ones, so that tables can be read. */
static char *json_of(const char *quoted)
{
    char *json = strdup(quoted);

    assert_non_null(json);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    return json;
}

static bool belongs_to_an_account(const char *type)
{
    return strncmp(type, "ratedeck.", 9) != 0 && strncmp(type, "fx.", 3) != 0 && strncmp(type, "policy.", 7) != 0 &&
           strncmp(type, "clock.", 6) != 0;
}

static char line[4096]; /* the texts of the last decoded event borrow from it */

/* Decodes one event of that type around data (in any quotes). */
static bool decode(const char *type, const char *data)
{
    char *json = json_of(data);

    snprintf(line, sizeof(line),
             "{\"specversion\":\"1.0\",\"id\":\"17-a\",\"source\":\"/pbx\",\"type\":\"callfold.%s\","
             "\"time\":\"2026-11-23T08:00:06.000Z\"%s,\"data\":%s}",
             type, belongs_to_an_account(type) ? ",\"subject\":\"acct-17\"" : "", json);
    free(json);
    return event_decode(decoder, text_of(line), &event, &error);
}

static void must_decode(const char *type, const char *data)
{
    if (!decode(type, data))
        fail_msg("%s\n  was rejected: %s: %s", line, reject_reason_name(error.reason), error.detail);
    assert_string_equal(event_type_name(event.type), type);
    assert_true(event.time_ms == 1795420806000);
}

/* With a detail that begins with `detail`. */
static void must_reject(const char *type, const char *data, const char *detail)
{
    if (decode(type, data))
        fail_msg("%s\n  was taken", line);
    assert_int_equal(error.reason, REJECT_INVALID_FIELD);
    if (strncmp(error.detail, detail, strlen(detail)) != 0)
        fail_msg("%s\n  expected %s\n  but got  %s", line, detail, error.detail);
}

static void assert_text(struct text text, const char *expected)
{
    if (!text_equal(text, text_of(expected)))
        fail_msg("expected %s, got %.*s", expected, TEXT_ARGS(text));
}

/* ---- the fields of every type ---- */

static const char *sample_data(const char *type)
{
    for (size_t i = 0; i < COUNT(samples); i++)
        if (strcmp(samples[i].type, type) == 0)
            return samples[i].data;
    fail_msg("no sample of %s", type);
    return NULL;
}

static void decode_sample(const char *type)
{
    must_decode(type, sample_data(type));
    if (belongs_to_an_account(type))
        assert_text(event.subject, "acct-17");
    else
        assert_false(text_present(event.subject));
}

static void test_accounts_members_and_numbers(void **state)
{
    (void)state;
    decode_sample("account.opened");
    assert_int_equal(event.data.account_opened.currency, USD);
    assert_text(event.data.account_opened.owner, "m1");
    decode_sample("member.set");
    assert_text(event.data.member.member_id, "m1");
    assert_int_equal(event.data.member.role, ROLE_MANAGER);
    must_decode("member.set", "{'member_id':'m1','role':'admin'}");
    assert_int_equal(event.data.member.role, ROLE_ADMIN);
    must_decode("member.set", "{'member_id':'m1','role':'member'}");
    assert_int_equal(event.data.member.role, ROLE_MEMBER);
    decode_sample("member.removed");
    assert_text(event.data.member.member_id, "m1");
    decode_sample("number.added");
    assert_text(event.data.number.number, "+33612345678");
    assert_text(event.data.number.origin, "FR-mobile");
    decode_sample("number.removed");
    assert_text(event.data.number.number, "+33612345678");
    for (int i = 0; i < 2; i++) {
        decode_sample(i ? "member.assigned" : "member.unassigned");
        assert_text(event.data.assignment.number, "+33612345678");
        assert_text(event.data.assignment.member_id, "m1");
        decode_sample(i ? "number.international_enabled" : "number.international_disabled");
        assert_text(event.data.toggle.number, "+33612345678");
        assert_text(event.data.toggle.actor, "m1");
        decode_sample(i ? "destination.blocked" : "destination.unblocked");
        assert_text(event.data.block.prefix, "+44");
        assert_text(event.data.block.number, "+33612345678");
        assert_text(event.data.block.actor, "m1");
    }
    must_decode("destination.blocked", "{'prefix':'+44','actor':'m1'}");
    assert_false(text_present(event.data.block.number));
}

static void test_credits(void **state)
{
    (void)state;
    decode_sample("auto_recharge.configured");
    assert_true(event.data.auto_recharge.enabled);
    assert_int_equal(event.data.auto_recharge.amount.micros, 25000000);
    assert_int_equal(event.data.auto_recharge.amount.currency, USD);
    assert_int_equal(event.data.auto_recharge.threshold_micros, 2500000);
    assert_int_equal(event.data.auto_recharge.daily_limit, 3);
    assert_text(event.data.auto_recharge.actor, "m1");
    must_decode("auto_recharge.configured", "{'enabled':false,'amount':'25','currency':'USD','actor':'m1'}");
    assert_false(event.data.auto_recharge.enabled);
    assert_int_equal(event.data.auto_recharge.threshold_micros, 0);
    assert_int_equal(event.data.auto_recharge.daily_limit, 5);

    decode_sample("credit.topped_up");
    assert_text(event.data.topup.topup_id, "t1");
    assert_int_equal(event.data.topup.amount.micros, 25000000);
    assert_int_equal(event.data.topup.amount.currency, USD);
    assert_true(event.data.topup.has_paid);
    assert_int_equal(event.data.topup.paid.micros, 22500000);
    assert_int_equal(event.data.topup.paid.currency, EUR);
    assert_text(event.data.topup.recharge_id, "0:17:2");
    must_decode("credit.topped_up", "{'topup_id':'t1','amount':'25','currency':'USD'}");
    assert_false(event.data.topup.has_paid);
    assert_int_equal(event.data.topup.paid.micros, 25000000);
    assert_int_equal(event.data.topup.paid.currency, USD);
    assert_false(text_present(event.data.topup.recharge_id));

    decode_sample("topup.reversed");
    assert_text(event.data.reversal.topup_id, "t1");
    assert_text(event.data.reversal.reason, "chargeback");
    decode_sample("recharge.failed");
    assert_text(event.data.recharge_failed.recharge_id, "0:17:2");
    assert_text(event.data.recharge_failed.reason, "card declined");
}

static void test_calls_and_messages(void **state)
{
    (void)state;
    decode_sample("call.started");
    assert_text(event.data.call_started.call_id, "c1");
    assert_int_equal(event.data.call_started.direction, DIRECTION_OUTBOUND);
    assert_text(event.data.call_started.from, "+33612345678");
    assert_text(event.data.call_started.to, "+442071234567");
    assert_text(event.data.call_started.member_id, "m1");
    must_decode("call.started", "{'call_id':'c1','direction':'inbound','from':'anonymous','to':''}");
    assert_int_equal(event.data.call_started.direction, DIRECTION_INBOUND);
    assert_text(event.data.call_started.from, "anonymous");
    assert_true(text_present(event.data.call_started.to));
    assert_int_equal(event.data.call_started.to.len, 0);
    assert_false(text_present(event.data.call_started.member_id));
    must_decode("call.started", "{'call_id':'c1','direction':'inbound','from':'','to':'+12','member_id':'m1'}");
    assert_text(event.data.call_started.member_id, "m1");

    decode_sample("call.ticked");
    assert_text(event.data.call_ticked.call_id, "c1");
    assert_int_equal(event.data.call_ticked.duration_ms, 6000);
    must_decode("call.ticked", "{'call_id':'c1','duration_ms':9007199254740991}");
    assert_true(event.data.call_ticked.duration_ms == DURATION_MAX_MS);
    decode_sample("call.ended");
    assert_text(event.data.call_ended.call_id, "c1");
    assert_int_equal(event.data.call_ended.duration_ms, 6000);
    assert_true(event.data.call_ended.voicemail);
    must_decode("call.ended", "{'call_id':'c1','duration_ms':0,'voicemail':false}");
    assert_false(event.data.call_ended.voicemail);
    must_decode("call.ended", "{'call_id':'c1','duration_ms':0}");
    assert_false(event.data.call_ended.voicemail);

    decode_sample("sms.requested");
    assert_text(event.data.sms.message_id, "s1");
    assert_text(event.data.sms.from, "+33612345678");
    assert_text(event.data.sms.to, "+33712345678");
}

static void test_decks(void **state)
{
    (void)state;
    decode_sample("ratedeck.opened");
    assert_text(event.data.deck_opened.deck_id, "d1");
    assert_int_equal(event.data.deck_opened.currency, USD);
    assert_true(event.data.deck_opened.effective_at_ms == 1795478400000);
    assert_int_equal(event.data.deck_opened.origin_count, 2);
    assert_text(event.data.deck_opened.origins[1].origin, "UK");
    assert_text(event.data.deck_opened.origins[1].country, "GB");
    assert_int_equal(event.data.deck_opened.origins[1].currency, GBP);

    decode_sample("ratedeck.rates");
    assert_text(event.data.deck_rates.deck_id, "d1");
    assert_int_equal(event.data.deck_rates.count, 2);
    const struct deck_rate *rate = event.data.deck_rates.rates;
    assert_text(rate->origin, "US");
    assert_text(rate->prefix, "+336");
    assert_text(rate->destination, "France mobile");
    assert_text(rate->kind, "mobile");
    assert_int_equal(rate->status, RATE_OPEN);
    assert_true(rate->domestic);
    assert_int_equal(rate->price_micros, 21000);
    assert_int_equal(rate->connect_micros, 10000);
    assert_int_equal(rate->first_s, 30);
    assert_int_equal(rate->step_s, 6);
    rate++;
    assert_int_equal(rate->status, RATE_FREE);
    assert_false(text_present(rate->kind));
    assert_false(rate->domestic);
    assert_int_equal(rate->price_micros, 0);
    assert_int_equal(rate->connect_micros, 0);
    assert_int_equal(rate->first_s, 1);
    assert_int_equal(rate->step_s, 1);
    must_decode("ratedeck.rates", "{'deck_id':'d1','rates':[{'origin':'US','prefix':'+1900','destination':'premium',"
                                  "'status':'blocked','price':'0'}]}");
    assert_int_equal(event.data.deck_rates.rates[0].status, RATE_BLOCKED);
    must_decode("ratedeck.rates", "{'deck_id':'d1','rates':[]}");
    assert_int_equal(event.data.deck_rates.count, 0);

    decode_sample("ratedeck.published");
    assert_text(event.data.deck_published.deck_id, "d1");
    assert_int_equal(event.data.deck_published.rates, 2);
}

static void test_fx_is_sorted(void **state)
{
    (void)state;
    decode_sample("fx.published");
    assert_int_equal(event.data.fx.base, USD);
    assert_true(event.data.fx.effective_at_ms == 1795478400000);
    assert_int_equal(event.data.fx.count, 3);
    assert_int_equal(event.data.fx.rates[0].currency, EUR);
    assert_int_equal(event.data.fx.rates[0].nanos, 920000001);
    assert_int_equal(event.data.fx.rates[1].currency, GBP);
    assert_int_equal(event.data.fx.rates[1].nanos, 800000000);
    assert_int_equal(event.data.fx.rates[2].currency, USD);
    assert_int_equal(event.data.fx.rates[2].nanos, 1000000000);
}

static void test_policy(void **state)
{
    static const int64_t given[] = {1, 2, 3, 0, 5, 6, 0, 0}; /* of the sample, in the order of POLICY_NUMBERS */

    (void)state;
    decode_sample("policy.configured");
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++) {
        assert_true(event.data.policy.has_number[i]);
        assert_int_equal(event.data.policy.number[i], given[i]);
    }
    assert_true(event.data.policy.has_map[POLICY_LOW_CREDITS]);
    assert_int_equal(event.data.policy.map_count[POLICY_LOW_CREDITS], 2);
    assert_int_equal(event.data.policy.map[POLICY_LOW_CREDITS][0].currency, EUR);
    assert_int_equal(event.data.policy.map[POLICY_LOW_CREDITS][0].micros, 0);
    assert_int_equal(event.data.policy.map[POLICY_LOW_CREDITS][1].currency, USD);
    assert_int_equal(event.data.policy.map[POLICY_LOW_CREDITS][1].micros, 1000000);
    assert_int_equal(event.data.policy.map_count[POLICY_DAILY_SPEND], 1);
    assert_int_equal(event.data.policy.map[POLICY_DAILY_SPEND][0].currency, GBP);
    assert_int_equal(event.data.policy.map[POLICY_DAILY_SPEND][0].micros, 9500000);

    must_decode("policy.configured", "{'daily_spend':{},'notice_ms':86400000}");
    assert_true(event.data.policy.has_map[POLICY_DAILY_SPEND]);
    assert_int_equal(event.data.policy.map_count[POLICY_DAILY_SPEND], 0);
    assert_false(event.data.policy.has_map[POLICY_LOW_CREDITS]);
    for (int i = 0; i < POLICY_NUMBER_COUNT; i++)
        assert_true(event.data.policy.has_number[i] == (i == POLICY_NOTICE_MS));
    assert_int_equal(event.data.policy.number[POLICY_NOTICE_MS], 86400000);
    must_decode("policy.configured", "{'unknown':1}");
}

static void test_what_is_not_looked_at(void **state)
{
    static const char *const anything[] = {"{}", "{'call_id':7}", "[1]", "'x'", "null", "5"};

    (void)state;
    for (size_t i = 0; i < COUNT(anything); i++) {
        must_decode("clock.advanced", anything[i]);
        assert_false(text_present(event.subject));
        must_decode("credit.refunded", anything[i]);
        assert_text(event.subject, "acct-17");
    }
    const char *bare = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/c\",\"type\":\"callfold.clock.advanced\","
                       "\"time\":\"2026-11-23T08:00:06Z\"}";
    assert_true(event_decode(decoder, text_of(bare), &event, &error));
    assert_int_equal(event.type, EVENT_CLOCK_ADVANCED);
}

/* ---- what follows from the samples ---- */

static bool is_optional(const struct sample *sample, const char *member)
{
    return strcmp(sample->optional, "*") == 0 || strstr(sample->optional, member) != NULL;
}

/* Decodes the sample with one member of data changed; value NULL removes it. */
static bool decode_changed(const struct sample *sample, const char *member, json_t *value)
{
    char *json = json_of(sample->data);
    json_t *data = json_loads(json, 0, NULL);

    assert_non_null(data);
    if (value)
        json_object_set_new(data, member, value);
    else
        json_object_del(data, member);
    char *changed = json_dumps(data, JSON_COMPACT);
    bool taken = decode(sample->type, changed);
    free(changed);
    json_decref(data);
    free(json);
    return taken;
}

static void assert_detail_begins(const char *format, const char *member)
{
    char expected[DETAIL_MAX];

    snprintf(expected, sizeof(expected), format, member);
    assert_int_equal(error.reason, REJECT_INVALID_FIELD);
    if (strncmp(error.detail, expected, strlen(expected)) != 0)
        fail_msg("%s\n  expected %s\n  but got  %s", line, expected, error.detail);
}

static void check_members(const struct sample *sample)
{
    char *json = json_of(sample->data);
    json_t *data = json_loads(json, 0, NULL), *value;
    const char *member;

    json_object_foreach (data, member, value) {
        if (decode_changed(sample, member, NULL) != is_optional(sample, member))
            fail_msg("%s: %s is %s", sample->type, member, is_optional(sample, member) ? "optional" : "required");
        if (!is_optional(sample, member))
            assert_detail_begins("data.%s: missing, expected ", member);
        assert_false(decode_changed(sample, member, json_null()));
        assert_detail_begins("data.%s: null, expected ", member);
        assert_false(decode_changed(sample, member, json_real(1.5)));
        assert_detail_begins("data.%s: a number with a fraction or exponent, expected ", member);
    }
    assert_true(decode_changed(sample, "a_member_of_tomorrow", json_pack("[n]")));
    json_decref(data);
    free(json);
}

static void test_members_are_required_or_optional_and_never_null(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(samples); i++)
        check_members(&samples[i]);
}

static void test_every_type_has_a_sample(void **state)
{
    (void)state;
    for (int type = 0; type < EVENT_TYPE_COUNT; type++)
        if (type != EVENT_CLOCK_ADVANCED && type != EVENT_CREDIT_REFUNDED)
            decode_sample(event_type_name((enum event_type)type));
}

static void test_broadcasts_have_no_subject(void **state)
{
    (void)state;
    for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
        const char *name = event_type_name((enum event_type)type);
        assert_true(event_is_broadcast((enum event_type)type) ==
                    (!belongs_to_an_account(name) && type != EVENT_CLOCK_ADVANCED));
        snprintf(line, sizeof(line),
                 "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/c\",\"type\":\"callfold.%s\","
                 "\"time\":\"2026-11-23T08:00:06Z\"%s}",
                 name, belongs_to_an_account(name) ? "" : ",\"subject\":\"acct-17\"");
        assert_false(event_decode(decoder, text_of(line), &event, &error));
        assert_int_equal(error.reason, REJECT_INVALID_FIELD);
        assert_memory_equal(error.detail, "subject: ", 9);
        assert_text(error.subject, belongs_to_an_account(name) ? "" : "acct-17");
    }
}

/* ---- faults of data ---- */

#define ID_65    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TEXT_130 ID_65 ID_65

static void test_faults_of_accounts_and_settings(void **state)
{
    static const struct {
        const char *type, *data, *detail;
    } rows[] = {
        {"account.opened", "{'currency':'usd','owner':'m1'}",
         "data.currency: \"usd\", expected a currency of ISO 4217: three capital letters"},
        {"account.opened", "{'currency':840,'owner':'m1'}", "data.currency: 840, expected"},
        {"account.opened", "{'currency':'USD','owner':''}",
         "data.owner: \"\", expected an id: 1 to 64 characters of A-Z a-z 0-9 . _ : -"},
        {"account.opened", "{'currency':'USD','owner':'" ID_65 "'}",
         "data.owner: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\", expected an id"},
        {"account.opened", "{'owner':'m1'}", "data.currency: missing"}, /* in the order of the contract */
        {"account.opened", "{}", "data.currency: missing"},
        {"member.set", "{'member_id':'m1','role':'owner'}",
         "data.role: \"owner\", expected one of member manager admin"},
        {"member.set", "{'member_id':'m1','role':'Admin'}", "data.role: \"Admin\""},
        {"number.added", "{'number':'33612345678','origin':'FR'}",
         "data.number: \"33612345678\", expected a number in E.164: + and 2 to 15 digits, the first not 0"},
        {"number.added", "{'number':'+033612345678','origin':'FR'}", "data.number: \"+033612345678\""},
        {"number.added", "{'number':'+33612345678','origin':'FR mobile'}", "data.origin: \"FR mobile\""},
        {"destination.blocked", "{'prefix':'44','actor':'m1'}",
         "data.prefix: \"44\", expected a prefix: + and 1 to 15 digits"},
        {"destination.blocked", "{'prefix':'+44','number':'x','actor':'m1'}", "data.number: \"x\""},
        {"auto_recharge.configured", "{'enabled':'yes','amount':'25','currency':'USD','actor':'m1'}",
         "data.enabled: \"yes\", expected true or false"},
        {"auto_recharge.configured", "{'enabled':1,'amount':'25','currency':'USD','actor':'m1'}", "data.enabled: 1"},
        {"auto_recharge.configured", "{'enabled':true,'amount':'0','currency':'USD','actor':'m1'}",
         "data.amount: \"0\", expected a decimal string above zero with at most 6 fraction digits, like \"12.5\""},
        {"auto_recharge.configured", "{'enabled':false,'currency':'USD','actor':'m1'}", "data.amount: missing"},
        {"auto_recharge.configured", "{'enabled':true,'amount':'1','currency':'USD','threshold':'-1','actor':'m1'}",
         "data.threshold: \"-1\", expected a decimal string, zero or more"},
        {"auto_recharge.configured", "{'enabled':true,'amount':'1','currency':'USD','daily_limit':1000001,'actor':'m'}",
         "data.daily_limit: 1000001, expected an integer from 0 to 1000000"},
        {"auto_recharge.configured", "{'enabled':true,'amount':'1','currency':'USD','daily_limit':-1,'actor':'m'}",
         "data.daily_limit: -1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_reject(rows[i].type, rows[i].data, rows[i].detail);
    must_decode("auto_recharge.configured",
                "{'enabled':true,'amount':'1','currency':'USD','daily_limit':1000000,'threshold':'0','actor':'m'}");
}

static void test_faults_of_credits(void **state)
{
    static const struct {
        const char *type, *data, *detail;
    } rows[] = {
        {"credit.topped_up", "{'topup_id':'t','amount':25,'currency':'USD'}", "data.amount: 25, expected a decimal"},
        {"credit.topped_up", "{'topup_id':'t','amount':'-1','currency':'USD'}", "data.amount: \"-1\""},
        {"credit.topped_up", "{'topup_id':'t','amount':'1.0000001','currency':'USD'}", "data.amount: \"1.0000001\""},
        {"credit.topped_up", "{'topup_id':'t','amount':'9223372036854.775808','currency':'USD'}", "data.amount:"},
        {"credit.topped_up", "{'topup_id':'t','amount':'1','currency':'US'}", "data.currency: \"US\""},
        {"credit.topped_up", "{'topup_id':'t','amount':'1','currency':'USD','paid':'1'}",
         "data.paid: \"1\", expected an object"},
        {"credit.topped_up", "{'topup_id':'t','amount':'1','currency':'USD','paid':{'currency':'USD'}}",
         "data.paid.amount: missing"},
        {"credit.topped_up", "{'topup_id':'t','amount':'1','currency':'USD','paid':{'amount':'0','currency':'USD'}}",
         "data.paid.amount: \"0\""},
        {"credit.topped_up", "{'topup_id':'t','amount':'1','currency':'USD','paid':{'amount':'1'}}",
         "data.paid.currency: missing"},
        {"credit.topped_up", "{'topup_id':'t','amount':'1','currency':'USD','recharge_id':'a b'}",
         "data.recharge_id: \"a b\""},
        {"topup.reversed", "{'topup_id':'t','reason':''}", "data.reason: \"\", expected a string of 1 to 128 bytes"},
        {"topup.reversed", "{'topup_id':'t','reason':'" TEXT_130 "'}", "data.reason: \"aaaa"},
        {"recharge.failed", "{'recharge_id':'0:1:2','reason':['x']}", "data.reason: an array, expected"},
        {"recharge.failed", "{'recharge_id':{},'reason':'x'}", "data.recharge_id: an object, expected"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_reject(rows[i].type, rows[i].data, rows[i].detail);
}

static void test_faults_of_calls(void **state)
{
    static const struct {
        const char *type, *data, *detail;
    } rows[] = {
        {"call.started", "{'call_id':'c','direction':'out','from':'+33612345678','to':'112','member_id':'m'}",
         "data.direction: \"out\", expected one of outbound inbound"},
        {"call.started", "{'call_id':'c','direction':'outbound','from':'anonymous','to':'112','member_id':'m'}",
         "data.from: \"anonymous\", expected a number in E.164"},
        {"call.started", "{'call_id':'c','direction':'outbound','from':'+33612345678','to':'112'}",
         "data.member_id: missing"},
        {"call.started", "{'call_id':'c','direction':'outbound','from':'+331','to':'" ID_65 "','member_id':'m'}",
         "data.to: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\", expected a string of at most 64 bytes"},
        {"call.started", "{'call_id':'c','direction':'inbound','from':'" ID_65 "','to':'+331'}", "data.from:"},
        {"call.started", "{'call_id':'c','direction':'inbound','from':'x','to':'+331','member_id':'m 1'}",
         "data.member_id: \"m 1\""},
        {"call.started", "{'call_id':'c','direction':'inbound','from':'x','to':'+331','member_id':null}",
         "data.member_id: null"},
        {"call.ticked", "{'call_id':'c','duration_ms':-1}",
         "data.duration_ms: -1, expected an integer from 0 to 9007199254740991"},
        {"call.ticked", "{'call_id':'c','duration_ms':9007199254740992}", "data.duration_ms: 9007199254740992"},
        {"call.ticked", "{'call_id':'c','duration_ms':6000.0}", "data.duration_ms: a number with a fraction"},
        {"call.ticked", "{'call_id':'c','duration_ms':6e3}", "data.duration_ms: a number with a fraction"},
        {"call.ticked", "{'call_id':'c','duration_ms':'6000'}", "data.duration_ms: \"6000\""},
        {"call.ticked", "{'call_id':'c','duration_ms':true}", "data.duration_ms: true"},
        {"call.ended", "{'call_id':'c','duration_ms':1,'voicemail':0}", "data.voicemail: 0, expected true or false"},
        {"call.ended", "{'call_id':'c','duration_ms':1,'voicemail':'true'}", "data.voicemail: \"true\""},
        {"sms.requested", "{'message_id':'s','from':'+331','to':'12345'}", "data.to: \"12345\", expected a number"},
        {"sms.requested", "{'message_id':'s','from':'me','to':'+331'}", "data.from: \"me\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_reject(rows[i].type, rows[i].data, rows[i].detail);
}

#define RATE(rest) "{'deck_id':'d','rates':[{'origin':'US','prefix':'+1','destination':'x','status':" rest "}]}"

static void test_faults_of_decks(void **state)
{
    static const struct {
        const char *type, *data, *detail;
    } rows[] = {
        {"ratedeck.opened", "{'deck_id':'d','currency':'USD','effective_at':'tomorrow','origins':[]}",
         "data.effective_at: \"tomorrow\", expected an instant of RFC 3339"},
        {"ratedeck.opened", "{'deck_id':'d','currency':'USD','effective_at':'2026-11-24T00:00:00Z','origins':{}}",
         "data.origins: an object, expected an array"},
        {"ratedeck.opened", "{'deck_id':'d','currency':'USD','effective_at':'2026-11-24T00:00:00Z','origins':['US']}",
         "data.origins[0]: \"US\", expected an object"},
        {"ratedeck.opened",
         "{'deck_id':'d','currency':'USD','effective_at':'2026-11-24T00:00:00Z',"
         "'origins':[{'origin':'US','country':'USA','currency':'USD'}]}",
         "data.origins[0].country: \"USA\", expected a country of ISO 3166: two capital letters"},
        {"ratedeck.opened",
         "{'deck_id':'d','currency':'USD','effective_at':'2026-11-24T00:00:00Z',"
         "'origins':[{'origin':'US','country':'US'}]}",
         "data.origins[0].currency: missing"},
        {"ratedeck.opened",
         "{'deck_id':'d','currency':'USD','effective_at':'2026-11-24T00:00:00Z',"
         "'origins':[{'origin':'US','country':'US','currency':'USD'},"
         "{'origin':'UK','country':'GB','currency':'GBP'},"
         "{'origin':'US','country':'US','currency':'EUR'}]}",
         "data.origins: \"US\" twice, expected each origin once"},
        {"ratedeck.rates",
         "{'deck_id':'d','rates':[{'origin':'US','prefix':'+1','destination':'x','status':'free'},7]}",
         "data.rates[1]: 7, expected an object"},
        {"ratedeck.rates", "{'deck_id':'d','rates':[{'origin':'US','prefix':'1'}]}", "data.rates[0].prefix: \"1\""},
        {"ratedeck.rates", "{'deck_id':'d','rates':[{'origin':'US','prefix':'+1','destination':'','status':'free'}]}",
         "data.rates[0].destination: \"\""},
        {"ratedeck.rates", RATE("'closed'"), "data.rates[0].status: \"closed\", expected one of open free blocked"},
        {"ratedeck.rates", RATE("'open'"), "data.rates[0].price: missing"},
        {"ratedeck.rates", RATE("'open','price':'-0.01'"), "data.rates[0].price: \"-0.01\""},
        {"ratedeck.rates", RATE("'free','price':0"), "data.rates[0].price: 0"},
        {"ratedeck.rates", RATE("'free','connect':'x'"), "data.rates[0].connect: \"x\""},
        {"ratedeck.rates", RATE("'free','first_s':0"), "data.rates[0].first_s: 0, expected an integer from 1 to 86400"},
        {"ratedeck.rates", RATE("'free','first_s':86401"), "data.rates[0].first_s: 86401"},
        {"ratedeck.rates", RATE("'free','step_s':0"), "data.rates[0].step_s: 0"},
        {"ratedeck.rates", RATE("'free','step_s':86401"), "data.rates[0].step_s: 86401"},
        {"ratedeck.rates", RATE("'free','kind':''"), "data.rates[0].kind: \"\""},
        {"ratedeck.rates", RATE("'free','kind':null"), "data.rates[0].kind: null"},
        {"ratedeck.rates", RATE("'free','domestic':'no'"), "data.rates[0].domestic: \"no\""},
        {"ratedeck.published", "{'deck_id':'d','rates':-1}", "data.rates: -1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_reject(rows[i].type, rows[i].data, rows[i].detail);
    must_decode("ratedeck.rates", RATE("'open','price':'0','first_s':86400,'step_s':86400"));
}

static void test_faults_of_fx_and_policy(void **state)
{
    static const struct {
        const char *type, *data, *detail;
    } rows[] = {
        {"fx.published", "{'base':'USD','rates':[],'effective_at':'2026-11-24T00:00:00Z'}",
         "data.rates: an array, expected an object"},
        {"fx.published", "{'base':'USD','rates':{'EUR':0.92},'effective_at':'2026-11-24T00:00:00Z'}",
         "data.rates.EUR: a number with a fraction"},
        {"fx.published", "{'base':'USD','rates':{'EUR':'0'},'effective_at':'2026-11-24T00:00:00Z'}",
         "data.rates.EUR: \"0\", expected a decimal string above zero with at most 9 fraction digits"},
        {"fx.published", "{'base':'USD','rates':{'EUR':'0.1234567891'},'effective_at':'2026-11-24T00:00:00Z'}",
         "data.rates.EUR: \"0.1234567891\""},
        {"fx.published", "{'base':'USD','rates':{'euro':'1'},'effective_at':'2026-11-24T00:00:00Z'}",
         "data.rates.euro: \"1\", expected a currency of ISO 4217, three capital letters, as its name"},
        {"fx.published", "{'base':'USD','rates':{'USD':'1.1'},'effective_at':'2026-11-24T00:00:00Z'}",
         "data.rates.USD: \"1.1\", expected \"1\", for it is the base"},
        {"policy.configured", "{'tick_ms':0}", "data.tick_ms: 0, expected an integer from 1 to 9007199254740991"},
        {"policy.configured", "{'horizon_ms':0}", "data.horizon_ms: 0"},
        {"policy.configured", "{'stale_after_ms':0}", "data.stale_after_ms: 0"},
        {"policy.configured", "{'retention_ms':-1}", "data.retention_ms: -1"},
        {"policy.configured", "{'max_call_ms':0}", "data.max_call_ms: 0"},
        {"policy.configured", "{'recharge_timeout_ms':0}", "data.recharge_timeout_ms: 0"},
        {"policy.configured", "{'notice_ms':-1}", "data.notice_ms: -1"},
        {"policy.configured", "{'max_concurrent_calls':2147483648}",
         "data.max_concurrent_calls: 2147483648, expected an integer from 0 to 2147483647"},
        {"policy.configured", "{'low_credits':{'USD':'-1'}}", "data.low_credits.USD: \"-1\""},
        {"policy.configured", "{'low_credits':{'USD':1}}", "data.low_credits.USD: 1"},
        {"policy.configured", "{'low_credits':[]}", "data.low_credits: an array, expected an object"},
        {"policy.configured", "{'daily_spend':{'usd':'1'}}", "data.daily_spend.usd: \"1\", expected a currency"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_reject(rows[i].type, rows[i].data, rows[i].detail);
}

/* ---- the envelope ---- */

#define TICK_DATA "'data':{'call_id':'c1','duration_ms':6000}"
#define TICK_TYPE "'type':'callfold.call.ticked'"
#define TIME_NOW  "'time':'2026-11-23T08:00:06Z'"

static const struct envelope_row {
    const char *record, *subject;
    enum reject_reason reason;
    const char *detail;
} envelope_rows[] = {
    {"{'id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a", REJECT_INVALID_FIELD,
     "specversion: missing, expected \"1.0\""},
    {"{'specversion':'1.1','id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "specversion: \"1.1\", expected \"1.0\""},
    {"{'specversion':1.0,'id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "specversion: a number"},
    {"{'specversion':'1.0','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "id: missing, expected a string that is not empty"},
    {"{'specversion':'1.0','id':'','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "id: \"\""},
    {"{'specversion':'1.0','id':17,'source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "id: 17"},
    {"{'specversion':'1.0','id':'1','source':''," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "source: \"\""},
    {"{'specversion':'1.0','id':'1'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a", REJECT_INVALID_FIELD,
     "source: missing"},
    {"{'specversion':'1.0','id':'1','source':null," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "source: missing"}, /* a null attribute is none */
    {"{'specversion':'1.0','id':'1','source':'/p'," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a", REJECT_INVALID_FIELD,
     "type: missing"},
    {"{'specversion':'1.0','id':'1','source':'/p','type':5," TIME_NOW ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "type: 5"},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE ",'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "time: missing"},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE ",'time':'2026-11-23','subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "time: \"2026-11-23\", expected an instant of RFC 3339 with Z or an offset"},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE ",'time':1795420806,'subject':'a'," TICK_DATA "}", "a",
     REJECT_INVALID_FIELD, "time: 1795420806"},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE "," TIME_NOW "," TICK_DATA "}", "", REJECT_INVALID_FIELD,
     "subject: missing, expected an id"},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a b'," TICK_DATA "}", "",
     REJECT_INVALID_FIELD, "subject: \"a b\""},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'}", "a", REJECT_INVALID_FIELD,
     "data: missing, expected an object"},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a','data':null}", "a",
     REJECT_INVALID_FIELD, "data: missing"},
    {"{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a','data':[]}", "a",
     REJECT_INVALID_FIELD, "data: an array, expected an object"},
    {"{}", "", REJECT_INVALID_FIELD, "specversion: missing"},
    /* the type is asked for before anything else about the envelope */
    {"{'type':'callfold.call.picked','subject':'a'}", "a", REJECT_UNKNOWN_TYPE, "callfold.call.picked"},
    {"{'type':'call.ticked'}", "", REJECT_UNKNOWN_TYPE, "call.ticked"},
    {"{'type':'callfold.call.authorized'}", "", REJECT_UNKNOWN_TYPE, "callfold.call.authorized"},
    {"{'type':'callfold.call.ticked2'}", "", REJECT_UNKNOWN_TYPE, "callfold.call.ticked2"},
    {"{'type':'callfold.'}", "", REJECT_UNKNOWN_TYPE, "callfold."},
    {"{'type':''}", "", REJECT_UNKNOWN_TYPE, "\"\""},
    {"{'type':'Callfold.call.ticked'}", "", REJECT_UNKNOWN_TYPE, "Callfold.call.ticked"},
    {"{'type':'" ID_65 ID_65 "'}", "", REJECT_UNKNOWN_TYPE,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."},
    /* bytes are asked first of all */
    {"{'type':'callfold.call.picked','subject':'a','subject':'a'}", "", REJECT_MALFORMED, "duplicate key"},
};

static void test_faults_of_the_envelope(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(envelope_rows); i++) {
        const struct envelope_row *row = &envelope_rows[i];
        char *record = json_of(row->record);

        if (event_decode(decoder, text_of(record), &event, &error))
            fail_msg("%s\n  was taken", record);
        if (error.reason != row->reason || strncmp(error.detail, row->detail, strlen(row->detail)) != 0)
            fail_msg("%s\n  expected %s: %s\n  but got  %s: %s", record, reject_reason_name(row->reason), row->detail,
                     reject_reason_name(error.reason), error.detail);
        assert_text(error.subject, row->subject);
        assert_true(text_present(error.subject) == (*row->subject != '\0'));
        free(record);
    }
}

static void test_attributes_of_others_are_ignored(void **state)
{
    static const char *const records[] = {
        "{'specversion':'1.0','id':'1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA
        ",'traceparent':'00-ab','datacontenttype':'application/json','n':5,'o':{'p':[null]},'q':null}",
        "{" TICK_DATA ",'subject':'a'," TIME_NOW "," TICK_TYPE ",'source':'/p','id':'1','specversion':'1.0'}",
        " \t\r\n{ 'specversion' :\n'1.0' , 'id' : '1','source':'/p'," TICK_TYPE "," TIME_NOW ",'subject':'a'," TICK_DATA
        "} \r\n\t",
        "{'specversion':'1.0','id':'\\u00e9\\ud83d\\ude00','source':'/p','type':'callfold.call.tick\\u0065d'," TIME_NOW
        ",'subject':'\\u0061','data':{'call_id':'c\\u0031','duration_ms':6000}}",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(records); i++) {
        char *record = json_of(records[i]);
        if (!event_decode(decoder, text_of(record), &event, &error))
            fail_msg("%s\n  was rejected: %s", record, error.detail);
        assert_int_equal(event.type, EVENT_CALL_TICKED);
        assert_text(event.subject, "a");
        assert_text(event.data.call_ticked.call_id, "c1");
        assert_int_equal(event.data.call_ticked.duration_ms, 6000);
        free(record);
    }
}

/* A detail that repeats part of a value never cuts a character in two. */
static void test_details_are_utf8(void **state)
{
    char owner[200];

    (void)state;
    for (size_t before = 34; before < 42; before++) {
        snprintf(owner, sizeof(owner), "{'currency':'USD','owner':'%.*s\xf0\x9f\x98\x80\xf0\x9f\x98\x80'}", (int)before,
                 ID_65);
        must_reject("account.opened", owner, "data.owner: \"a");
        json_t *detail = json_string(error.detail); /* NULL unless it is UTF-8 */
        assert_non_null(detail);
        json_decref(detail);
        assert_non_null(strstr(error.detail, "...\", expected an id"));
    }
}

/* ---- malformed ---- */

#define BYTES(literal)               \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct malformed_row {
    struct text record;
    const char *detail;
} malformed_rows[] = {
    {BYTES(""), "nothing where a JSON object was expected at byte 1"},
    {BYTES("   "), "JSON ends too early at byte 4"},
    {BYTES("{"), "JSON ends too early at byte 2"},
    {BYTES("{\"a\":\"b"), "JSON ends too early at byte 8"},
    {BYTES("[]"), "a JSON array, expected an object at byte 1"},
    {BYTES("\"a\""), "expected a JSON object at byte 1"},
    {BYTES("5"), "expected a JSON object at byte 1"},
    {BYTES("null"), "expected a JSON object at byte 1"},
    {BYTES("{}x"), "bytes behind the JSON object at byte 3"},
    {BYTES("{}{}"), "bytes behind the JSON object at byte 3"},
    {BYTES("{} ,"), "bytes behind the JSON object at byte 4"},
    {BYTES("{\"a\":1,}"), "invalid JSON at byte 8"},
    {BYTES("{a:1}"), "invalid JSON at byte 2"},
    {BYTES("{'a':1}"), "invalid JSON at byte 2"},
    {BYTES("{\"a\":01}"), "invalid JSON at byte 7"},
    {BYTES("{\"a\":+1}"), "invalid JSON at byte 6"},
    {BYTES("{\"a\":.5}"), "invalid JSON at byte 6"},
    {BYTES("{\"a\":NaN}"), "invalid JSON at byte 6"},
    {BYTES("{\"a\":tru}"), "invalid JSON at byte 9"},
    {BYTES("{\"a\":\"\\x\"}"), "invalid escape at byte 7"},
    {BYTES("{\"a\":\"\n\"}"), "control character in a string at byte 7"},
    {BYTES("{\"a\":/**/1}"), "invalid JSON at byte 6"},
    {BYTES("{\"a\":1,\"a\":1}"), "duplicate key"},
    {BYTES("{\"a\":{\"b\":1,\"b\":2}}"), "duplicate key"},
    {BYTES("{\"x\":[{\"b\":1,\"\\u0062\":2}]}"), "duplicate key"},
    {BYTES("{\"a\":9223372036854775808}"), "number too large"},
    {BYTES("{\"a\":-9223372036854775809}"), "number too large"},
    {BYTES("{\"a\":1e999}"), "number too large"},
    {BYTES("{\"a\":\"\\u0000\"}"), "NUL (\\u0000) at byte 7"},
    {BYTES("{\"\\u0000\":1}"), "NUL (\\u0000) at byte 3"},
    {BYTES("{\"a\":\"\0\"}"), "NUL at byte 7"},
    {BYTES("{}\0"), "NUL at byte 3"},
    {BYTES("\0"), "NUL at byte 1"},
    {BYTES("{\"a\":\"\\ud800\"}"), "half a surrogate pair at byte 7"},
    {BYTES("{\"a\":\"\\udc00\"}"), "half a surrogate pair at byte 7"},
    {BYTES("{\"a\":\"\\ud800\\u0041\"}"), "half a surrogate pair at byte 7"},
    {BYTES("\xef\xbb\xbf{}"), "byte order mark, expected a JSON object at byte 1"},
    {BYTES("{\"a\":\"\xff\"}"), "invalid UTF-8 at byte 7"},
    {BYTES("{\"a\":\"\xc0\x80\"}"), "invalid UTF-8 at byte 7"},
    {BYTES("{\"a\":\"\xed\xa0\x80\"}"), "invalid UTF-8 at byte 7"},
    {BYTES("{\"a\":\"\xf4\x90\x80\x80\"}"), "invalid UTF-8 at byte 7"},
    {BYTES("{\"a\":\"\xe2\x82\"}"), "invalid UTF-8 at byte 7"},
    {BYTES("{\"\x80\":1}"), "invalid UTF-8 at byte 3"},
    {BYTES("{\"a\":1,\"a\":1"), "JSON ends too early at byte 13"}, /* before any duplicate key */
    {BYTES("{\"a\":-}"), "invalid JSON at byte 7"},
    {BYTES("{\"a\":1.}"), "invalid JSON at byte 8"},
    {BYTES("{\"a\":1e+}"), "invalid JSON at byte 9"},
    {BYTES("{\"a\":[1 2]}"), "invalid JSON at byte 9"},
    {BYTES("{\"a\":[1,]}"), "invalid JSON at byte 9"},
    {BYTES("{\"a\" 1}"), "invalid JSON at byte 6"},
    {BYTES("{\"a\":1]"), "invalid JSON at byte 7"},
    {BYTES("{\"a\":\"\\u12g4\"}"), "invalid escape at byte 7"},
    {BYTES("{\"a\":\"\\"), "JSON ends too early at byte 8"},
    {BYTES("{\"a\":\"\xf4\x8f\xbf\xbf\xf8\"}"), "invalid UTF-8 at byte 11"},
    {BYTES("\xff\xfe{\0}\0"), "NUL at byte 4"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(malformed_rows); i++) {
        struct text record = malformed_rows[i].record;

        error.subject = TEXT_LIT("of the event before");
        if (event_decode(decoder, record, &event, &error))
            fail_msg("%.*s was taken", TEXT_ARGS(record));
        assert_int_equal(error.reason, REJECT_MALFORMED);
        if (strcmp(error.detail, malformed_rows[i].detail) != 0)
            fail_msg("%.*s\n  expected %s\n  but got  %s", TEXT_ARGS(record), malformed_rows[i].detail, error.detail);
        assert_false(text_present(error.subject));
    }
    assert_false(event_decode(decoder, TEXT_NONE, &event, &error)); /* a tombstone of Kafka */
    assert_int_equal(error.reason, REJECT_MALFORMED);
}

/* A clock.advanced whose data is `levels` containers, its last level holding inner. */
static bool decode_nested(int levels, char open, char close, const char *inner)
{
    int used = snprintf(line, sizeof(line),
                        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/c\","
                        "\"type\":\"callfold.clock.advanced\",\"time\":\"2026-11-23T08:00:06Z\",\"data\":");
    char *at = line + used;

    for (int i = 0; i < levels; i++)
        at = open == '{' && i + 1 < levels ? stpcpy(at, "{\"a\":") : (*at = open, at + 1);
    at = stpcpy(at, inner);
    memset(at, close, (size_t)levels);
    at += levels;
    *at++ = '}';
    return event_decode(decoder, (struct text){line, (size_t)(at - line)}, &event, &error);
}

static void test_32_levels_the_record_included(void **state)
{
    (void)state;
    assert_true(decode_nested(31, '[', ']', ""));
    assert_true(decode_nested(31, '{', '}', ""));
    assert_false(decode_nested(32, '[', ']', ""));
    assert_int_equal(error.reason, REJECT_MALFORMED);
    assert_string_equal(error.detail, "more than 32 levels of JSON at byte 146");
    assert_false(decode_nested(32, '{', '}', ""));
    assert_int_equal(error.reason, REJECT_MALFORMED);
    /* brackets in strings are no levels, whatever comes before them */
    assert_true(decode_nested(31, '[', ']', "\"[[{{\",\"\\\"[\",\"\\\\\""));
    assert_true(decode_nested(30, '[', ']', "[],[],{}"));
    assert_false(decode_nested(31, '[', ']', "\"\\\\\",[]"));
}

/* A tick of exactly size bytes, filled up with white space or in a string. */
static struct text tick_of(size_t size, char *out, char fill)
{
    char head[] = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/p\",\"type\":\"callfold.call.ticked\","
                  "\"time\":\"2026-11-23T08:00:06Z\",\"subject\":\"a\",\"data\":{\"call_id\":\"c\","
                  "\"duration_ms\":1},\"x\":\"";
    size_t used = sizeof(head) - 1;

    memcpy(out, head, used);
    if (fill == ' ')
        out[used++] = '"';
    memset(out + used, fill, size - used);
    memcpy(out + size - 2, fill == ' ' ? " }" : "\"}", 2);
    return (struct text){out, size};
}

static void test_at_most_a_mebibyte(void **state)
{
    char *record = malloc(RECORD_MAX + 1);

    (void)state;
    assert_non_null(record);
    for (int i = 0; i < 2; i++) {
        char fill = i ? ' ' : '.';
        assert_true(event_decode(decoder, tick_of(RECORD_MAX, record, fill), &event, &error));
        assert_true(event_decode_reference(decoder, tick_of(RECORD_MAX, record, fill), &event, &error));
        assert_false(event_decode(decoder, tick_of(RECORD_MAX + 1, record, fill), &event, &error));
        assert_int_equal(error.reason, REJECT_MALFORMED);
        assert_string_equal(error.detail, "1048577 bytes, expected at most 1048576");
    }
    free(record);
}

/* ---- memory ---- */

/* A giant of half a million rates, none of them valid. */
static struct text giant(char *out)
{
    int used = snprintf(out, 300,
                        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/c\",\"type\":\"callfold.ratedeck.rates\","
                        "\"time\":\"2026-11-23T08:00:06Z\",\"data\":{\"deck_id\":\"d\",\"rates\":[0");
    char *at = out + used;

    while (at - out < RECORD_MAX - 10)
        at = stpcpy(at, ",0");
    at = stpcpy(at, "]}}");
    return (struct text){out, (size_t)(at - out)};
}

static void test_a_giant_leaves_no_memory_behind(void **state)
{
    char *record = malloc(RECORD_MAX);

    (void)state;
    assert_non_null(record);
    decode_sample("ratedeck.rates");
    struct mallinfo2 before = mallinfo2();
    assert_false(event_decode(decoder, giant(record), &event, &error));
    assert_string_equal(error.detail, "data.rates[0]: 0, expected an object");
    decode_sample("ratedeck.rates");
    struct mallinfo2 after = mallinfo2();
    assert_true(after.uordblks + after.hblkhd <= before.uordblks + before.hblkhd + RECORD_MAX);
    free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts_members_and_numbers),
        cmocka_unit_test(test_credits),
        cmocka_unit_test(test_calls_and_messages),
        cmocka_unit_test(test_decks),
        cmocka_unit_test(test_fx_is_sorted),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_what_is_not_looked_at),
        cmocka_unit_test(test_every_type_has_a_sample),
        cmocka_unit_test(test_members_are_required_or_optional_and_never_null),
        cmocka_unit_test(test_broadcasts_have_no_subject),
        cmocka_unit_test(test_faults_of_accounts_and_settings),
        cmocka_unit_test(test_faults_of_credits),
        cmocka_unit_test(test_faults_of_calls),
        cmocka_unit_test(test_faults_of_decks),
        cmocka_unit_test(test_faults_of_fx_and_policy),
        cmocka_unit_test(test_faults_of_the_envelope),
        cmocka_unit_test(test_attributes_of_others_are_ignored),
        cmocka_unit_test(test_details_are_utf8),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_32_levels_the_record_included),
        cmocka_unit_test(test_at_most_a_mebibyte),
        cmocka_unit_test(test_a_giant_leaves_no_memory_behind),
    };
    return cmocka_run_group_tests_name("decode", tests, set_up, tear_down);
}
