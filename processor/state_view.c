/* state_view.c - see state_view.h. */
#include "processor/state_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "terminal/message.h"

int state_view_open(struct state_view *view, const char *dir, uint32_t partition)
{
    struct store_error error;
    struct key key;
    *view = (struct state_view){.partition = {.time_ms = TIME_NEVER}, .dir = dir};
    view->store = store_open(dir, partition, STORE_READ_ONLY, &view->header, &error);
    if (view->store == NULL)
        return message_fail(error.code, "%s", error.message);
    if (view->header.fold_version != FOLD_VERSION && view->header.fold_version != 0) {
        uint32_t version = view->header.fold_version;
        state_view_close(view);
        return message_fail(EX_CONFIG,
                            "%s: partition %" PRIu32 " was folded by version %" PRIu32
                            " of the rules, this program reads version %d: use the callfold that wrote it",
                            dir, partition, version, FOLD_VERSION);
    }
    key_begin(&key, RECORD_PARTITION);
    state_view_load(view, &key, &view->partition, sizeof view->partition);
    return EX_OK;
}

int state_view_close(struct state_view *view)
{
    struct store_error error;
    bool is_damaged = view->is_damaged;
    if (!store_is_sound(view->store, &error)) {
        message_error("%s", error.message);
        is_damaged = true;
    }
    store_close(view->store);
    view->store = NULL;
    return is_damaged ? EX_DATAERR : EX_OK;
}

int state_view_partitions(const char *dir, uint32_t **partitions, size_t *count)
{
    *count = store_partitions(dir, partitions);
    if (*count > 0)
        return EX_OK;
    free(*partitions);
    *partitions = NULL;
    return message_fail(EX_CONFIG, "%s holds no state: name the directory that `callfold run --state` was given", dir);
}

int state_view_open_account(struct state_view *view, const char *dir, struct text account,
                            struct account_record *record)
{
    uint32_t *partitions;
    size_t count;
    int code = state_view_partitions(dir, &partitions, &count);
    if (code != EX_OK)
        return code;
    struct key key = key_of(RECORD_ACCOUNT, account);
    bool is_found = false;
    for (size_t i = 0; i < count && code == EX_OK && !is_found; i++) {
        code = state_view_open(view, dir, partitions[i]);
        is_found = code == EX_OK && state_view_load(view, &key, record, sizeof *record);
        if (code == EX_OK && !is_found)
            code = state_view_close(view);
    }
    free(partitions);
    if (code == EX_OK && !is_found)
        code = message_fail(EX_DATAERR, "account %.*s is unknown to %s as of its last checkpoint", TEXT_ARGS(account),
                            dir);
    return code;
}

static struct text key_text(const struct key *key)
{
    return (struct text){key->bytes, key->len};
}

/* ---- records ---- */

/* A key as people can read it: the kind, then the parts; bytes that do not
 * print as \xNN. */
static void key_show(struct text key, char *out, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < key.len && len + 5 < size; i++) {
        unsigned char byte = (unsigned char)key.at[i];
        bool prints = byte > ' ' && byte < 0x7f;
        len += (size_t)snprintf(out + len, size - len, prints ? "%c" : byte == 0 ? " " : "\\x%02x", byte);
        if (i == 0 && len + 5 < size)
            len += (size_t)snprintf(out + len, size - len, " ");
    }
}

bool state_view_trusts(struct state_view *view, struct text key, struct text body)
{
    bool is_whole = key.len > 0 && key.len <= RECORD_KEY_MAX && record_is_whole((enum record_kind)key.at[0], body);
    if (is_whole || view->is_damaged)
        return is_whole;
    char shown[RECORD_KEY_MAX] = "";
    key_show(key, shown, sizeof shown);
    view->is_damaged = true;
    message_error("%s: partition %" PRIu32
                  ": record '%s' is damaged (its %zu bytes are none that callfold wrote): stop "
                  "the processor and move that partition's directory away: it is folded anew from the log",
                  view->dir, view->header.partition, shown, body.len);
    return false;
}

bool state_view_load(struct state_view *view, const struct key *key, void *body, size_t size)
{
    struct text stored;
    if (!store_load(view->store, key_text(key), &stored))
        return false;
    memcpy(body, stored.at, stored.len < size ? stored.len : size);
    return state_view_trusts(view, key_text(key), (struct text){body, stored.len});
}

struct gathering {
    struct state_view *view;
    struct stored_list list;
};

static bool gather(void *context, struct text key, struct text body)
{
    struct gathering *gathering = context;
    struct stored_list *list = &gathering->list;
    char *copy = must_alloc(malloc(body.len + key.len + 1));
    memcpy(copy, body.at, body.len);
    memcpy(copy + body.len, key.at, key.len);
    if (!state_view_trusts(gathering->view, key, (struct text){copy, body.len})) {
        free(copy);
        return true;
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        list->items = must_alloc(realloc(list->items, list->capacity * sizeof *list->items));
    }
    list->items[list->count++] = (struct stored){.key = {copy + body.len, key.len}, .body = copy, .len = body.len};
    return true;
}

struct stored_list state_view_list(struct state_view *view, const struct key *beginning)
{
    struct gathering gathering = {.view = view};
    store_scan(view->store, key_text(beginning), gather, &gathering);
    return gathering.list;
}

void stored_free(struct stored_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].body);
    free(list->items);
    *list = (struct stored_list){0};
}

/* Ends with the NUL that stands between the parts of a key. */
static void end_part(struct key *key)
{
    key->bytes[key->len++] = '\0';
}

struct key keys_of_account(enum record_kind kind, struct text account)
{
    struct key key = key_of(kind, account);
    end_part(&key);
    return key;
}

struct key keys_of_number(enum record_kind kind, struct text account, struct text number)
{
    struct key key = key_of2(kind, account, number);
    end_part(&key);
    return key;
}

/* ---- what is in force ---- */

const struct deck_record *state_deck_in_force(const struct stored_list *decks, struct text origin, int64_t at_ms,
                                              uint16_t *index)
{
    const struct deck_record *best = NULL;
    for (size_t i = 0; i < decks->count; i++) {
        const struct deck_record *deck = decks->items[i].body;
        if ((best == NULL || deck_is_later(deck, best)) && deck_covers(deck, origin, at_ms, index))
            best = deck;
    }
    return best;
}

const struct fx_record *state_fx_in_force(const struct stored_list *tables, int64_t at_ms)
{
    const struct fx_record *best = NULL;
    for (size_t i = 0; i < tables->count; i++) {
        const struct fx_record *table = tables->items[i].body;
        if (table->effective_at_ms <= at_ms && (best == NULL || fx_is_later(table, best)))
            best = table;
    }
    return best;
}
