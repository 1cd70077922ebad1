/* diff_states.c - two states, record by record; see diff.h. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "replay-tool/diff.h"
#include "replay-tool/record_fields.h"
#include "snapshots/snapshot.h"
#include "terminal/message.h"

/* Where they are. */

static bool has_file(const char *path, const char *name)
{
    char file[PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/%s", path, name);
    return access(file, R_OK) == 0;
}

/* A meter may be writing to a state; a snapshot is evidence, beside which nothing is written. */
static struct store *open_store(const char *path, struct store_header *header, struct store_error *error)
{
    return store_open_at(path, has_file(path, MANIFEST_FILE) ? STORE_READ_COPY : STORE_READ_ONLY, header, error);
}

static void add_store(struct diff_stores *stores, uint32_t partition, const char *path)
{
    struct diff_store *grown = realloc(stores->items, (stores->count + 1) * sizeof *grown);
    if (grown == NULL)
        abort();
    stores->items = grown;
    grown[stores->count++] = (struct diff_store){partition, strdup(path)};
}

static void add_partition(struct diff_stores *stores, const char *dir, uint32_t partition)
{
    char path[PATH_MAX], newest[PATH_MAX + SNAPSHOT_NAME_SIZE];
    struct snapshot_name *names;
    store_path(path, dir, partition);
    if (has_file(path, STORE_FILE)) {
        add_store(stores, partition, path);
        return;
    }
    size_t count = snapshot_names(dir, partition, &names);
    if (count > 0) {
        snprintf(newest, sizeof newest, "%s/%s", path, names[count - 1].text);
        add_store(stores, partition, newest);
    }
    free(names);
}

void diff_stores_find(const char *dir, struct diff_stores *stores)
{
    uint32_t *partitions;
    *stores = (struct diff_stores){0};
    if (has_file(dir, STORE_FILE)) {
        struct store_header header;
        struct store_error error;
        struct store *store = open_store(dir, &header, &error);
        add_store(stores, store != NULL ? header.partition : 0, dir);
        if (store != NULL)
            store_close(store);
        return;
    }
    size_t count = store_partitions(dir, &partitions);
    for (size_t i = 0; i < count; i++)
        add_partition(stores, dir, partitions[i]);
    free(partitions);
}

void diff_stores_free(struct diff_stores *stores)
{
    for (size_t i = 0; i < stores->count; i++)
        free(stores->items[i].path);
    free(stores->items);
}

/* Two stores of one partition. */

struct pair {
    struct diff *diff;
    uint32_t partition;
    struct store *a, *b;
    enum diff_change change; /* of a record that only the scanned one has */
    struct text key;         /* of the record that is compared */
};

static void show_record(struct pair *pair, enum diff_change change, struct text key, struct text field, struct text a,
                        struct text b)
{
    struct buffer shown = {0};
    const char *kind = key.len > 0 ? record_kind_name(key.at[0]) : NULL;
    record_key_show(&shown, key);
    diff_row(pair->diff, pair->partition, change, kind != NULL ? kind : "unknown",
             (struct text){shown.at != NULL ? shown.at : "", shown.len}, field, a, b);
    buffer_free(&shown);
}

static void show_field(void *context, struct text field, struct text a, struct text b)
{
    struct pair *pair = context;
    show_record(pair, DIFF_CHANGED, pair->key, field, a, b);
}

static bool compare_record(void *context, struct text key, struct text body)
{
    struct pair *pair = context;
    struct text other;
    if (!store_load(pair->b, key, &other)) {
        show_record(pair, DIFF_REMOVED, key, TEXT_NONE, TEXT_NONE, TEXT_NONE);
    } else if (!text_equal(body, other)) {
        pair->key = key;
        if (record_compare(key.at[0], body, other, show_field, pair) == 0)
            show_record(pair, DIFF_CHANGED, key, TEXT_NONE, TEXT_NONE, TEXT_NONE);
    }
    return true;
}

static bool look_for_record(void *context, struct text key, struct text body)
{
    struct pair *pair = context;
    struct text other;
    (void)body;
    if (!store_load(pair->a, key, &other))
        show_record(pair, DIFF_ADDED, key, TEXT_NONE, TEXT_NONE, TEXT_NONE);
    return true;
}

static int compare_stores(struct diff *diff, const struct diff_store *a, const struct diff_store *b)
{
    struct store_error error = {0};
    struct store_header header;
    struct pair pair = {.diff = diff, .partition = a->partition, .a = open_store(a->path, &header, &error)};
    if (pair.a != NULL)
        pair.b = open_store(b->path, &header, &error);
    bool done = pair.b != NULL;
    if (done) {
        store_scan(pair.a, TEXT_LIT(""), compare_record, &pair);
        store_scan(pair.b, TEXT_LIT(""), look_for_record, &pair);
        done = store_is_sound(pair.a, &error) && store_is_sound(pair.b, &error);
    }
    if (pair.b != NULL)
        store_close(pair.b);
    if (pair.a != NULL)
        store_close(pair.a);
    return done ? EX_OK : message_fail(error.code, "%s", error.message);
}

static void show_partition(struct diff *diff, const struct diff_store *store, enum diff_change change)
{
    diff_row(diff, store->partition, change, "partition", TEXT_LIT(""), TEXT_NONE, TEXT_NONE, TEXT_NONE);
}

int diff_states(struct diff *diff, const struct diff_stores *a, const struct diff_stores *b)
{
    int exit_code = EX_OK;
    size_t i = 0, j = 0;
    while (exit_code == EX_OK && (i < a->count || j < b->count)) {
        const struct diff_store *left = &a->items[i], *right = &b->items[j];
        if (j == b->count || (i < a->count && left->partition < right->partition)) {
            show_partition(diff, left, DIFF_REMOVED);
            i++;
        } else if (i == a->count || right->partition < left->partition) {
            show_partition(diff, right, DIFF_ADDED);
            j++;
        } else {
            exit_code = compare_stores(diff, left, right);
            i++;
            j++;
        }
    }
    return exit_code;
}
