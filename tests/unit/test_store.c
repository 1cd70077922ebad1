/* test_store.c - the durable state of one partition: what a checkpoint keeps,
 * what it does not, and that size is never the operator's business. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "processor/fold/fold.h"
#include "snapshots/store.h"

struct fixture {
    char dir[64];
    struct store *store;
    struct store_header header;
    struct store_error error;
};

static void reopen(struct fixture *f)
{
    if (f->store != NULL)
        store_close(f->store);
    f->store = store_open(f->dir, 7, STORE_READ_WRITE, &f->header, &f->error);
    assert_non_null(f->store);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    strcpy(f->dir, "/tmp/callfold-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    reopen(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[96];
    store_close(f->store);
    snprintf(command, sizeof command, "rm -r %s", f->dir);
    int result = system(command);
    free(f);
    return result;
}

static void begin(struct fixture *f)
{
    assert_true(store_prepare(f->store, &f->error));
    assert_true(store_begin(f->store, &f->error));
}

static void put(struct fixture *f, const char *key, const char *body)
{
    store_put(f->store, text_of(key), text_of(body));
}

static void commit(struct fixture *f, int64_t next_offset)
{
    f->header.next_offset = next_offset;
    assert_true(store_commit(f->store, &f->header, false, &f->error));
    assert_true(store_renew(f->store, &f->error));
}

static void expect(struct fixture *f, const char *key, const char *body)
{
    struct text found = TEXT_NONE;
    assert_int_equal(store_load(f->store, text_of(key), &found), body != NULL);
    if (body != NULL) {
        assert_int_equal(found.len, strlen(body));
        assert_memory_equal(found.at, body, found.len);
    }
}

static void a_new_store_is_all_zeros(void **state)
{
    struct fixture *f = *state;
    const struct store_header zeros = {0};
    assert_memory_equal(&f->header, &zeros, sizeof zeros);
    expect(f, "Aa", NULL);
}

static void a_checkpoint_puts_replaces_and_removes(void **state)
{
    struct fixture *f = *state;
    begin(f);
    put(f, "Aa", "one");
    put(f, "Ab", "");
    put(f, "Ac", "three");
    commit(f, 3);
    begin(f);
    put(f, "Aa", "uno");
    store_put(f->store, TEXT_LIT("Ac"), TEXT_NONE);
    store_put(f->store, TEXT_LIT("Az"), TEXT_NONE); /* never was there */
    commit(f, 4);
    reopen(f);
    expect(f, "Aa", "uno");
    expect(f, "Ab", "");
    expect(f, "Ac", NULL);
    assert_int_equal(f->header.next_offset, 4);
}

static void the_header_comes_back_whole(void **state)
{
    struct fixture *f = *state;
    struct store_header header = {.fold_version = 3,
                                  .partition = 7,
                                  .partition_count = 12,
                                  .clean = 1,
                                  .next_offset = INT64_MAX,
                                  .entries = 5,
                                  .inputs = 6,
                                  .source_position = 1LL << 40,
                                  .source_lines = -1,
                                  .source_check = UINT64_MAX - 1};
    memset(header.chain, 'c', sizeof header.chain);
    memset(header.digest, 'd', sizeof header.digest);
    begin(f);
    assert_true(store_commit(f->store, &header, true, &f->error));
    reopen(f);
    assert_memory_equal(&f->header, &header, sizeof header);
}

static void what_is_not_committed_never_was(void **state)
{
    struct fixture *f = *state;
    begin(f);
    put(f, "Aa", "one");
    commit(f, 1);
    begin(f);
    put(f, "Aa", "two");
    put(f, "Ab", "two");
    expect(f, "Aa", "one"); /* loads see the last checkpoint */
    store_abort(f->store);
    expect(f, "Aa", "one");
    begin(f);
    put(f, "Ab", "three");
    reopen(f); /* in the middle of a checkpoint */
    expect(f, "Ab", NULL);
    assert_int_equal(f->header.next_offset, 1);
}

struct seen {
    char keys[64];
    size_t limit;
};

static bool note_key(void *context, struct text key, struct text body)
{
    struct seen *seen = context;
    (void)body;
    strncat(seen->keys, key.at, key.len);
    return --seen->limit > 0;
}

static void a_scan_is_ascending_and_within_its_prefix(void **state)
{
    struct fixture *f = *state;
    begin(f);
    put(f, "A1", "x");
    put(f, "A2", "x");
    put(f, "B", "x");
    put(f, "B0", "x");
    put(f, "C", "x");
    commit(f, 1);
    struct seen b = {.limit = 9}, all = {.limit = 9}, two = {.limit = 2}, none = {.limit = 9};
    assert_true(store_scan(f->store, TEXT_LIT("B"), note_key, &b));
    assert_string_equal(b.keys, "BB0");
    assert_true(store_scan(f->store, TEXT_LIT(""), note_key, &all));
    assert_string_equal(all.keys, "A1A2BB0C");
    assert_false(store_scan(f->store, TEXT_LIT(""), note_key, &two));
    assert_string_equal(two.keys, "A1A2");
    assert_true(store_scan(f->store, TEXT_LIT("D"), note_key, &none));
    assert_string_equal(none.keys, "");
}

static void the_digest_is_the_sum_of_the_records(void **state)
{
    struct fixture *f = *state;
    char digest[33] = {0}, expected[33];
    store_digest(f->store, digest);
    assert_string_equal(digest, "00000000000000000000000000000000");
    unsigned __int128 sum = 0;
    const char *records[][2] = {{"Aa", "one"}, {"Ab", "two"}, {"Ac", ""}, {"Ad", "four"}};
    begin(f);
    for (size_t i = 0; i < 4; i++) {
        uint64_t hash[2];
        fold_record_hash(text_of(records[i][0]), text_of(records[i][1]), hash);
        sum += (unsigned __int128)hash[1] << 64 | hash[0];
        put(f, records[i][0], records[i][1]);
    }
    commit(f, 1);
    store_digest(f->store, digest);
    snprintf(expected, sizeof expected, "%016llx%016llx", (unsigned long long)(sum >> 64), (unsigned long long)sum);
    assert_string_equal(digest, expected);
}

/* 160 MiB in one checkpoint do not fit the first map, nor twice that. */
static void a_full_map_grows_and_the_checkpoint_is_put_again(void **state)
{
    enum { RECORDS = 40000, BODY = 4000 };
    struct fixture *f = *state;
    static char body[BODY];
    char key[16];
    size_t rounds = 0;
    f->error.code = EX_OK;
    for (bool stored = false; !stored && f->error.code == EX_OK; rounds++) {
        begin(f);
        for (int i = 0; i < RECORDS; i++) {
            snprintf(key, sizeof key, "A%08d", i);
            store_put(f->store, text_of(key), (struct text){body, BODY});
        }
        stored = store_commit(f->store, &f->header, false, &f->error);
    }
    assert_in_range(rounds, 2, 4);
    assert_true(store_renew(f->store, &f->error));
    struct text found;
    assert_true(store_load(f->store, text_of(key), &found));
    assert_int_equal(found.len, BODY);
    reopen(f);
    assert_true(store_load(f->store, text_of(key), &found));
}

static void fill_beyond_the_limit(struct fixture *f)
{
    static char body[4000];
    char key[16];
    begin(f);
    for (int i = 0; i < 5000; i++) {
        snprintf(key, sizeof key, "A%08d", i);
        store_put(f->store, text_of(key), (struct text){body, sizeof body});
    }
}

/* A limit on the file's size stands in for the end of the disk. */
static void a_full_disk_keeps_the_checkpoint_before(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, small = {1 << 20, RLIM_INFINITY};
    begin(f);
    put(f, "Aa", "one");
    commit(f, 1);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    fill_beyond_the_limit(f);
    f->header.next_offset = 2;
    bool stored = store_commit(f->store, &f->header, false, &f->error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(stored);
    assert_int_equal(f->error.code, EX_IOERR);
    reopen(f);
    assert_int_equal(f->header.next_offset, 1);
    expect(f, "Aa", "one");
    expect(f, "A00000000", NULL);
}

static void a_reader_sees_checkpoints_of_the_writer(void **state)
{
    struct fixture *f = *state;
    begin(f);
    put(f, "Aa", "one");
    commit(f, 1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) { /* LMDB wants one environment a process */
        struct store_header header;
        struct store_error error;
        struct text body;
        struct store *reader = store_open(f->dir, 7, STORE_READ_ONLY, &header, &error);
        bool found = reader != NULL && header.next_offset == 1 && store_load(reader, TEXT_LIT("Aa"), &body);
        _exit(found ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_missing_store_is_not_made_for_a_reader(void **state)
{
    struct fixture *f = *state;
    struct store_header header;
    assert_null(store_open(f->dir, 8, STORE_READ_ONLY, &header, &f->error));
    assert_int_equal(f->error.code, EX_CONFIG);
    assert_non_null(strstr(f->error.message, "partition-8"));
}

static void a_state_directory_has_one_owner(void **state)
{
    struct fixture *f = *state;
    char dir[96], pid[24];
    snprintf(dir, sizeof dir, "%s/deep/er", f->dir);
    int held = state_lock(dir, &f->error);
    assert_true(held >= 0);
    assert_int_equal(state_lock(dir, &f->error), -1);
    assert_int_equal(f->error.code, EX_CONFIG);
    snprintf(pid, sizeof pid, "process %ld;", (long)getpid());
    assert_non_null(strstr(f->error.message, pid));
    close(held);
    int again = state_lock(dir, &f->error);
    assert_true(again >= 0);
    close(again);
}

static void partitions_are_listed_in_order(void **state)
{
    struct fixture *f = *state;
    struct store_header header;
    uint32_t *partitions;
    const uint32_t more[] = {10, 9};
    for (size_t i = 0; i < 2; i++)
        store_close(store_open(f->dir, more[i], STORE_READ_WRITE, &header, &f->error));
    char aside[192];
    snprintf(aside, sizeof aside, "mkdir %s/partition-3.damaged-1 %s/partition-007", f->dir, f->dir);
    assert_int_equal(system(aside), 0);
    assert_int_equal(store_partitions(f->dir, &partitions), 3);
    assert_int_equal(partitions[0], 7);
    assert_int_equal(partitions[1], 9);
    assert_int_equal(partitions[2], 10);
    free(partitions);
    assert_int_equal(store_partitions("/nonexistent", &partitions), 0);
    assert_null(partitions);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_is_all_zeros),
        TEST(a_checkpoint_puts_replaces_and_removes),
        TEST(the_header_comes_back_whole),
        TEST(what_is_not_committed_never_was),
        TEST(a_scan_is_ascending_and_within_its_prefix),
        TEST(the_digest_is_the_sum_of_the_records),
        TEST(a_full_map_grows_and_the_checkpoint_is_put_again),
        TEST(a_full_disk_keeps_the_checkpoint_before),
        TEST(a_reader_sees_checkpoints_of_the_writer),
        TEST(a_missing_store_is_not_made_for_a_reader),
        TEST(a_state_directory_has_one_owner),
        TEST(partitions_are_listed_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
