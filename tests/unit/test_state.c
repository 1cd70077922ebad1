/* test_state.c - the working set between a checkpoint's copies and their arrival in the store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "processor/fold/state.h"

/* A store of one record, and what a checkpoint is to bring it. */
struct fixture {
    struct state *state;
    struct key key;
    char stored;   /* the record's body; '\0': it is not there */
    char taken[2]; /* bodies of a checkpoint's copies, '-': it is removed */
    size_t taken_count;
};

static bool load(void *context, struct text key, struct text *body)
{
    struct fixture *f = context;
    *body = (struct text){&f->stored, 1};
    return f->stored != '\0' && text_equal(key, (struct text){f->key.bytes, f->key.len});
}

static void take_one(void *context, struct text key, struct text body)
{
    struct fixture *f = context;
    assert_true(text_equal(key, (struct text){f->key.bytes, f->key.len}));
    assert_true(f->taken_count < sizeof f->taken);
    f->taken[f->taken_count++] = text_present(body) ? body.at[0] : '-';
}

static void take(struct fixture *f)
{
    f->taken_count = 0;
    state_dirty(f->state, take_one, f);
}

static void expect_taken(struct fixture *f, const char *bodies)
{
    take(f);
    assert_int_equal(f->taken_count, strlen(bodies));
    assert_memory_equal(f->taken, bodies, f->taken_count);
}

static void create(struct fixture *f, char body)
{
    struct record *record = state_create(f->state, &f->key, 1);
    *(char *)record_body(record) = body;
}

static void expect_found(struct fixture *f, char body)
{
    struct record *record = state_find(f->state, &f->key);
    assert_int_equal(record != NULL, body != '\0');
    if (record != NULL)
        assert_int_equal(*(char *)record_body(record), body);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    const struct fold_loader loader = {load, f};
    f->state = state_new(&loader);
    f->key = key_of(RECORD_ACCOUNT, TEXT_LIT("ann"));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    state_free(f->state);
    free(f);
    return 0;
}

static void what_was_removed_is_not_loaded_from_a_store_that_has_it_still(void **state)
{
    struct fixture *f = *state;
    f->stored = 'a';
    state_remove(f->state, state_find(f->state, &f->key));
    expect_taken(f, "-");
    expect_found(f, '\0');
    f->stored = '\0';
    state_clean(f->state);
    expect_found(f, '\0');
    assert_int_equal(state_count(f->state), 0);
}

static void what_was_made_anew_meanwhile_is_the_next_checkpoints(void **state)
{
    struct fixture *f = *state;
    f->stored = 'a';
    state_remove(f->state, state_find(f->state, &f->key));
    take(f);
    create(f, 'b');
    f->stored = '\0';
    state_clean(f->state);
    expect_found(f, 'b');
    expect_taken(f, "b");
    f->stored = 'b';
    state_clean(f->state);
    state_evict(f->state, 0);
    assert_int_equal(state_count(f->state), 0);
    expect_found(f, 'b');
}

static void what_changed_meanwhile_is_kept_and_the_next_checkpoints(void **state)
{
    struct fixture *f = *state;
    create(f, 'a');
    expect_taken(f, "a");
    struct record *record = state_find(f->state, &f->key);
    *(char *)record_body(record) = 'b';
    state_changed(f->state, record);
    f->stored = 'a';
    state_clean(f->state);
    state_evict(f->state, 0);
    expect_found(f, 'b');
    expect_taken(f, "b");
    state_clean(f->state);
    expect_taken(f, "");
}

/* A state that goes with a checkpoint under way: nothing is freed twice or never. */
static void a_checkpoint_may_be_left_unfinished(void **state)
{
    struct fixture *f = *state;
    f->stored = 'a';
    state_remove(f->state, state_find(f->state, &f->key));
    take(f);
    create(f, 'b');
    state_remove(f->state, state_find(f->state, &f->key));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_removed_is_not_loaded_from_a_store_that_has_it_still),
        TEST(what_was_made_anew_meanwhile_is_the_next_checkpoints),
        TEST(what_changed_meanwhile_is_kept_and_the_next_checkpoints),
        TEST(a_checkpoint_may_be_left_unfinished),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
