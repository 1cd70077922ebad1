/* test_scan.c - the scanner against jansson, its reference.
 *
 * Two tables say which forms it takes and which it leaves; then seeded mutants
 * of valid lines, and events put together from good and bad members in any
 * order, are read by both. What must hold is in tests/fuzz/decode_agreement.h;
 * a failure prints the record and the seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/fuzz/decode_agreement.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define SEED           UINT64_C(20261123)
#define MUTANTS        60000
#define BUILT          60000
#define LINE_MAX_BYTES 2048
#define STRING_BYTES   43 /* two steps of 16, one of 8, and three */

static struct agreement agreement;
/* Of the tables: it has seen every line before. */
static struct decoder *decoder;

static int set_up(void **state)
{
    (void)state;
    agreement_open(&agreement);
    decoder = decoder_new();
    return decoder == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    agreement_close(&agreement);
    decoder_free(decoder);
    return 0;
}

/* The copy has the record's very size, so that a sanitizer sees a read behind it. */
static void must_agree(struct text record, uint64_t seed)
{
    char *copy = malloc(record.len + !record.len);

    assert_non_null(copy);
    memcpy(copy, record.at, record.len);
    const char *wrong = disagreement(&agreement, (struct text){copy, record.len});
    if (wrong)
        fail_msg("%s (seed %llu):\n%.*s", wrong, (unsigned long long)seed, TEXT_ARGS(record));
    free(copy);
}

#define HEAD       "{\"specversion\":\"1.0\",\"id\":\"17-a\",\"source\":\"/pbx/par1\","
#define TIME       "\"time\":\"2026-11-23T08:00:06.000Z\","
#define TYPE(call) "\"type\":\"callfold.call." call "\","
#define TICK       HEAD TYPE("ticked") TIME "\"subject\":\"acct-17\","
#define TICK_DATA  "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000}"
#define STARTED    HEAD TYPE("started") TIME "\"subject\":\"acct-17\","

#define BYTES_64             "................................................................"
#define OTHER(type, members) HEAD TIME "\"type\":\"callfold." type "\",\"subject\":\"acct-17\",\"data\":{" members "}}"
#define OTHERS_8             "\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\",\"g\":\"\",\"h\":\"\","

static const char *const plain[] = {
    TICK TICK_DATA "}",
    HEAD TYPE("ended") TIME "\"subject\":\"a\",\"data\":{\"call_id\":\"c1\",\"duration_ms\":0,\"voicemail\":true}}",
    HEAD TYPE("ended") TIME "\"subject\":\"a\",\"data\":{\"voicemail\":false,\"duration_ms\":1,\"call_id\":\"c1\"}}",
    HEAD TYPE("ended") TIME "\"subject\":\"a\"," TICK_DATA "}",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"outbound\",\"from\":\"+33612345678\",\"to\":\"112\","
            "\"member_id\":\"m1\"}}",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\"anonymous\",\"to\":\"\"}}",
    STARTED "\"data\":{\"member_id\":\"m1\",\"to\":\"x\",\"from\":\"\",\"direction\":\"inbound\",\"call_id\":\"c1\"}}",
    "{" TICK_DATA ",\"subject\":\"a\"," TIME TYPE("ticked") "\"source\":\"/p\",\"id\":\"1\",\"specversion\":\"1.0\"}",
    " \t\r\n{ \"specversion\" :\n\"1.0\" , \"id\":\"1\",\"source\":\"/p\"," TIME TYPE(
        "ended") "\"subject\":\"a\",\"data\": { \"call_id\" : \"c1\" , \"duration_ms\" : 9007199254740991 } } \r\n",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\"" BYTES_64 "\",\"to\":\"" BYTES_64
            "\"}}",
    TICK OTHERS_8 TICK_DATA "}",
    TICK "\"traceparent\":\"00-ab-01\",\"x\":\"\",\"y\":\"{}[],:\",\"data\":{\"call_id\":\"c1\",\"leg\":\"b\","
         "\"hops\":3,\"muted\":true,\"held\":false,\"duration_ms\":6000,\"from\":7}}",
    OTHER("sms.requested", "\"message_id\":\"s\",\"from\":\"+331\",\"to\":\"+447\""),
    OTHER("account.opened", "\"currency\":\"USD\",\"owner\":\"o\""),
    OTHER("member.set", "\"member_id\":\"m\",\"role\":\"manager\""),
    OTHER("member.removed", "\"member_id\":\"m\""),
    OTHER("number.added", "\"number\":\"+331\",\"origin\":\"FR-mobile\""),
    OTHER("number.removed", "\"number\":\"+331\",\"origin\":7"),
    OTHER("member.assigned", "\"member_id\":\"m\",\"number\":\"+331\""),
    OTHER("member.unassigned", "\"number\":\"+331\",\"member_id\":\"m\""),
    OTHER("number.international_enabled", "\"number\":\"+331\",\"actor\":\"o\""),
    OTHER("number.international_disabled", "\"actor\":\"o\",\"number\":\"+331\""),
    OTHER("destination.blocked", "\"prefix\":\"+0\",\"actor\":\"o\""),
    OTHER("destination.unblocked", "\"prefix\":\"+447\",\"number\":\"+331\",\"actor\":\"o\""),
    OTHER(
        "auto_recharge.configured",
        "\"enabled\":true,\"amount\":\"10\",\"currency\":\"EUR\",\"threshold\":\"0\",\"daily_limit\":0,\"actor\":\"o\""),
    OTHER("auto_recharge.configured", "\"enabled\":false,\"amount\":\"0.000001\",\"currency\":\"EUR\",\"actor\":\"o\""),
    OTHER("credit.topped_up", "\"topup_id\":\"t\",\"amount\":\"12.5\",\"currency\":\"USD\""),
    OTHER("credit.topped_up", "\"topup_id\":\"t\",\"amount\":\"12.5\",\"currency\":\"USD\",\"recharge_id\":\"0:7:1\""),
    OTHER("topup.reversed", "\"topup_id\":\"t\",\"reason\":\"fraud, they say\""),
    OTHER("recharge.failed", "\"recharge_id\":\"0:7:1\",\"reason\":\"" BYTES_64 BYTES_64 "\""),
};

static const char *const left[] = {
    "{}",
    HEAD TYPE("ticked") TIME TICK_DATA "}",
    TICK "\"data\":{\"call_id\":\"c\\u0031\",\"duration_ms\":6000}}",
    TICK "\"x\":\"\xc3\xa9\"," TICK_DATA "}",
    TICK "\"x\":null," TICK_DATA "}",
    TICK "\"x\":5," TICK_DATA "}",
    TICK "\"x\":\"a\",\"x\":\"b\"," TICK_DATA "}",
    TICK OTHERS_8 "\"i\":\"\"," TICK_DATA "}",
    TICK "\"subject\":\"a\"," TICK_DATA "}",
    TICK TICK_DATA "," TICK_DATA "}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"call_id\":\"c1\"}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"x\":1,\"x\":1}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"x\":[]}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"x\":{}}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"x\":-1}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"x\":1.5}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"x\":1e2}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,\"x\":1234567890123456789}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":06000}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":9007199254740992}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":\"6000\"}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000true}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":true}}",
    TICK "\"data\":{\"call_id\":\"c1\",\"duration_ms\":6000,}}",
    TICK "\"data\":{\"call_id\":\"c 1\",\"duration_ms\":6000}}",
    TICK "\"data\":{\"call_id\":\"\",\"duration_ms\":6000}}",
    TICK "\"data\":{\"duration_ms\":6000}}",
    TICK "\"data\":{\"call_id\":\"c1\"}}",
    TICK "\"data\":{}}",
    TICK "\"data\":\"c1\"}",
    TICK TICK_DATA "}x",
    TICK TICK_DATA "} {}",
    TICK TICK_DATA,
    TICK TICK_DATA ",}",
    TICK "\"x\":\"a\tb\"," TICK_DATA "}",
    TICK "\"x\":\"a\x01\"," TICK_DATA "}",
    HEAD TYPE("ended") TIME "\"subject\":\"a\",\"data\":{\"call_id\":\"c1\",\"duration_ms\":1,\"voicemail\":1}}",
    HEAD TYPE("picked") TIME "\"subject\":\"a\"," TICK_DATA "}",
    HEAD TYPE("ticked") "\"time\":\"2026-11-23\",\"subject\":\"a\"," TICK_DATA "}",
    HEAD TYPE("ticked") TIME "\"subject\":\"a b\"," TICK_DATA "}",
    "{\"specversion\":\"1.1\",\"id\":\"1\",\"source\":\"/p\"," TIME TYPE("ticked") "\"subject\":\"a\"," TICK_DATA "}",
    "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"/p\"," TIME TYPE("ticked") "\"subject\":\"a\"," TICK_DATA "}",
    "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"\"," TIME TYPE("ticked") "\"subject\":\"a\"," TICK_DATA "}",
    STARTED
    "\"data\":{\"call_id\":\"c1\",\"direction\":\"outbound\",\"from\":\"112\",\"to\":\"112\",\"member_id\":\"m\"}}",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"outbound\",\"from\":\"+331\",\"to\":\"112\"}}",
    STARTED
    "\"data\":{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\"x\",\"to\":\"y\",\"member_id\":\"m 1\"}}",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\"x\",\"to\":\"y\",\"member_id\":true}}",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\".\",\"to\":\"" BYTES_64 ".\"}}",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"inbound\",\"from\":\"" BYTES_64 ".\",\"to\":\".\"}}",
    STARTED "\"data\":{\"call_id\":\"c1\",\"direction\":\"both\",\"from\":\"x\",\"to\":\"y\"}}",
    OTHER("account.opened", "\"currency\":\"usd\",\"owner\":\"o\""),
    OTHER("member.set", "\"member_id\":\"m\",\"role\":\"owner\""),
    OTHER("member.set", "\"member_id\":\"m\""),
    OTHER("number.added", "\"number\":\"331\",\"origin\":\"US\""),
    OTHER("destination.blocked", "\"prefix\":\"+\",\"actor\":\"o\""),
    OTHER("destination.blocked", "\"prefix\":\"+1\",\"number\":\"1\",\"actor\":\"o\""),
    OTHER("auto_recharge.configured", "\"enabled\":true,\"amount\":\"0\",\"currency\":\"EUR\",\"actor\":\"o\""),
    OTHER("auto_recharge.configured",
          "\"enabled\":true,\"amount\":\"1\",\"currency\":\"EUR\",\"daily_limit\":1000001,\"actor\":\"o\""),
    OTHER("auto_recharge.configured",
          "\"enabled\":true,\"amount\":\"1\",\"currency\":\"EUR\",\"threshold\":\"-1\",\"actor\":\"o\""),
    OTHER("credit.topped_up", "\"topup_id\":\"t\",\"amount\":12,\"currency\":\"USD\""),
    OTHER("credit.topped_up", "\"topup_id\":\"t\",\"amount\":\"1\",\"currency\":\"USD\",\"paid\":\"1\""),
    OTHER("credit.topped_up", "\"topup_id\":\"t\",\"amount\":\"1\",\"currency\":\"USD\","
                              "\"paid\":{\"amount\":\"1\",\"currency\":\"USD\"}"),
    OTHER("credit.topped_up", "\"topup_id\":\"t\",\"amount\":\"1\",\"currency\":\"USD\",\"recharge_id\":7"),
    OTHER("topup.reversed", "\"topup_id\":\"t\",\"reason\":\"\""),
    OTHER("recharge.failed", "\"recharge_id\":\"r\",\"reason\":\"" BYTES_64 BYTES_64 ".\""),
    OTHER("credit.refunded", "\"topup_id\":\"t\""),
    OTHER("clock.advanced", "\"x\":1"),
    OTHER("policy.configured", "\"tick_ms\":6000"),
};

static void test_plain_forms_are_taken(void **state)
{
    struct event event;

    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        if (!event_scan(decoder, text_of(plain[i]), &event))
            fail_msg("left: %s", plain[i]);
        must_agree(text_of(plain[i]), 0);
    }
}

static void test_all_else_is_left(void **state)
{
    struct event event;

    (void)state;
    for (size_t i = 0; i < COUNT(left); i++) {
        if (event_scan(decoder, text_of(left[i]), &event))
            fail_msg("taken: %s", left[i]);
        must_agree(text_of(left[i]), 0);
    }
    assert_false(event_scan(decoder, TEXT_NONE, &event));
}

/* NULs where a member begins, behind a name that is not remembered: nothing is
 * expected there, and they must not be taken for it, whatever was there before. */
static void test_nuls_are_no_member(void **state)
{
    static const char before[] = "{\"x\":\"y\",\"specversion\": \"1.0\",\"a\":\"b\",\"c\":\"d\",";
    static const char after[] =
        "e\",\"id\":\"1\",\"source\":\"/p\"," TIME TYPE("ticked") "\"subject\":\"a\"," TICK_DATA "}";

    (void)state;
    for (size_t nuls = 0; nuls < 20; nuls++) {
        char record[LINE_MAX_BYTES] = "";
        memcpy(record, before, sizeof(before) - 1);
        memcpy(record + sizeof(before) - 1 + nuls, after, sizeof(after) - 1);
        must_agree((struct text){record, sizeof(before) - 1 + nuls + sizeof(after) - 1}, nuls);
    }
}

/* Every beginning of a line ends the scan somewhere else. */
static void test_every_truncation(void **state)
{
    struct event event;

    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++)
        for (size_t len = 0; len < strlen(plain[i]); len++) {
            char *copy = malloc(len + 1);
            assert_non_null(copy);
            memcpy(copy, plain[i], len);
            bool closed = memchr(" \t\r\n", plain[i][len], 4) != NULL; /* only white space is cut off */
            if (event_scan(decoder, (struct text){copy, len}, &event) && !closed)
                fail_msg("taken: %.*s", (int)len, copy);
            must_agree((struct text){copy, len}, 0);
            free(copy);
        }
}

/* Every byte at every place of a string: the steps of sixteen and eight bytes have no blind spot. */
static void test_every_byte_in_a_string(void **state)
{
    static const char before[] = TICK "\"x\":\"", after[] = "\"," TICK_DATA "}";
    char record[LINE_MAX_BYTES];
    struct event event;

    (void)state;
    for (size_t place = 0; place < STRING_BYTES; place++)
        for (int byte = 0; byte < 256; byte++) {
            char *at = stpcpy(record, before);
            memset(at, '.', STRING_BYTES);
            at[place] = (char)byte;
            stpcpy(at + STRING_BYTES, after);
            struct text text = {record, sizeof(before) - 1 + STRING_BYTES + sizeof(after) - 1};
            bool is_plain = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
            if (event_scan(decoder, text, &event) != is_plain)
                fail_msg("byte %d at place %zu is misjudged", byte, place);
        }
}

/* ---- mutants ---- */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t below(uint64_t *random, size_t limit)
{
    return (size_t)(next_random(random) % limit);
}

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t len;
};

/* Replaces `cut` bytes at `at` by others, as far as there is room. */
static void splice(struct line *line, size_t at, size_t cut, const char *bytes, size_t len)
{
    if (line->len - cut + len > sizeof(line->bytes))
        return;
    memmove(line->bytes + at + len, line->bytes + at + cut, line->len - at - cut);
    memcpy(line->bytes + at, bytes, len);
    line->len += len - cut;
}

/* clang-format off */
static const char *const snippets[] = {
    " ", "\n", "\t", "\"", "\\", ",", ":", "{", "}", "[", "]", "0", "-", ".5", "e1", "9", "null", "true", "false",
    "\\u0061", "\\n", "\\\"", "\x80", "\xc3\xa9", "\x7f", "\x1f", "\"\"", "{}", ",\"x\":\"y\"", ",\"x\":1",
    ",\"call_id\":\"c2\"", ",\"id\":\"2\"", "\"call_id\":\"c2\",",
};
/* clang-format on */

/* The place behind the next comma or colon from at on; the end without one. */
static size_t behind_punctuation(const struct line *line, size_t at)
{
    while (at < line->len && line->bytes[at] != ',' && line->bytes[at] != ':')
        at++;
    return at + (at < line->len);
}

static void mutate(struct line *line, uint64_t *random)
{
    static const char white[] = " \t\r\n";
    char chunk[64], escape[8];
    size_t at = below(random, line->len), rest = line->len - at;
    size_t run = 1 + below(random, rest < sizeof(chunk) ? rest : sizeof(chunk));
    const char *snippet = snippets[below(random, COUNT(snippets))];
    char byte = (char)below(random, 256);

    switch (below(random, 11)) {
    case 0: splice(line, at, 1, &byte, 1); break;
    case 1: splice(line, at, 0, snippet, strlen(snippet)); break;
    case 2: splice(line, at, 1, snippet, strlen(snippet)); break;
    case 3: splice(line, at, run, "", 0); break;
    case 4: line->len = at + 1; break;
    case 5: line->bytes[at] ^= (char)(1 << below(random, 8)); break;
    case 6:
    case 7: splice(line, behind_punctuation(line, at), 0, white + below(random, 4), 1); break;
    case 8: line->bytes[at] = "0123456789abcdefABCDEF._:-"[below(random, 26)]; break;
    case 9:
        splice(line, at, 1, escape,
               (size_t)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)line->bytes[at]));
        break;
    default: /* a run of it once more somewhere else */
        memcpy(chunk, line->bytes + at, run);
        splice(line, below(random, line->len), 0, chunk, run);
    }
}

static void test_mutants(void **state)
{
    uint64_t random = SEED;
    size_t scanned = agreement.scanned, taken = agreement.taken, rejected = agreement.rejected;

    (void)state;
    for (int i = 0; i < MUTANTS; i++) {
        uint64_t seed = random;
        struct line line;
        const char *origin = plain[below(&random, COUNT(plain))];
        line.len = strlen(origin);
        memcpy(line.bytes, origin, line.len);
        for (size_t mutations = below(&random, 3) ? 1 : 2; mutations > 0 && line.len > 0; mutations--)
            mutate(&line, &random);
        must_agree((struct text){line.bytes, line.len}, seed);
    }
    /* Else the test would say nothing. */
    assert_true(agreement.scanned - scanned > MUTANTS / 20);
    assert_true(agreement.taken - taken > agreement.scanned - scanned + MUTANTS / 100);
    assert_true(agreement.rejected - rejected > MUTANTS / 2);
}

/* ---- events put together ---- */

/* The first is good; now and then another is drawn. */
struct choice {
    const char *good, *others[6];
};

static const struct choice data_members[] = {
    {"\"call_id\":\"c1\"",
     {"\"call_id\":\"\"", "\"call_id\":\"c 1\"", "\"call_id\":1", "\"c\\u0061ll_id\":\"c1\"",
      "\"call_id\" : \"c:._-1\""}},
    {"\"duration_ms\":6000",
     {"\"duration_ms\":0", "\"duration_ms\":-0", "\"duration_ms\":00", "\"duration_ms\":6e3", "\"duration_ms\":null"}},
    {"\"direction\":\"outbound\"", {"\"direction\":\"inbound\"", "\"direction\":\"x\"", "\"direction\":1"}},
    {"\"from\":\"+33612345678\"",
     {"\"from\":\"\"", "\"from\":\"x\"", "\"from\":\"+1\"", "\"from\":\"+1234567890123456\"", "\"from\":null"}},
    {"\"to\":\"112\"", {"\"to\":\"\"", "\"to\":\"\\u0031\"", "\"to\":[]", "\"to\":true"}},
    {"\"member_id\":\"m1\"", {"\"member_id\":\"m 1\"", "\"member_id\":null", "\"member_id\":\"\""}},
    {"\"voicemail\":true", {"\"voicemail\":false", "\"voicemail\":0", "\"voicemail\":\"true\"", "\"voicemail\":null"}},
    {"\"actor\":\"o\"", {"\"actor\":\"\"", "\"actor\":null", "\"actor\":1"}},
    {"\"amount\":\"12.5\"",
     {"\"amount\":\"0\"", "\"amount\":12.5", "\"amount\":\"-1\"", "\"amount\":\"1e2\"", "\"amount\":\"0.0000001\"",
      "\"amount\":\"9223372036854.775808\""}},
    {"\"currency\":\"USD\"", {"\"currency\":\"usd\"", "\"currency\":\"US\"", "\"currency\":\"XXQ\"", "\"currency\":7"}},
    {"\"daily_limit\":5",
     {"\"daily_limit\":0", "\"daily_limit\":1000000", "\"daily_limit\":1000001", "\"daily_limit\":-1",
      "\"daily_limit\":\"5\""}},
    {"\"enabled\":true", {"\"enabled\":false", "\"enabled\":1", "\"enabled\":null"}},
    {"\"message_id\":\"s\"", {"\"message_id\":\"\"", "\"message_id\":1"}},
    {"\"number\":\"+331\"", {"\"number\":\"331\"", "\"number\":\"+0\"", "\"number\":null", "\"number\":331"}},
    {"\"origin\":\"US\"", {"\"origin\":\"U S\"", "\"origin\":1"}},
    {"\"owner\":\"o\"", {"\"owner\":\"\"", "\"owner\":true"}},
    {"\"prefix\":\"+33\"", {"\"prefix\":\"33\"", "\"prefix\":\"+\"", "\"prefix\":33"}},
    {"\"reason\":\"fraud\"", {"\"reason\":\"\"", "\"reason\":\"\\u0066\"", "\"reason\":1"}},
    {"\"recharge_id\":\"0:1:0\"", {"\"recharge_id\":\"\"", "\"recharge_id\":null"}},
    {"\"role\":\"admin\"", {"\"role\":\"member\"", "\"role\":\"Admin\"", "\"role\":0"}},
    {"\"threshold\":\"0\"",
     {"\"threshold\":\"-0.1\"", "\"threshold\":\"2.5\"", "\"threshold\":0", "\"threshold\":null"}},
    {"\"topup_id\":\"t\"", {"\"topup_id\":\"\"", "\"topup_id\":5"}},
    {"\"x\":\"y\"",
     {"\"x\":1", "\"x\":{\"y\":[1]}", "\"x\":null", "\"paid\":\"1\"", "\"x\":1.5",
      "\"paid\":{\"amount\":\"1\",\"currency\":\"EUR\"}"}},
};

static const struct choice attributes[] = {
    {"\"specversion\":\"1.0\"", {"\"specversion\":\"1\"", "\"specversion\":null"}},
    {"\"id\":\"1\"", {"\"id\":\"\"", "\"id\":\"\\u00e9\"", "\"id\":1"}},
    {"\"source\":\"/p\"", {"\"source\":\"\"", "\"source\":\"\xc3\xa9\"", "\"source\":null"}},
    {"\"time\":\"2026-11-23T08:00:06Z\"",
     {"\"time\":\"2026-11-23T08:00:60Z\"", "\"time\":\"2016-12-31T23:59:60Z\"", "\"time\":\"2026-02-29T00:00:00Z\"",
      "\"time\":\"2026-11-23t09:00:06.123456789+01:00\""}},
    {"\"subject\":\"a\"", {"\"subject\":\"\"", "\"subject\":null", "\"subject\":\"a b\"", "\"subject\":7"}},
    {"\"x\":\"y\"", {"\"x\":1", "\"x\":null", "\"y\":\"x\"", "\"x\":{}"}},
};

#define X(symbol, word) "\"type\":\"callfold." word "\"",
static const char *const types[] = {EVENT_TYPES(X) "\"type\":\"callfold.call.x\""};
#undef X

/* Joins count members from choices in a random order, each now and then left
 * out, doubled, or drawn from its others; last (if any) is among them. */
static char *write_members(char *out, const struct choice *choices, size_t count, const char *last, uint64_t *random)
{
    const char *members[64];
    size_t chosen = 0;

    for (size_t i = 0; i < count; i++) {
        const char *other = choices[i].others[below(random, COUNT(choices[i].others))];
        size_t times = below(random, 30) == 0 ? below(random, 3) : 1;
        for (; times > 0; times--)
            members[chosen++] = below(random, 16) == 0 && other ? other : choices[i].good;
    }
    if (last)
        members[chosen++] = last;
    *out++ = '{';
    for (; chosen > 0; chosen--) {
        size_t pick = below(random, chosen);
        out = stpcpy(out, members[pick]);
        members[pick] = members[chosen - 1];
        out = stpcpy(out, chosen > 1 ? (below(random, 10) == 0 ? " ,\n" : ",") : "");
    }
    return stpcpy(out, "}");
}

static void test_events_put_together(void **state)
{
    uint64_t random = SEED;
    size_t scanned = agreement.scanned, taken = agreement.taken, rejected = agreement.rejected;

    (void)state;
    for (int i = 0; i < BUILT; i++) {
        uint64_t seed = random;
        char data[LINE_MAX_BYTES], record[LINE_MAX_BYTES];
        struct choice envelope[COUNT(attributes) + 1];
        char *end = stpcpy(data, "\"data\":");

        write_members(end, data_members, COUNT(data_members), NULL, &random);
        memcpy(envelope, attributes, sizeof(attributes));
        envelope[COUNT(attributes)] = (struct choice){data, {"\"data\":null", "\"data\":{}", "\"data\":\"\""}};
        end = write_members(record, envelope, COUNT(envelope), types[below(&random, COUNT(types))], &random);
        must_agree((struct text){record, (size_t)(end - record)}, seed);
    }
    assert_true(agreement.scanned - scanned > BUILT / 20);
    assert_true(agreement.taken - taken > agreement.scanned - scanned + BUILT / 100);
    assert_true(agreement.rejected - rejected > BUILT / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_forms_are_taken),  cmocka_unit_test(test_all_else_is_left),
        cmocka_unit_test(test_nuls_are_no_member),     cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_byte_in_a_string), cmocka_unit_test(test_mutants),
        cmocka_unit_test(test_events_put_together),
    };
    return cmocka_run_group_tests_name("scan", tests, set_up, tear_down);
}
