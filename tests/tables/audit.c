#include "tests/tables/audit.h"

#include <endian.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/encode.h"
#include "events/instant.h"
#include "events/money.h"

#define ATTESTED_EVERY 50000

struct audit {
    uint32_t partition;
    bool has_time;
    int64_t time_ms; /* partition time */
    int64_t entries, inputs;
    char chain[HASH_HEX + 1];
    EVP_MD_CTX *input; /* every record since the last attestation */
    json_t *balances;  /* account -> micros, by the ledger */
    json_t *posted;    /* "account call" -> micros, by its entries */
    json_t *recorded;  /* "account call" -> micros of the latest record */
    const char *place;
};

static bool wrong(const struct audit *audit, const char *what, const json_t *output)
{
    char *text = output ? json_dumps(output, JSON_COMPACT) : NULL;
    fprintf(stderr, "%s: audit: %s\n  got       %s\n", audit->place, what, text ? text : "nothing");
    free(text);
    return false;
}

static void to_hex(const unsigned char *bytes, size_t len, char *hex)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
}

static const char *string_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static int64_t micros_of(const json_t *object, const char *name)
{
    int64_t micros = INT64_MIN;
    money_parse(text_of(string_of(object, name)), &micros);
    return micros;
}

static int64_t integer_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? json_integer_value(value) : INT64_MIN;
}

static int64_t number_in(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool is_type(const json_t *output, const char *type)
{
    const char *found = string_of(output, "type");
    return strncmp(found, TYPE_PREFIX, strlen(TYPE_PREFIX)) == 0 && strcmp(found + strlen(TYPE_PREFIX), type) == 0;
}

struct audit *audit_new(uint32_t partition)
{
    static const unsigned char zeros[HASH_SIZE];
    struct audit *audit = calloc(1, sizeof *audit);
    if (!audit) {
        abort();
    }
    audit->partition = partition;
    memset(audit->chain, '0', HASH_HEX);
    audit->input = EVP_MD_CTX_new();
    EVP_DigestInit_ex(audit->input, EVP_sha256(), NULL);
    EVP_DigestUpdate(audit->input, zeros, sizeof zeros);
    audit->balances = json_object();
    audit->posted = json_object();
    audit->recorded = json_object();
    return audit;
}

void audit_free(struct audit *audit)
{
    EVP_MD_CTX_free(audit->input);
    json_decref(audit->balances);
    json_decref(audit->posted);
    json_decref(audit->recorded);
    free(audit);
}

/* ---- the envelope ---- */

static bool check_envelope(const struct audit *audit, const struct fold_record *record, const json_t *output, size_t n)
{
    char id[64], time[INSTANT_TEXT_MAX];
    snprintf(id, sizeof id, "%u:%lld:%zu", audit->partition, (long long)record->offset, n);
    instant_format(audit->time_ms, time);
    if (strcmp(string_of(output, "id"), id) != 0) {
        return wrong(audit, "id is not <partition>:<offset>:<n>", output);
    }
    if (strcmp(string_of(output, "specversion"), "1.0") != 0 || strcmp(string_of(output, "source"), "/callfold") != 0) {
        return wrong(audit, "specversion or source", output);
    }
    return strcmp(string_of(output, "time"), time) == 0 || wrong(audit, "time is not partition time", output);
}

/* ---- the ledger ---- */

static void append_escaped(struct buffer *buffer, const char *text)
{
    for (; *text; text++) {
        bool plain = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z') ||
                     (*text >= '0' && *text <= '9') || strchr("._:+-", *text);
        char escaped[4];
        snprintf(escaped, sizeof escaped, plain ? "%c" : "%%%02X", (unsigned char)*text);
        buffer_text(buffer, escaped);
    }
}

/* entry|time|kind|account|amount|currency|balance|reference|partition-offset|date|postings */
static void write_line(struct buffer *line, const struct audit *audit, const struct fold_record *record,
                       const json_t *output)
{
    const json_t *data = json_object_get(output, "data"), *postings = json_object_get(data, "postings"), *posting;
    char number[64];
    snprintf(number, sizeof number, "%lld|", (long long)integer_of(data, "entry"));
    buffer_text(line, number);
    const char *const fields[] = {
        string_of(output, "time"),    string_of(data, "kind"),     string_of(output, "subject"),
        string_of(data, "amount"),    string_of(data, "currency"), string_of(data, "balance"),
        string_of(data, "reference"),
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        append_escaped(line, fields[i]);
        buffer_text(line, "|");
    }
    snprintf(number, sizeof number, "%u-%lld|", audit->partition, (long long)record->offset);
    buffer_text(line, number);
    append_escaped(line, string_of(data, "date"));
    buffer_text(line, "|");
    size_t index;
    json_array_foreach (postings, index, posting) {
        buffer_text(line, index ? ";" : "");
        append_escaped(line, string_of(posting, "account"));
        buffer_text(line, " ");
        append_escaped(line, string_of(posting, "amount"));
        buffer_text(line, " ");
        append_escaped(line, string_of(posting, "currency"));
    }
    buffer_append(line, "", 1);
}

static bool check_chain(struct audit *audit, const struct fold_record *record, const json_t *output)
{
    const json_t *data = json_object_get(output, "data");
    struct buffer line = {0}, hashed = {0};
    unsigned char hash[HASH_SIZE];
    write_line(&line, audit, record, output);
    bool same_line = strcmp(line.at, string_of(data, "line")) == 0;
    bool linked = strcmp(audit->chain, string_of(data, "prev")) == 0;
    buffer_text(&hashed, audit->chain);
    buffer_text(&hashed, "\n");
    buffer_text(&hashed, line.at);
    SHA256((const unsigned char *)hashed.at, hashed.len, hash);
    to_hex(hash, sizeof hash, audit->chain);
    buffer_free(&hashed);
    if (!same_line) {
        fprintf(stderr, "  line      %s\n", line.at);
    }
    buffer_free(&line);
    return (same_line || wrong(audit, "line does not say what the entry says", output)) &&
           (linked || wrong(audit, "prev is not the last entry's hash", output)) &&
           (strcmp(audit->chain, string_of(data, "hash")) == 0 || wrong(audit, "hash", output));
}

/* Zero in each currency; the customer's side is what the entry's amount says. */
static bool check_postings(const struct audit *audit, const json_t *output)
{
    const json_t *data = json_object_get(output, "data"), *postings = json_object_get(data, "postings"), *posting;
    json_t *sums = json_object(), *sum;
    char customer[128];
    snprintf(customer, sizeof customer, "customer:%s", string_of(output, "subject"));
    int64_t own = 0;
    size_t index;
    json_array_foreach (postings, index, posting) {
        const char *currency = string_of(posting, "currency");
        int64_t micros = micros_of(posting, "amount");
        json_object_set_new(sums, currency, json_integer(number_in(sums, currency) + micros));
        own += strcmp(string_of(posting, "account"), customer) == 0 ? micros : 0;
    }
    bool zero = true;
    const char *currency;
    json_object_foreach (sums, currency, sum) {
        zero = zero && json_integer_value(sum) == 0;
    }
    json_decref(sums);
    return (zero || wrong(audit, "postings do not sum to zero", output)) &&
           (own == -micros_of(data, "amount") || wrong(audit, "the customer's posting is not the amount", output));
}

static bool check_entry(struct audit *audit, const struct fold_record *record, const json_t *output)
{
    const json_t *data = json_object_get(output, "data");
    const char *account = string_of(output, "subject");
    int64_t amount = micros_of(data, "amount");
    int64_t balance = number_in(audit->balances, account) + amount;
    json_object_set_new(audit->balances, account, json_integer(balance));
    if (strcmp(string_of(data, "kind"), "call") == 0) {
        char call[160];
        snprintf(call, sizeof call, "%s %s", account, string_of(data, "reference"));
        json_object_set_new(audit->posted, call, json_integer(number_in(audit->posted, call) - amount));
    }
    if (integer_of(data, "entry") != ++audit->entries) {
        return wrong(audit, "entries do not count 1, 2, 3", output);
    }
    if (micros_of(data, "balance") != balance) {
        return wrong(audit, "balance is not the sum of the account's amounts", output);
    }
    return check_postings(audit, output) && check_chain(audit, record, output);
}

/* The entry before it, said again for the account's readers. */
static bool check_balance(const struct audit *audit, const json_t *output)
{
    const json_t *data = json_object_get(output, "data");
    int64_t balance = micros_of(data, "balance"), available = micros_of(data, "available");
    if (integer_of(data, "entry") != audit->entries ||
        balance != number_in(audit->balances, string_of(output, "subject"))) {
        return wrong(audit, "not the balance after the last entry", output);
    }
    return (available >= 0 && available <= balance) || wrong(audit, "available is not within 0 and balance", output);
}

static bool adds_up(const struct audit *audit, const char *call)
{
    const json_t *amount = json_object_get(audit->recorded, call);
    if (!amount || json_integer_value(amount) == number_in(audit->posted, call)) {
        return true;
    }
    fprintf(stderr, "%s: audit: the entries of call %s do not add up to its record's amount\n", audit->place, call);
    return false;
}

/* Once a call is forgotten its id may be another one's. */
static bool begin_call(struct audit *audit, const json_t *output)
{
    char call[160];
    snprintf(call, sizeof call, "%s %s", string_of(output, "subject"),
             string_of(json_object_get(output, "data"), "call_id"));
    bool good = adds_up(audit, call);
    json_object_del(audit->recorded, call);
    json_object_del(audit->posted, call);
    return good;
}

static void keep_record(struct audit *audit, const json_t *output)
{
    const json_t *data = json_object_get(output, "data");
    char call[160];
    snprintf(call, sizeof call, "%s %s", string_of(output, "subject"), string_of(data, "call_id"));
    json_object_set_new(audit->recorded, call, json_integer(micros_of(data, "amount")));
}

bool audit_end(struct audit *audit, const char *place)
{
    const char *call;
    json_t *amount;
    audit->place = place;
    json_object_foreach (audit->recorded, call, amount) {
        if (!adds_up(audit, call)) {
            return false;
        }
    }
    return true;
}

/* ---- rejects ---- */

static bool is_base64_of(const json_t *data, const char *name, struct text bytes)
{
    size_t len = bytes.len < REJECT_BYTES_MAX ? bytes.len : REJECT_BYTES_MAX;
    unsigned char *text = malloc(4 * (len / 3 + 1) + 1);
    EVP_EncodeBlock(text, (const unsigned char *)bytes.at, (int)len);
    bool same = strcmp(string_of(data, name), (char *)text) == 0;
    free(text);
    return same;
}

static bool check_reject(const struct audit *audit, const struct fold_record *record, const json_t *output)
{
    const json_t *data = json_object_get(output, "data");
    unsigned char hash[HASH_SIZE];
    char hex[HASH_HEX + 1];
    SHA256((const unsigned char *)record->value.at, record->value.len, hash);
    to_hex(hash, sizeof hash, hex);
    bool placed = strcmp(string_of(data, "topic"), "callfold.events") == 0 &&
                  integer_of(data, "partition") == (int64_t)audit->partition &&
                  integer_of(data, "offset") == record->offset;
    bool whole = integer_of(data, "size") == (int64_t)record->value.len && strcmp(string_of(data, "sha256"), hex) == 0;
    return (placed || wrong(audit, "topic, partition or offset of the reject", output)) &&
           (whole || wrong(audit, "size or sha256 of the reject", output)) &&
           (is_base64_of(data, "payload", record->value) || wrong(audit, "payload of the reject", output)) &&
           (is_base64_of(data, "key", record->key) || wrong(audit, "key of the reject", output));
}

/* ---- attestations ---- */

static void add_input(struct audit *audit, const struct fold_record *record)
{
    int64_t timestamp = record->has_timestamp ? record->timestamp_ms : 0;
    const uint64_t numbers[] = {htobe64((uint64_t)record->offset), htobe64((uint64_t)timestamp)};
    const uint32_t key_len = htobe32((uint32_t)record->key.len), value_len = htobe32((uint32_t)record->value.len);
    EVP_DigestUpdate(audit->input, numbers, sizeof numbers);
    EVP_DigestUpdate(audit->input, &key_len, sizeof key_len);
    EVP_DigestUpdate(audit->input, record->key.at, record->key.len);
    EVP_DigestUpdate(audit->input, &value_len, sizeof value_len);
    EVP_DigestUpdate(audit->input, record->value.at, record->value.len);
    audit->inputs++;
}

static bool check_attested(struct audit *audit, const struct fold_record *record, const json_t *output,
                           const char digest[DIGEST_HEX])
{
    const json_t *data = json_object_get(output, "data");
    unsigned char hash[HASH_SIZE];
    char hex[HASH_HEX + 1];
    EVP_DigestFinal_ex(audit->input, hash, NULL);
    EVP_DigestInit_ex(audit->input, EVP_sha256(), NULL);
    EVP_DigestUpdate(audit->input, hash, sizeof hash);
    to_hex(hash, sizeof hash, hex);
    bool counted = integer_of(data, "partition") == (int64_t)audit->partition &&
                   integer_of(data, "next_offset") == record->offset + 1 &&
                   integer_of(data, "fold_version") == FOLD_VERSION && integer_of(data, "entries") == audit->entries &&
                   integer_of(data, "inputs") == audit->inputs;
    struct text stated = text_of(string_of(data, "digest")), held = {digest, DIGEST_HEX};
    return (counted || wrong(audit, "next_offset, fold_version, entries or inputs", output)) &&
           (strcmp(string_of(data, "chain"), audit->chain) == 0 || wrong(audit, "chain", output)) &&
           (strcmp(string_of(data, "input"), hex) == 0 || wrong(audit, "input is not the records' hash", output)) &&
           (text_equal(stated, held) || wrong(audit, "digest is not the state's", output));
}

/* ---- one record ---- */

/* Why the event was rejected, or "". What a deadline brought about may stand before that. */
static const char *reject_reason(const json_t *outputs)
{
    size_t index;
    json_t *output;
    json_array_foreach (outputs, index, output) {
        if (is_type(output, "event.rejected")) {
            return string_of(json_object_get(output, "data"), "reason");
        }
    }
    return "";
}

static int64_t minute_of(int64_t ms)
{
    return ms / MS_PER_MINUTE - (ms % MS_PER_MINUTE < 0);
}

/* Every event that gets past time_ahead moves partition time. */
static void move_time(struct audit *audit, const int64_t *event_time_ms, const json_t *outputs)
{
    const char *reason = reject_reason(outputs);
    bool counts = event_time_ms && strcmp(reason, "key_mismatch") != 0 && strcmp(reason, "time_ahead") != 0;
    if (counts && (!audit->has_time || *event_time_ms > audit->time_ms)) {
        audit->has_time = true;
        audit->time_ms = *event_time_ms;
    }
}

/* A refusal says in words what was wrong. */
static bool has_detail(const json_t *output)
{
    return (!is_type(output, "event.rejected") && !is_type(output, "call.denied") && !is_type(output, "sms.denied")) ||
           *string_of(json_object_get(output, "data"), "detail") != '\0';
}

static bool check_output(struct audit *audit, const struct fold_record *record, const json_t *output,
                         const char digest[DIGEST_HEX])
{
    if (!has_detail(output)) {
        return wrong(audit, "a refusal without a detail", output);
    }
    if (is_type(output, "ledger.posted")) {
        return check_entry(audit, record, output);
    }
    if (is_type(output, "balance.changed")) {
        return check_balance(audit, output);
    }
    if (is_type(output, "event.rejected")) {
        return check_reject(audit, record, output);
    }
    if (is_type(output, "state.attested")) {
        return check_attested(audit, record, output, digest);
    }
    if (is_type(output, "call.authorized")) {
        return begin_call(audit, output);
    }
    if (is_type(output, "call.recorded")) {
        keep_record(audit, output);
    }
    if (is_type(output, "account.recharge")) {
        return strcmp(string_of(output, "id"), string_of(json_object_get(output, "data"), "recharge_id")) == 0 ||
               wrong(audit, "recharge_id is not the record's id", output);
    }
    return true;
}

/* How many outputs of this type there are. */
static size_t count_type(const json_t *outputs, const char *type)
{
    size_t count = 0, index;
    json_t *output;
    json_array_foreach (outputs, index, output) {
        count += is_type(output, type);
    }
    return count;
}

bool audit_step(struct audit *audit, const struct fold_record *record, const int64_t *event_time_ms,
                const json_t *outputs, const char digest[DIGEST_HEX], const char *place)
{
    bool had_time = audit->has_time;
    int64_t minute = minute_of(audit->time_ms);
    audit->place = place;
    add_input(audit, record);
    move_time(audit, event_time_ms, outputs);
    bool attests =
        audit->inputs % ATTESTED_EVERY == 0 || (audit->has_time && !had_time) || minute_of(audit->time_ms) != minute;
    size_t n;
    json_t *output;
    json_array_foreach (outputs, n, output) {
        if (!check_envelope(audit, record, output, n) || !check_output(audit, record, output, digest)) {
            return false;
        }
    }
    if (count_type(outputs, "ledger.posted") != count_type(outputs, "balance.changed")) {
        return wrong(audit, "not one balance.changed with each ledger entry", outputs);
    }
    const json_t *last = json_array_get(outputs, json_array_size(outputs) - 1);
    return (count_type(outputs, "state.attested") == attests && (!attests || is_type(last, "state.attested"))) ||
           wrong(audit, attests ? "no attestation as the last output" : "an attestation too many", outputs);
}
