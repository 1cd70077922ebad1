/* Double entry and the chain over it. */
#include "processor/fold/internal.h"

#include <stdio.h>

#define LINE_MAX_BYTES 4096

void entry_posting(struct entry *entry, const char *prefix, struct text name, int64_t micros, uint32_t currency)
{
    if (micros != 0)
        entry->postings[entry->posting_count++] =
            (struct posting){.prefix = prefix, .name = name, .micros = micros, .currency = currency};
}

struct text currency_text(struct fold *fold, uint32_t currency)
{
    char code[CURRENCY_TEXT_MAX];
    currency_format(currency, code);
    return text_copy(fold, text_of(code));
}

/* --- the line an auditor hashes --- */

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t len;
};

static void line_char(struct line *line, char c)
{
    line->bytes[line->len++] = c;
}

/* Percent-encodes all but A-Z a-z 0-9 . _ : + - (RFC 3986 writes the digits in capitals). */
static void line_text(struct line *line, struct text text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
                     c == '_' || c == ':' || c == '+' || c == '-';
        if (plain) {
            line_char(line, (char)c);
        } else {
            line_char(line, '%');
            line_char(line, "0123456789ABCDEF"[c >> 4]);
            line_char(line, "0123456789ABCDEF"[c & 15]);
        }
    }
}

static void line_number(struct line *line, int64_t number)
{
    line->len += (size_t)snprintf(line->bytes + line->len, 24, "%lld", (long long)number);
}

static void line_money(struct line *line, int64_t micros)
{
    line->len += money_format(micros, line->bytes + line->len);
}

static void line_currency(struct line *line, uint32_t currency)
{
    currency_format(currency, line->bytes + line->len);
    line->len += 3;
}

static void line_postings(struct line *line, const struct entry *entry)
{
    for (size_t i = 0; i < entry->posting_count; i++) {
        const struct posting *posting = &entry->postings[i];
        if (i > 0)
            line_char(line, ';');
        line_text(line, text_of(posting->prefix));
        line_text(line, posting->name);
        line_char(line, ' ');
        line_money(line, posting->micros);
        line_char(line, ' ');
        line_currency(line, posting->currency);
    }
}

/* entry|time|kind|account|amount|currency|balance|reference|partition-offset|date|postings */
static struct text line_of(struct fold *fold, const struct account_step *step, const struct entry *entry, int32_t date)
{
    struct line line = {.len = 0};
    line_number(&line, fold->p->entries);
    line_char(&line, '|');
    line.len += instant_format(fold->p->time_ms, line.bytes + line.len);
    line_char(&line, '|');
    line_text(&line, text_of(entry_kind_name(entry->kind)));
    line_char(&line, '|');
    line_text(&line, step_id(step));
    line_char(&line, '|');
    line_money(&line, entry->amount_micros);
    line_char(&line, '|');
    line_currency(&line, step->account->currency);
    line_char(&line, '|');
    line_money(&line, step->account->posted_micros);
    line_char(&line, '|');
    line_text(&line, entry->reference);
    line_char(&line, '|');
    line_number(&line, fold->partition);
    line_char(&line, '-');
    line_number(&line, fold->record->offset);
    line_char(&line, '|');
    line.len += day_format(date, line.bytes + line.len);
    line_char(&line, '|');
    line_postings(&line, entry);
    return text_copy(fold, (struct text){line.bytes, line.len});
}

static void chain(struct fold *fold, struct text line, char hash[HASH_HEX])
{
    SHA256_CTX sha;
    uint8_t sum[HASH_SIZE];
    SHA256_Init(&sha);
    SHA256_Update(&sha, fold->p->chain, HASH_HEX);
    SHA256_Update(&sha, "\n", 1);
    SHA256_Update(&sha, line.at, line.len);
    SHA256_Final(sum, &sha);
    hex_encode(sum, sizeof sum, hash);
}

/* A day is final once partition time is stale_after_ms past its end: by then
 * every call that went silent on it has been closed. What was final under an
 * earlier policy stays final. */
int32_t ledger_final_day(const struct fold *fold)
{
    if (fold->p->time_ms == TIME_NEVER)
        return fold->p->final_day;
    int32_t day = instant_day(fold->p->time_ms - fold->policy->number[POLICY_STALE_AFTER_MS]) - 1;
    return day > fold->p->final_day ? day : fold->p->final_day;
}

void ledger_keep_final(struct fold *fold)
{
    fold->p->final_day = ledger_final_day(fold);
}

void ledger_post(struct account_step *step, const struct entry *entry)
{
    struct fold *fold = step->fold;
    struct account_record *account = step->account;
    bool is_final = entry->money_day <= ledger_final_day(fold);
    account->posted_micros += entry->amount_micros;
    fold->p->entries++;

    struct output *output = emit(fold, OUTPUT_LEDGER_POSTED, step_id(step));
    output->data.entry.entry = fold->p->entries;
    output->data.entry.kind = entry->kind;
    output->data.entry.account = step_id(step);
    output->data.entry.amount_micros = entry->amount_micros;
    output->data.entry.balance_micros = account->posted_micros;
    output->data.entry.currency = account->currency;
    output->data.entry.date = is_final ? instant_day(fold->p->time_ms) : entry->money_day;
    output->data.entry.has_for_date = is_final;
    output->data.entry.for_date = entry->money_day;
    output->data.entry.reference = entry->reference;
    output->data.entry.posting_count = entry->posting_count;
    memcpy(output->data.entry.postings, entry->postings, sizeof entry->postings);
    output->data.entry.line = line_of(fold, step, entry, output->data.entry.date);
    memcpy(output->data.entry.prev, fold->p->chain, HASH_HEX);
    chain(fold, output->data.entry.line, output->data.entry.hash);
    memcpy(fold->p->chain, output->data.entry.hash, HASH_HEX);

    output = emit(fold, OUTPUT_BALANCE_CHANGED, step_id(step));
    output->data.balance.balance_micros = account->posted_micros;
    output->data.balance.available_micros = account_available(account);
    output->data.balance.entry = fold->p->entries;
    output->data.balance.currency = account->currency;
}

void ledger_post_call(struct account_step *step, struct text call, struct text destination, int64_t micros,
                      int32_t money_day)
{
    struct entry entry = {.kind = ENTRY_CALL, .amount_micros = -micros, .money_day = money_day, .reference = call};
    entry_posting(&entry, "customer:", step_id(step), micros, step->account->currency);
    entry_posting(&entry, "revenue:", destination, -micros, step->account->currency);
    ledger_post(step, &entry);
}
