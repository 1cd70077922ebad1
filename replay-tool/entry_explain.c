/* entry_explain.c - one ledger entry: what caused it, what it says, and its place in the chain. */
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "events/hex.h"
#include "processor/fold/state.h"
#include "replay-tool/explanation.h"
#include "replay-tool/say.h"

/* What the entry was posted for, as far as the step has it. */
struct entry_facts {
    const struct output *entry, *call; /* call: the call record of the same step, or NULL */
    bool has_topup;
    struct topup_record topup;
    bool has_fx;
    struct conversion fx; /* of a top-up in another currency than the account's */
    char hash[HASH_HEX];  /* recomputed */
};

static void recompute(struct entry_facts *facts)
{
    const struct output *entry = facts->entry;
    struct buffer bytes = {0};
    uint8_t sum[HASH_SIZE];
    buffer_append(&bytes, entry->data.entry.prev, HASH_HEX);
    buffer_append(&bytes, "\n", 1);
    buffer_append(&bytes, entry->data.entry.line.at, entry->data.entry.line.len);
    SHA256((const unsigned char *)bytes.at, bytes.len, sum);
    hex_encode(sum, sizeof sum, facts->hash);
    buffer_free(&bytes);
}

static void find_topup(struct entry_facts *facts, const struct witness *witness, const struct history_step *step)
{
    const struct output *entry = facts->entry;
    const struct topup_record *topup =
        history_record(step->fold, key_of2(RECORD_TOPUP, entry->data.entry.account, entry->data.entry.reference));
    if (entry->data.entry.kind == ENTRY_CALL || topup == NULL)
        return;
    facts->has_topup = true;
    facts->topup = *topup;
    if (entry->data.entry.kind != ENTRY_TOPUP || step->event->data.topup.amount.currency == entry->data.entry.currency)
        return;
    facts->has_fx = true;
    facts->fx = conversion_of(witness, fold_fx(step->fold, step->event->time_ms), step->partition,
                              step->event->data.topup.amount.currency, entry->data.entry.currency);
}

static bool find_entry(struct entry_facts *facts, int64_t number, const struct output_list *outputs)
{
    for (size_t i = 0; i < outputs->count; i++) {
        const struct output *output = &outputs->items[i];
        if (output->type == OUTPUT_LEDGER_POSTED && output->data.entry.entry == number)
            facts->entry = output;
        else if (output->type == OUTPUT_CALL_RECORDED && facts->entry != NULL && facts->call == NULL &&
                 text_equal(output->data.call.call_id, facts->entry->data.entry.reference) &&
                 text_equal(output->subject, facts->entry->subject))
            facts->call = output;
    }
    return facts->entry != NULL;
}

/* --- for people --- */

static void print_cause(const struct entry_facts *facts, const struct history_step *step)
{
    static const char *const whats[] = {
        [ENTRY_TOPUP] = "top-up", [ENTRY_CALL] = "call", [ENTRY_TOPUP_REVERSED] = "reversal of top-up"};
    const struct output *entry = facts->entry;
    printf("Entry %" PRId64 " of partition %" PRIu32 ": %s %.*s of account %.*s\n\n", entry->data.entry.entry,
           step->partition, whats[entry->data.entry.kind], TEXT_ARGS(entry->data.entry.reference),
           TEXT_ARGS(entry->data.entry.account));
    printf(LINE "%s, %s%s\n", "caused by", step->event != NULL ? event_type_name(step->event->type) : "a record",
           say_where(step_place(step)).at,
           step->event == NULL || !text_equal(step->event->subject, entry->subject) ? ", by which time passed" : "");
    printf(LINE "%s%s: the balance goes from %s to %s\n", "amount", entry->data.entry.amount_micros > 0 ? "+" : "",
           say_money(entry->data.entry.amount_micros, entry->data.entry.currency).at,
           say_amount(entry->data.entry.balance_micros - entry->data.entry.amount_micros).at,
           say_amount(entry->data.entry.balance_micros).at);
    printf(LINE "%s", "date", say_day(entry->data.entry.date).at);
    if (entry->data.entry.has_for_date)
        printf(", for %s, which was final already", say_day(entry->data.entry.for_date).at);
    printf("\n");
}

static void print_topup(const struct entry_facts *facts, const struct history_step *step)
{
    const struct output *entry = facts->entry;
    if (!facts->has_topup)
        return;
    if (facts->has_fx) {
        print_exchange(&facts->fx);
        print_conversion("granted", step->event->data.topup.amount.micros, &facts->fx, facts->topup.granted_micros,
                         entry->data.entry.currency);
    } else {
        printf(LINE "%s\n", "granted", say_money(facts->topup.granted_micros, entry->data.entry.currency).at);
    }
    printf(LINE "%s\n", "paid", say_money(facts->topup.paid_micros, facts->topup.paid_currency).at);
    if (entry->data.entry.kind == ENTRY_TOPUP_REVERSED)
        printf(LINE "%s of it was available and is taken back; the rest is receivable\n", "reversed",
               say_amount(-entry->data.entry.amount_micros).at);
}

static void print_call(const struct entry_facts *facts)
{
    const struct output *entry = facts->entry, *call = facts->call;
    if (entry->data.entry.kind != ENTRY_CALL)
        return;
    if (call == NULL)
        printf(LINE "still live: this is what it had accrued before midnight\n", "call");
    else
        printf(LINE "%s of talk, %s billed at %s a minute by deck %.*s, prefix %.*s: %s in all\n", "call",
               say_ms(call->data.call.duration_ms).at, say_ms(call->data.call.billed_ms).at,
               say_money(call->data.call.price_micros, call->data.call.currency).at, TEXT_ARGS(call->data.call.deck_id),
               TEXT_ARGS(call->data.call.prefix),
               say_money(call->data.call.amount_micros, call->data.call.currency).at);
    printf(LINE "callfold-replay explain --call %.*s --account %.*s\n", "all of it",
           TEXT_ARGS(entry->data.entry.reference), TEXT_ARGS(entry->data.entry.account));
}

static void print_postings(const struct output *entry)
{
    for (size_t i = 0; i < entry->data.entry.posting_count; i++) {
        const struct posting *posting = &entry->data.entry.postings[i];
        printf(LINE "%s%.*s  %s\n", i == 0 ? "postings" : "", posting->prefix, TEXT_ARGS(posting->name),
               say_money(posting->micros, posting->currency).at);
    }
}

static void print_chain(const struct entry_facts *facts)
{
    const struct output *entry = facts->entry;
    bool same = memcmp(facts->hash, entry->data.entry.hash, HASH_HEX) == 0;
    printf("\nThe chain\n");
    printf(LINE "%.*s\n", "prev", HASH_HEX, entry->data.entry.prev);
    printf(LINE "%.*s\n", "line", TEXT_ARGS(entry->data.entry.line));
    printf(LINE "%.*s\n", "hash", HASH_HEX, entry->data.entry.hash);
    printf(LINE "%.*s, SHA-256 of prev, a newline and line: %s\n", "recomputed", HASH_HEX, facts->hash,
           same ? "the same" : "ANOTHER ONE");
    printf(LINE "printf '%%s\\n%%s' %.*s \\\n    '%.*s' | sha256sum\n", "by hand", HASH_HEX, entry->data.entry.prev,
           TEXT_ARGS(entry->data.entry.line));
}

static void print_entry(const struct entry_facts *facts, const struct history_step *step)
{
    print_cause(facts, step);
    print_topup(facts, step);
    print_call(facts);
    print_postings(facts->entry);
    print_chain(facts);
}

/* --- for programs --- */

static json_t *text_json(struct text text)
{
    return json_stringn(text.at, text.len);
}

static json_t *postings_json(const struct output *entry)
{
    json_t *array = json_array();
    for (size_t i = 0; i < entry->data.entry.posting_count; i++) {
        const struct posting *posting = &entry->data.entry.postings[i];
        struct buffer account = {0};
        buffer_text(&account, posting->prefix);
        buffer_append(&account, posting->name.at, posting->name.len);
        json_array_append_new(array,
                              json_pack("{s:o, s:o, s:s}", "account", json_stringn(account.at, account.len), "amount",
                                        json_money(posting->micros), "currency", say_currency(posting->currency).at));
        buffer_free(&account);
    }
    return array;
}

static void set_cause(json_t *object, const struct entry_facts *facts, const struct history_step *step)
{
    json_object_set_new(object, "caused_by", json_place(step_place(step)));
    if (step->event != NULL)
        json_object_set_new(object, "event", json_string(event_type_name(step->event->type)));
    if (facts->has_topup) {
        json_object_set_new(object, "granted", json_money(facts->topup.granted_micros));
        json_object_set_new(object, "paid", json_money(facts->topup.paid_micros));
        json_object_set_new(object, "paid_currency", json_string(say_currency(facts->topup.paid_currency).at));
    }
    if (facts->has_fx)
        json_object_set_new(object, "fx", conversion_json(&facts->fx));
    if (facts->call == NULL)
        return;
    json_object_set_new(object, "call_amount", json_money(facts->call->data.call.amount_micros));
    json_object_set_new(object, "call_billed_ms", json_integer((json_int_t)facts->call->data.call.billed_ms));
}

static void dump_entry(const struct entry_facts *facts, const struct history_step *step)
{
    const struct output *entry = facts->entry;
    json_t *object =
        json_pack("{s:I, s:I, s:s, s:o, s:o, s:o, s:s, s:o, s:s}", "partition", (json_int_t)step->partition, "entry",
                  (json_int_t)entry->data.entry.entry, "kind", entry_kind_name(entry->data.entry.kind), "account",
                  text_json(entry->data.entry.account), "reference", text_json(entry->data.entry.reference), "amount",
                  json_money(entry->data.entry.amount_micros), "currency", say_currency(entry->data.entry.currency).at,
                  "balance", json_money(entry->data.entry.balance_micros), "date", say_day(entry->data.entry.date).at);
    if (entry->data.entry.has_for_date)
        json_object_set_new(object, "for_date", json_string(say_day(entry->data.entry.for_date).at));
    set_cause(object, facts, step);
    json_object_set_new(object, "postings", postings_json(entry));
    json_object_set_new(object, "line", text_json(entry->data.entry.line));
    json_object_set_new(object, "prev", json_stringn(entry->data.entry.prev, HASH_HEX));
    json_object_set_new(object, "hash", json_stringn(entry->data.entry.hash, HASH_HEX));
    json_object_set_new(object, "recomputed", json_stringn(facts->hash, HASH_HEX));
    json_dumpf(object, stdout, JSON_INDENT(2));
    json_decref(object);
    printf("\n");
}

enum entry_outcome entry_explain(int64_t number, bool as_json, bool is_whole, const struct witness *witness,
                                 const struct history_step *step)
{
    struct entry_facts facts = {0};
    if (!find_entry(&facts, number, step->outputs))
        return ENTRY_NOT_HERE;
    find_topup(&facts, witness, step);
    if (facts.has_fx && facts.fx.published.offset < 0 && !is_whole)
        return ENTRY_NOT_KNOWN;
    recompute(&facts);
    if (as_json)
        dump_entry(&facts, step);
    else
        print_entry(&facts, step);
    return ENTRY_EXPLAINED;
}
