/* encode.c - outputs as CloudEvents: one function a type, its members in the
 * order of the contract. How pieces are put together: encode_write.h. The
 * members of the data union have no type name, hence __auto_type (gcc, clang). */
#include <stdlib.h>

#include <openssl/evp.h>

#include "events/encode_write.h"
#include "events/hex.h"

/* What a data writer is given: the output, and the list that says which record
 * of the log caused it. */
struct source {
    const struct output_list *list;
    const struct output *output;
};

typedef void data_writer(struct buffer *buffer, const struct source *source);

/* "<partition>:<offset>:<n>", quotes included. */
static char *put_output_id(char *p, struct text member, const struct source *source)
{
    p = put_raw(p, member);
    *p++ = '"';
    p = put_decimal(p, source->list->partition);
    *p++ = ':';
    p = put_decimal(p, source->list->offset);
    *p++ = ':';
    p = put_decimal(p, source->output->n);
    *p++ = '"';
    return p;
}

static void write_authorized(struct buffer *buffer, const struct source *source)
{
    __auto_type call = &source->output->data.authorized;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(call->call_id) + text_room(call->destination) +
                                      text_room(call->prefix) + text_room(call->deck_id));
    p = put_text(p, MEMBER("call_id"), call->call_id);
    p = put_bool(p, MEMBER("charged"), call->charged);
    p = put_text(p, MEMBER("destination"), call->destination);
    p = put_text(p, MEMBER("prefix"), call->prefix);
    p = put_text(p, MEMBER("deck_id"), call->deck_id);
    if (call->has_price) {
        p = put_money(p, MEMBER("price"), call->price_micros);
        p = put_currency(p, MEMBER("currency"), call->currency);
    }
    if (call->has_max_duration)
        p = put_integer(p, MEMBER("max_duration_ms"), call->max_duration_ms);
    write_end(buffer, p);
}

/* call.denied and sms.denied differ in the name of their id. */
static void write_denial(struct buffer *buffer, struct text id_member, struct text id, enum denial_reason reason,
                         struct text detail)
{
    char *p = write_begin(buffer, FIXED_ROOM + text_room(id) + text_room(detail));
    p = put_text(p, id_member, id);
    p = put_word(p, MEMBER("reason"), denial_reason_name(reason));
    p = put_text(p, MEMBER("detail"), detail);
    write_end(buffer, p);
}

static void write_denied(struct buffer *buffer, const struct source *source)
{
    __auto_type call = &source->output->data.denied;
    write_denial(buffer, MEMBER("call_id"), call->call_id, call->reason, call->detail);
}

static void write_sms_denied(struct buffer *buffer, const struct source *source)
{
    __auto_type sms = &source->output->data.sms_denied;
    write_denial(buffer, MEMBER("message_id"), sms->message_id, sms->reason, sms->detail);
}

static void write_sms_allowed(struct buffer *buffer, const struct source *source)
{
    struct text message_id = source->output->data.sms_allowed.message_id;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(message_id));
    write_end(buffer, put_text(p, MEMBER("message_id"), message_id));
}

static void write_cutoff(struct buffer *buffer, const struct source *source)
{
    __auto_type cutoff = &source->output->data.cutoff;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(cutoff->call_id));
    p = put_text(p, MEMBER("call_id"), cutoff->call_id);
    p = put_integer(p, MEMBER("at_duration_ms"), cutoff->at_duration_ms);
    p = put_word(p, MEMBER("reason"), cutoff_reason_name(cutoff->reason));
    p = put_integer(p, MEMBER("revision"), cutoff->revision);
    write_end(buffer, p);
}

static void write_withdrawn(struct buffer *buffer, const struct source *source)
{
    __auto_type withdrawn = &source->output->data.withdrawn;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(withdrawn->call_id));
    p = put_text(p, MEMBER("call_id"), withdrawn->call_id);
    p = put_integer(p, MEMBER("revision"), withdrawn->revision);
    write_end(buffer, p);
}

static void write_recharge(struct buffer *buffer, const struct source *source)
{
    const struct amount *amount = &source->output->data.recharge.amount;
    char *p = write_begin(buffer, FIXED_ROOM);
    p = put_output_id(p, MEMBER("recharge_id"), source);
    p = put_money(p, MEMBER("amount"), amount->micros);
    p = put_currency(p, MEMBER("currency"), amount->currency);
    write_end(buffer, p);
}

static void write_notify(struct buffer *buffer, const struct source *source)
{
    char *p = write_begin(buffer, FIXED_ROOM);
    write_end(buffer, put_word(p, MEMBER("kind"), notify_kind_name(source->output->data.notify.kind)));
}

static void write_raised_rate(struct buffer *buffer, const struct raised_rate *rate)
{
    size_t object = element_open(buffer);
    char *p = write_begin(buffer, FIXED_ROOM + text_room(rate->origin) + text_room(rate->prefix) +
                                      text_room(rate->destination));
    p = put_text(p, MEMBER("origin"), rate->origin);
    p = put_text(p, MEMBER("prefix"), rate->prefix);
    p = put_text(p, MEMBER("destination"), rate->destination);
    p = put_money(p, MEMBER("from"), rate->from_micros);
    p = put_money(p, MEMBER("to"), rate->to_micros);
    write_end(buffer, p);
    object_close(buffer, object);
}

static void write_deck_accepted(struct buffer *buffer, const struct source *source)
{
    __auto_type deck = &source->output->data.deck_accepted;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(deck->deck_id));
    p = put_text(p, MEMBER("deck_id"), deck->deck_id);
    p = put_instant(p, MEMBER("effective_at"), deck->effective_at_ms);
    p = put_integer(p, MEMBER("rates"), deck->rates);
    p = put_integer(p, MEMBER("raised_count"), deck->raised_count);
    p = put_raw(p, MEMBER("raised"));
    write_end(buffer, p);
    size_t array = buffer->len;
    for (size_t i = 0; i < deck->raised_listed; i++)
        write_raised_rate(buffer, &deck->raised[i]);
    array_close(buffer, array);
}

static void write_posting(struct buffer *buffer, const struct posting *posting)
{
    size_t object = element_open(buffer);
    char *p = write_begin(buffer, FIXED_ROOM + text_room(posting->name));
    p = put_raw(p, MEMBER("account"));
    *p++ = '"';
    p = put_raw(p, text_of(posting->prefix));
    p = put_json_text(p, posting->name);
    *p++ = '"';
    p = put_money(p, MEMBER("amount"), posting->micros);
    p = put_currency(p, MEMBER("currency"), posting->currency);
    write_end(buffer, p);
    object_close(buffer, object);
}

static void write_entry(struct buffer *buffer, const struct source *source)
{
    __auto_type entry = &source->output->data.entry;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(entry->account) + text_room(entry->reference));
    p = put_integer(p, MEMBER("entry"), entry->entry);
    p = put_word(p, MEMBER("kind"), entry_kind_name(entry->kind));
    p = put_text(p, MEMBER("account"), entry->account);
    p = put_money(p, MEMBER("amount"), entry->amount_micros);
    p = put_currency(p, MEMBER("currency"), entry->currency);
    p = put_money(p, MEMBER("balance"), entry->balance_micros);
    p = put_day(p, MEMBER("date"), entry->date);
    if (entry->has_for_date)
        p = put_day(p, MEMBER("for_date"), entry->for_date);
    p = put_text(p, MEMBER("reference"), entry->reference);
    p = put_raw(p, MEMBER("postings"));
    write_end(buffer, p);
    size_t array = buffer->len;
    for (size_t i = 0; i < entry->posting_count; i++)
        write_posting(buffer, &entry->postings[i]);
    array_close(buffer, array);
    p = write_begin(buffer, FIXED_ROOM + text_room(entry->line));
    p = put_text(p, MEMBER("line"), entry->line);
    p = put_hex(p, MEMBER("prev"), entry->prev, HASH_HEX);
    p = put_hex(p, MEMBER("hash"), entry->hash, HASH_HEX);
    write_end(buffer, p);
}

static char *put_fx(char *p, uint32_t from, uint32_t to, int64_t nanos)
{
    char *object = put_raw(p, MEMBER("fx"));
    p = put_currency(object, MEMBER("from"), from);
    p = put_currency(p, MEMBER("to"), to);
    p = put_fx_rate(p, MEMBER("rate"), nanos);
    return object_end(object, p);
}

static void write_call(struct buffer *buffer, const struct source *source)
{
    __auto_type call = &source->output->data.call;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(call->call_id) + text_room(call->from) + text_room(call->to) +
                                      text_room(call->member_id) + text_room(call->destination) +
                                      text_room(call->prefix) + text_room(call->deck_id));
    p = put_text(p, MEMBER("call_id"), call->call_id);
    p = put_word(p, MEMBER("direction"), call_direction_name(call->direction));
    p = put_text(p, MEMBER("from"), call->from);
    p = put_text(p, MEMBER("to"), call->to);
    p = put_text(p, MEMBER("member_id"), call->member_id);
    p = put_bool(p, MEMBER("charged"), call->charged);
    p = put_text(p, MEMBER("destination"), call->destination);
    p = put_text(p, MEMBER("prefix"), call->prefix);
    p = put_text(p, MEMBER("deck_id"), call->deck_id);
    if (call->has_price)
        p = put_money(p, MEMBER("price"), call->price_micros);
    if (call->has_fx)
        p = put_fx(p, call->fx_from, call->fx_to, call->fx_nanos);
    p = put_currency(p, MEMBER("currency"), call->currency);
    p = put_instant(p, MEMBER("started_at"), call->started_at_ms);
    p = put_instant(p, MEMBER("ended_at"), call->ended_at_ms);
    p = put_integer(p, MEMBER("duration_ms"), call->duration_ms);
    p = put_integer(p, MEMBER("billed_ms"), call->billed_ms);
    p = put_money(p, MEMBER("amount"), call->amount_micros);
    p = put_money(p, MEMBER("uncollected"), call->uncollected_micros);
    p = put_bool(p, MEMBER("voicemail"), call->voicemail);
    p = put_word(p, MEMBER("ended_by"), call_ending_name(call->ended_by));
    write_end(buffer, p);
}

static void write_balance(struct buffer *buffer, const struct source *source)
{
    __auto_type balance = &source->output->data.balance;
    char *p = write_begin(buffer, FIXED_ROOM);
    p = put_money(p, MEMBER("balance"), balance->balance_micros);
    p = put_money(p, MEMBER("available"), balance->available_micros);
    p = put_currency(p, MEMBER("currency"), balance->currency);
    p = put_integer(p, MEMBER("entry"), balance->entry);
    write_end(buffer, p);
}

/* SHA-256 of all of bytes, in hex. */
static void sha256_hex(struct text bytes, char hex[HASH_HEX])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    int done = EVP_Digest(text_present(bytes) ? bytes.at : "", bytes.len, hash, &size, EVP_sha256(), NULL);
    if (done != 1 || size != HASH_SIZE)
        abort(); /* libcrypto without SHA-256 is a broken installation; a reject without its hash is no evidence */
    hex_encode(hash, HASH_SIZE, hex);
}

static struct text kept_bytes(struct text bytes)
{
    return (struct text){bytes.at, bytes.len < REJECT_BYTES_MAX ? bytes.len : REJECT_BYTES_MAX};
}

static char *put_base64(char *p, struct text member, struct text bytes)
{
    p = put_raw(p, member);
    *p++ = '"';
    if (bytes.len)
        p += EVP_EncodeBlock((unsigned char *)p, (const unsigned char *)bytes.at, (int)bytes.len);
    *p++ = '"';
    return p;
}

/* The topic is always the one the meter reads. A record without a value
 * (Kafka's tombstone) has size 0 and the hash of nothing, like an empty one. */
static void write_rejected(struct buffer *buffer, const struct source *source)
{
    __auto_type rejected = &source->output->data.rejected;
    struct text payload = kept_bytes(rejected->payload), key = kept_bytes(rejected->key);
    char hash[HASH_HEX];
    sha256_hex(rejected->payload, hash);
    char *p = write_begin(buffer, FIXED_ROOM + text_room(rejected->detail) + 2 * (payload.len + key.len));
    p = put_word(p, MEMBER("reason"), reject_reason_name(rejected->reason));
    p = put_text(p, MEMBER("detail"), rejected->detail);
    p = put_word(p, MEMBER("topic"), TYPE_PREFIX "events");
    p = put_integer(p, MEMBER("partition"), source->list->partition);
    p = put_integer(p, MEMBER("offset"), source->list->offset);
    p = put_integer(p, MEMBER("size"), (int64_t)rejected->payload.len);
    p = put_hex(p, MEMBER("sha256"), hash, HASH_HEX);
    p = put_base64(p, MEMBER("payload"), payload);
    if (text_present(key))
        p = put_base64(p, MEMBER("key"), key);
    write_end(buffer, p);
}

static void write_attested(struct buffer *buffer, const struct source *source)
{
    __auto_type attested = &source->output->data.attested;
    char *p = write_begin(buffer, FIXED_ROOM);
    p = put_integer(p, MEMBER("partition"), source->list->partition);
    p = put_integer(p, MEMBER("next_offset"), attested->next_offset);
    p = put_integer(p, MEMBER("fold_version"), attested->fold_version);
    p = put_integer(p, MEMBER("entries"), attested->entries);
    p = put_hex(p, MEMBER("chain"), attested->chain, HASH_HEX);
    p = put_hex(p, MEMBER("digest"), attested->digest, DIGEST_HEX);
    p = put_hex(p, MEMBER("input"), attested->input, HASH_HEX);
    p = put_integer(p, MEMBER("inputs"), attested->inputs);
    write_end(buffer, p);
}

static data_writer *const writers[OUTPUT_TYPE_COUNT] = {
    [OUTPUT_CALL_AUTHORIZED] = write_authorized,
    [OUTPUT_CALL_DENIED] = write_denied,
    [OUTPUT_CALL_CUTOFF] = write_cutoff,
    [OUTPUT_CALL_CUTOFF_WITHDRAWN] = write_withdrawn,
    [OUTPUT_ACCOUNT_RECHARGE] = write_recharge,
    [OUTPUT_ACCOUNT_NOTIFY] = write_notify,
    [OUTPUT_SMS_ALLOWED] = write_sms_allowed,
    [OUTPUT_SMS_DENIED] = write_sms_denied,
    [OUTPUT_RATEDECK_ACCEPTED] = write_deck_accepted,
    [OUTPUT_LEDGER_POSTED] = write_entry,
    [OUTPUT_CALL_RECORDED] = write_call,
    [OUTPUT_BALANCE_CHANGED] = write_balance,
    [OUTPUT_EVENT_REJECTED] = write_rejected,
    [OUTPUT_STATE_ATTESTED] = write_attested,
};

void output_encode(struct buffer *buffer, const struct output_list *list, size_t index)
{
    assert(index < list->count);
    const struct source source = {list, &list->items[index]};
    size_t envelope = buffer->len;
    char *p = write_begin(buffer, FIXED_ROOM + text_room(source.output->subject));
    p = put_word(p, MEMBER("specversion"), "1.0");
    p = put_output_id(p, MEMBER("id"), &source);
    p = put_word(p, MEMBER("source"), "/callfold");
    p = put_type(p, output_type_name(source.output->type));
    p = put_instant(p, MEMBER("time"), list->time_ms);
    p = put_text(p, MEMBER("subject"), source.output->subject);
    p = put_raw(p, MEMBER("data"));
    write_end(buffer, p);
    size_t data = buffer->len;
    writers[source.output->type](buffer, &source);
    object_close(buffer, data);
    object_close(buffer, envelope);
}
