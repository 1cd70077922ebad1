/* rates_live.c - the rates that a number of an account pays now.
 *
 * From the state's deck in force for the number's origin, in the account's
 * currency by the state's own fx table: what the next call would be charged.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "events/currency.h"
#include "events/instant.h"
#include "events/phone.h"
#include "processor/rates_list.h"
#include "processor/state_view.h"
#include "terminal/message.h"

/* What is read of the state; the deck's texts borrow from it. */
struct live_list {
    struct state_view view;
    struct account_record account;
    struct number_record number;
    struct stored_list decks, tables, rates;
    struct deck deck; /* of the number's origin only */
    const struct deck_record *in_force;
    char *prefixes; /* of the rates, '+' included */
    struct text *blocks;
    size_t block_count;
};

static int open_number(struct live_list *live, const struct live_question *question)
{
    struct text account = text_of(question->account), number = text_of(question->number);
    if (!id_is_valid(account))
        return message_fail(EX_USAGE, "--account: '%s' is not an id", question->account);
    if (!phone_is_e164(number))
        return message_fail(EX_USAGE, "--number: '%s' is not a number: write + and its digits", question->number);
    int code = state_view_open_account(&live->view, question->state_dir, account, &live->account);
    if (code != EX_OK)
        return code;
    struct key key = key_of2(RECORD_NUMBER, account, number);
    if (state_view_load(&live->view, &key, &live->number, sizeof live->number) && live->number.present)
        return EX_OK;
    return message_fail(EX_DATAERR,
                        "%s is no number of account %s; `callfold status --state %s --account %s` lists them",
                        question->number, question->account, question->state_dir, question->account);
}

/* A rate as the deck of a file would have it. */
static struct deck_rate rate_of(const struct live_list *live, const struct stored *stored, char *prefix, size_t skip)
{
    const struct rate_record *record = stored->body;
    struct deck_rate rate = {.origin = number_origin(&live->number), .status = (enum rate_status)record->status};
    size_t digits = stored->key.len - skip;
    prefix[0] = '+';
    memcpy(prefix + 1, stored->key.at + skip, digits);
    rate.prefix = (struct text){prefix, digits + 1};
    rate.destination = rate_destination(record);
    rate.kind = record->kind_len > 0 ? rate_kind(record) : TEXT_NONE;
    rate.domestic = record->domestic;
    rate.price_micros = record->price_micros;
    rate.connect_micros = record->connect_micros;
    rate.first_s = record->first_s;
    rate.step_s = record->step_s;
    return rate;
}

static void fill_deck(struct live_list *live, uint16_t index)
{
    struct key key;
    key_begin(&key, RECORD_RATE);
    key_number(&key, live->in_force->deck_no, 4);
    key_number(&key, index, 2);
    const struct origin_record *record = &live->in_force->origins[index];
    struct deck_origin origin = {.origin = number_origin(&live->number),
                                 .country = {record->country, sizeof record->country},
                                 .currency = record->currency};
    deck_add_origin(&live->deck, &origin);
    live->deck.currency = live->in_force->currency;
    live->rates = state_view_list(&live->view, &key);
    live->prefixes = must_alloc(malloc(live->rates.count * (PHONE_MAX + 1) + 1));
    for (size_t i = 0; i < live->rates.count; i++) {
        const struct stored *stored = &live->rates.items[i];
        if (stored->key.len <= key.len || stored->key.len - key.len > PHONE_MAX - 1)
            continue;
        struct deck_rate rate = rate_of(live, stored, live->prefixes + i * (PHONE_MAX + 1), key.len);
        deck_add_rate(&live->deck, &rate, 0);
    }
    deck_make_index(&live->deck);
}

static int find_deck(struct live_list *live, const struct live_question *question)
{
    uint16_t index;
    struct key key;
    key_begin(&key, RECORD_DECK);
    live->decks = state_view_list(&live->view, &key);
    live->in_force =
        state_deck_in_force(&live->decks, number_origin(&live->number), live->view.partition.time_ms, &index);
    if (live->in_force == NULL)
        return message_fail(EX_DATAERR, "no deck in force has rates for origin %.*s of %s: publish one that does",
                            TEXT_ARGS(number_origin(&live->number)), question->number);
    fill_deck(live, index);
    return EX_OK;
}

/* Of a number, or of the whole account (id "", number NULL). */
static void add_blocks(struct live_list *live, struct text account, struct text id, const struct number_record *number)
{
    struct key key = keys_of_number(RECORD_BLOCK, account, id);
    struct stored_list list = state_view_list(&live->view, &key);
    live->blocks = must_alloc(realloc(live->blocks, (live->block_count + list.count + 1) * sizeof *live->blocks));
    for (size_t i = 0; i < list.count; i++) {
        struct text digits = record_key_part(list.items[i].key, 2);
        if (!block_holds(list.items[i].body, number))
            continue;
        char *prefix = must_alloc(malloc(digits.len + 2));
        prefix[0] = '+';
        memcpy(prefix + 1, digits.at, digits.len);
        live->blocks[live->block_count++] = (struct text){prefix, digits.len + 1};
    }
    stored_free(&list);
}

/* A copy of the state's fx table for pricing to own; NULL when none is in force. */
static struct fx_record *table_in_force(struct live_list *live)
{
    struct key key;
    key_begin(&key, RECORD_FX);
    live->tables = state_view_list(&live->view, &key);
    const struct fx_record *record = state_fx_in_force(&live->tables, live->view.partition.time_ms);
    if (record == NULL)
        return NULL;
    size_t size = fx_record_size(record->count);
    return memcpy(must_alloc(malloc(size)), record, size);
}

static int open_live_pricing(struct live_list *live, const struct live_question *question, struct pricing *pricing)
{
    int64_t numerator, denominator;
    char from[CURRENCY_TEXT_MAX], to[CURRENCY_TEXT_MAX];
    *pricing = (struct pricing){.from = live->deck.currency, .to = live->account.currency};
    if (question->currency != NULL && !currency_parse(text_of(question->currency), &pricing->to))
        return message_fail(EX_USAGE, "--currency: '%s' is not a currency such as USD", question->currency);
    pricing->fx = table_in_force(live);
    if (fx_ratio_of(pricing->fx, pricing->from, pricing->to, &numerator, &denominator))
        return EX_OK;
    pricing_close(pricing);
    currency_format(pricing->from, from);
    currency_format(pricing->to, to);
    return message_fail(EX_DATAERR, "the state has no exchange rate from %s to %s: publish fx, or try --currency %s",
                        from, to, from);
}

static void note_source(const struct live_list *live, const struct live_question *question)
{
    char time[INSTANT_TEXT_MAX];
    instant_format(live->view.partition.time_ms, time);
    message_note("deck %.*s, in force for %s (%.*s) at %s%s", TEXT_ARGS(deck_id(live->in_force)), question->number,
                 TEXT_ARGS(number_origin(&live->number)), time,
                 live->number.international ? "" : "; international calling is off");
}

static int list_opened(struct live_list *live, const struct live_question *question)
{
    struct pricing pricing;
    int code = find_deck(live, question);
    if (code == EX_OK)
        code = open_live_pricing(live, question, &pricing);
    if (code != EX_OK)
        return code;
    struct text account = text_of(question->account);
    add_blocks(live, account, TEXT_LIT(""), NULL);
    add_blocks(live, account, text_of(question->number), &live->number);
    code =
        print_rate_list(&live->deck, 0, &pricing, &question->filter, live->blocks, live->block_count, question->format);
    note_source(live, question);
    pricing_close(&pricing);
    return code;
}

/* Returns code, or what closing the view says where that is EX_OK. */
static int close_live(struct live_list *live, int code)
{
    for (size_t i = 0; i < live->block_count; i++)
        free((char *)(uintptr_t)live->blocks[i].at);
    free(live->blocks);
    free(live->prefixes);
    deck_free(&live->deck);
    stored_free(&live->decks);
    stored_free(&live->tables);
    stored_free(&live->rates);
    int closing = live->view.store != NULL ? state_view_close(&live->view) : EX_OK;
    return code == EX_OK ? closing : code;
}

int list_live_rates(const struct live_question *question)
{
    struct live_list live = {0};
    int code = open_number(&live, question);
    if (code == EX_OK)
        code = list_opened(&live, question);
    return close_live(&live, code);
}
