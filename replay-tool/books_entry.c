/* books_entry.c - ledger entries as rows. See books.h. */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "replay-tool/books_internal.h"
#include "snapshots/files.h"

static bool adds_up(const struct output *output)
{
    for (size_t i = 0; i < output->data.entry.posting_count; i++) {
        __int128 sum = 0;
        for (size_t j = 0; j < output->data.entry.posting_count; j++)
            if (output->data.entry.postings[j].currency == output->data.entry.postings[i].currency)
                sum += output->data.entry.postings[j].micros;
        if (sum != 0)
            return false;
    }
    return true;
}

/* The account's sum of amounts, and the balance that the entry says. */
static bool move_balance(struct books *books, const struct output *output, bool is_later)
{
    sql_begin(books->move_balance);
    sql_text(books->move_balance, output->subject);
    sql_integer(books->move_balance, output->data.entry.amount_micros);
    sql_integer(books->move_balance, output->data.entry.balance_micros);
    sql_integer(books->move_balance, is_later);
    return sql_run(books->move_balance) == 1 || !sql_is_sound(books->sql);
}

static void add_entry(struct books *books, const struct history_step *step, const struct output *output)
{
    struct sql_statement *add = books->add_entry;
    books_name(add, output->subject, output->data.entry.reference);
    sql_string(add, entry_kind_name(output->data.entry.kind));
    sql_integer(add, step->partition);
    sql_integer(add, output->data.entry.entry);
    sql_integer(add, step->record->offset);
    books_put_instant(add, step->outputs->time_ms);
    books_put_day(add, true, output->data.entry.date);
    books_put_day(add, output->data.entry.has_for_date, output->data.entry.for_date);
    books_put_currency(books, add, output->data.entry.currency);
    sql_integer(add, output->data.entry.amount_micros);
    sql_integer(add, output->data.entry.balance_micros);
    sql_text(add, (struct text){output->data.entry.hash, HASH_HEX});
    sql_run(add);
}

static void put_ledger_account(struct sql_statement *statement, const struct posting *posting)
{
    char name[256]; /* a prefix of ours and at most 128 bytes */
    int len = snprintf(name, sizeof name, "%s%.*s", posting->prefix, TEXT_ARGS(posting->name));
    sql_copy(statement, (struct text){name, (size_t)len});
}

static void add_posting(struct books *books, uint32_t partition, int64_t entry, int number,
                        const struct posting *posting)
{
    sql_begin(books->add_posting);
    sql_integer(books->add_posting, partition);
    sql_integer(books->add_posting, entry);
    sql_integer(books->add_posting, number);
    put_ledger_account(books->add_posting, posting);
    books_put_currency(books, books->add_posting, posting->currency);
    sql_integer(books->add_posting, posting->micros);
    sql_run(books->add_posting);
}

void books_add_opening(struct books *books, const struct posting *posting)
{
    sql_begin(books->add_opening);
    put_ledger_account(books->add_opening, posting);
    books_put_currency(books, books->add_opening, posting->currency);
    sql_integer(books->add_opening, posting->micros);
    sql_run(books->add_opening);
}

static void take_entry(struct books *books, const struct history_step *step, const struct output *output,
                       enum range_side side)
{
    int64_t entry = output->data.entry.entry;
    if (side == RANGE_WITHIN)
        add_entry(books, step, output);
    for (size_t i = 0; i < output->data.entry.posting_count; i++) {
        const struct posting *posting = &output->data.entry.postings[i];
        if (side == RANGE_WITHIN)
            add_posting(books, step->partition, entry, (int)i + 1, posting);
        else if (side == RANGE_BEFORE)
            books_add_opening(books, posting);
    }
}

bool books_posted(struct books *books, const struct history_step *step, const struct output *output)
{
    int64_t entry = output->data.entry.entry;
    if (entry != ++books->entries[step->partition])
        return fail_with(books->error, EX_SOFTWARE,
                         "partition %" PRIu32 " goes on with ledger entry %" PRId64 " where %" PRId64
                         " should be; keep the events and report this",
                         step->partition, entry, books->entries[step->partition]);
    if (!range_has_account(books->range, step->partition, output->subject))
        return true;
    if (books->is_from_base)
        books_open_account(books, step->partition, output->subject, output->data.entry.currency,
                           output->data.entry.balance_micros - output->data.entry.amount_micros);
    enum range_side side = range_of_entry(books->range, step->partition, entry, output->data.entry.date);
    if (!adds_up(output) || !move_balance(books, output, side == RANGE_AFTER))
        return fail_with(books->error, EX_SOFTWARE,
                         "ledger entry %" PRIu32 ":%" PRId64
                         ": its postings or the account's amounts do not add up; keep the events and report this",
                         step->partition, entry);
    books_charge_call(books, step, output);
    take_entry(books, step, output, side);
    return true;
}
