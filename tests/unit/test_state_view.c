/* Which bodies are whole records, and what a reader makes of a store that holds
 * others: it says so once, passes them over, and ends with EX_DATAERR. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "processor/state_view.h"
#include "terminal/message.h"

/* A body of so many bytes at an aligned address of its own, so that a sanitizer
 * sees whoever reads beyond it; all zeros. */
static void *body_new(size_t size)
{
    void *body = calloc(1, size > 0 ? size : 1);
    assert_non_null(body);
    return body;
}

static bool is_whole(enum record_kind kind, const void *from, size_t size)
{
    char *body = body_new(size);
    memcpy(body, from, size);
    bool whole = record_is_whole(kind, (struct text){body, size});
    free(body);
    return whole;
}

/* The body is whole, and it is not with a byte less or more. */
static void assert_exact(enum record_kind kind, const void *body, size_t size)
{
    char *longer = body_new(size + 1);
    memcpy(longer, body, size);
    assert_true(is_whole(kind, body, size));
    assert_true(!is_whole(kind, body, size - 1));
    assert_true(!is_whole(kind, longer, size + 1));
    assert_true(!is_whole(kind, body, 0));
    free(longer);
}

static void test_fixed_sizes(void **state)
{
    (void)state;
    static const struct {
        enum record_kind kind;
        size_t size;
    } rows[] = {
        {RECORD_PARTITION, sizeof(struct partition_record)},   {RECORD_RECHARGE, sizeof(struct recharge_record)},
        {RECORD_ACCOUNT, sizeof(struct account_record)},       {RECORD_MEMBER, sizeof(struct member_record)},
        {RECORD_NUMBER, sizeof(struct number_record)},         {RECORD_BLOCK, sizeof(struct block_record)},
        {RECORD_ASSIGNMENT, sizeof(struct assignment_record)}, {RECORD_TOPUP, sizeof(struct topup_record)},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *body = body_new(rows[i].size);
        assert_exact(rows[i].kind, body, rows[i].size);
        free(body);
    }
    assert_true(!is_whole((enum record_kind)'Z', "", 0));
}

static void test_counts(void **state)
{
    (void)state;
    struct policy_record *policy = body_new(sizeof *policy + 3 * sizeof policy->maps[0]);
    policy->map_count[0] = 1;
    policy->map_count[1] = 2;
    assert_exact(RECORD_POLICY, policy, sizeof *policy + 3 * sizeof policy->maps[0]);
    policy->map_count[1] = UINT32_MAX;
    assert_true(!is_whole(RECORD_POLICY, policy, sizeof *policy + 3 * sizeof policy->maps[0]));
    free(policy);

    struct fx_record *table = body_new(fx_record_size(2));
    table->count = 2;
    assert_exact(RECORD_FX, table, fx_record_size(2));
    free(table);

    struct deck_record *deck = body_new(sizeof *deck + 2 * sizeof deck->origins[0]);
    size_t size = sizeof *deck + 2 * sizeof deck->origins[0];
    deck->origin_count = 2;
    assert_exact(RECORD_DECK, deck, size);
    deck->id_len = ID_MAX + 1;
    assert_true(!is_whole(RECORD_DECK, deck, size));
    deck->id_len = ID_MAX;
    deck->origins[1].name_len = ID_MAX + 1;
    assert_true(!is_whole(RECORD_DECK, deck, size));
    free(deck);
}

static void test_strings_and_words(void **state)
{
    (void)state;
    struct rate_record *rate = body_new(sizeof *rate + 5);
    rate->destination_len = 3;
    rate->kind_len = 2;
    assert_exact(RECORD_RATE, rate, sizeof *rate + 5);
    rate->status = RATE_STATUS_COUNT;
    assert_true(!is_whole(RECORD_RATE, rate, sizeof *rate + 5));
    free(rate);

    struct number_record number = {.origin_len = ID_MAX + 1};
    assert_true(!is_whole(RECORD_NUMBER, &number, sizeof number));
    struct member_record member = {.role = ROLE_COUNT};
    assert_true(!is_whole(RECORD_MEMBER, &member, sizeof member));

    struct expiry_record *expiry = body_new(sizeof *expiry + 1);
    assert_true(is_whole(RECORD_EXPIRY, expiry, sizeof *expiry + 1));
    assert_true(!is_whole(RECORD_EXPIRY, expiry, sizeof *expiry));
    free(expiry);
}

static void test_calls(void **state)
{
    (void)state;
    size_t size = sizeof(struct call_record) + 6;
    struct closed_call_record *closed = body_new(sizeof *closed + size);
    struct call_record *call = (void *)closed->call;
    call->from_len = call->to_len = call->member_len = call->destination_len = call->prefix_len = call->deck_len = 1;
    assert_exact(RECORD_LIVE_CALL, call, size);
    assert_true(!is_whole(RECORD_CLOSED_CALL, closed, sizeof *closed + size)); /* denied: with a call behind it */
    assert_exact(RECORD_CLOSED_CALL, closed, sizeof *closed);
    closed->closing = CLOSED_STALE;
    assert_exact(RECORD_CLOSED_CALL, closed, sizeof *closed + size);
    closed->closing = CLOSED_STALE + 1;
    assert_true(!is_whole(RECORD_CLOSED_CALL, closed, sizeof *closed + size));
    for (int field = 0; field < 3; field++) {
        call->charging = field == 0 ? CHARGING_INBOUND + 1 : 0;
        call->direction = field == 1 ? DIRECTION_COUNT : 0;
        call->limit_reason = field == 2 ? CUTOFF_REASON_COUNT : 0;
        assert_true(!is_whole(RECORD_LIVE_CALL, call, size));
    }
    free(closed);
}

/* --- a damaged store, read --- */

static char dir[64];

static void put(struct store *store, const struct key *key, const void *body, size_t size)
{
    store_put(store, (struct text){key->bytes, key->len}, (struct text){body, size});
}

/* Members ann (whole), bob (cut short) and eve (of no known role). */
static int damaged_store_new(void **state)
{
    (void)state;
    struct store_error error;
    struct store_header header;
    struct member_record whole = {.present = 1}, foreign = {.role = 77};
    struct key ann = key_of2(RECORD_MEMBER, TEXT_LIT("acct-1"), TEXT_LIT("ann"));
    struct key bob = key_of2(RECORD_MEMBER, TEXT_LIT("acct-1"), TEXT_LIT("bob"));
    struct key eve = key_of2(RECORD_MEMBER, TEXT_LIT("acct-1"), TEXT_LIT("eve"));
    strcpy(dir, "/tmp/callfold-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    int lock = state_lock(dir, &error);
    struct store *store = store_open(dir, 0, STORE_READ_WRITE, &header, &error);
    assert_non_null(store);
    assert_true(store_begin(store, &error));
    put(store, &ann, &whole, sizeof whole);
    put(store, &bob, &whole, sizeof whole - 8);
    put(store, &eve, &foreign, sizeof foreign);
    header.fold_version = FOLD_VERSION;
    assert_true(store_commit(store, &header, false, &error));
    store_close(store);
    close(lock);
    return 0;
}

static int damaged_store_free(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

/* What read_state returns, and what it writes to stderr, as a string. */
static int caught(int (*read_state)(void), char *text, size_t size)
{
    char path[96];
    snprintf(path, sizeof path, "%s/said", dir);
    int saved = dup(STDERR_FILENO), file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(saved >= 0 && file >= 0);
    dup2(file, STDERR_FILENO);
    int code = read_state();
    dup2(saved, STDERR_FILENO);
    ssize_t len = pread(file, text, size - 1, 0);
    assert_true(len >= 0);
    text[len] = '\0';
    close(file);
    close(saved);
    return code;
}

static int list_members(void)
{
    struct state_view view;
    assert_int_equal(state_view_open(&view, dir, 0), EX_OK);
    struct key key = keys_of_account(RECORD_MEMBER, TEXT_LIT("acct-1"));
    struct stored_list list = state_view_list(&view, &key);
    assert_int_equal(list.count, 1);
    assert_true(text_equal(record_key_part(list.items[0].key, 1), TEXT_LIT("ann")));
    stored_free(&list);
    return state_view_close(&view);
}

static int load_bob(void)
{
    struct state_view view;
    struct member_record member;
    assert_int_equal(state_view_open(&view, dir, 0), EX_OK);
    struct key key = key_of2(RECORD_MEMBER, TEXT_LIT("acct-1"), TEXT_LIT("bob"));
    assert_true(!state_view_load(&view, &key, &member, sizeof member));
    return state_view_close(&view);
}

static int load_ann(void)
{
    struct state_view view;
    struct member_record member;
    assert_int_equal(state_view_open(&view, dir, 0), EX_OK);
    struct key key = key_of2(RECORD_MEMBER, TEXT_LIT("acct-1"), TEXT_LIT("ann"));
    assert_true(state_view_load(&view, &key, &member, sizeof member));
    assert_int_equal(member.present, 1);
    return state_view_close(&view);
}

static void test_damage_is_said_once(void **state)
{
    (void)state;
    char said[1024];
    assert_int_equal(caught(list_members, said, sizeof said), EX_DATAERR);
    assert_non_null(strstr(said, "partition 0: record 'M acct-1 bob' is damaged"));
    assert_null(strstr(said, "eve")); /* goes without saying */
    assert_int_equal(caught(load_bob, said, sizeof said), EX_DATAERR);
    assert_non_null(strstr(said, "'M acct-1 bob'"));
    assert_int_equal(caught(load_ann, said, sizeof said), EX_OK);
    assert_string_equal(said, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_sizes),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_strings_and_words),
        cmocka_unit_test(test_calls),
        cmocka_unit_test_setup_teardown(test_damage_is_said_once, damaged_store_new, damaged_store_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
