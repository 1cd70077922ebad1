/* cmd_rates_diff.c - callfold rates diff: what a new deck changes.
 *
 * What counts is what calls cost, so both decks are asked by longest match for
 * every prefix that either of them has: a prefix taken out changes nothing if
 * a shorter one prices its numbers alike, and raises their price if that one
 * is dearer. "Raised" is the meter's own notion (price or connection higher,
 * or not charged before and charged now; all of it when the decks' currencies
 * differ), as in ratedeck.accepted and the notice of increases.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "events/currency.h"
#include "processor/rates.h"
#include "terminal/message.h"

#define EX_DIFFERENCE 1

enum change_kind {
    CHANGE_RAISED,
    CHANGE_CUT,
    CHANGE_INCREMENTS,
    CHANGE_ADDED,
    CHANGE_REMOVED,
    CHANGE_BLOCKED,
    CHANGE_UNBLOCKED,
    CHANGE_TERMS, /* free to domestic or the other way */
    CHANGE_RENAMED,
    CHANGE_KINDS,
    CHANGE_NONE = CHANGE_KINDS,
};

static const char *const change_names[CHANGE_KINDS] = {"raised",  "cut",       "increments", "added",  "removed",
                                                       "blocked", "unblocked", "terms",      "renamed"};
static const char *const change_colours[CHANGE_KINDS] = {"red", "green", "yellow", NULL, "red",
                                                         "red", NULL,    NULL,     NULL};

struct diff_options {
    struct deck_options deck; /* holds for both */
    struct form_options form;
    const char *destination, *origin;
    bool notice;
};

struct change {
    enum change_kind kind;
    const struct deck_rate *old, *new; /* NULL: none matches */
    struct text origin, prefix;
};

struct diff {
    struct deck old, new;
    size_t count;
    struct change *changes;
    size_t counts[CHANGE_KINDS];
};

/* ---- what changed ---- */

static enum change_kind judge_charged(const struct deck_rate *old, const struct deck_rate *new, bool same_currency)
{
    if (!same_currency || new->price_micros > old->price_micros || new->connect_micros > old->connect_micros)
        return CHANGE_RAISED;
    if (new->price_micros < old->price_micros || new->connect_micros < old->connect_micros)
        return CHANGE_CUT;
    return new->first_s != old->first_s || new->step_s != old->step_s ? CHANGE_INCREMENTS : CHANGE_NONE;
}

static enum change_kind judge_terms(const struct deck_rate *old, const struct deck_rate *new, bool same_currency)
{
    enum rate_class before = rate_class_of(old), after = rate_class_of(new);
    if (before == CLASS_CHARGED && after == CLASS_CHARGED)
        return judge_charged(old, new, same_currency);
    if (before == after)
        return CHANGE_NONE;
    if (after == CLASS_BLOCKED)
        return CHANGE_BLOCKED;
    if (before == CLASS_BLOCKED)
        return CHANGE_UNBLOCKED;
    return after == CLASS_CHARGED ? CHANGE_RAISED : before == CLASS_CHARGED ? CHANGE_CUT : CHANGE_TERMS;
}

static enum change_kind judge(const struct deck_rate *old, const struct deck_rate *new, bool same_currency)
{
    if (old == NULL || new == NULL)
        return old == new ? CHANGE_NONE : old == NULL ? CHANGE_ADDED : CHANGE_REMOVED;
    enum change_kind kind = judge_terms(old, new, same_currency);
    bool same_name = text_equal(old->destination, new->destination) && text_equal(old->kind, new->kind);
    return kind == CHANGE_NONE && !same_name ? CHANGE_RENAMED : kind;
}

static const struct deck_rate *match_by_name(const struct deck *deck, struct text origin, struct text prefix)
{
    size_t place = deck_find_origin(deck, origin);
    return place == deck->origin_count ? NULL : deck_match(deck, place, prefix);
}

static bool is_asked(const struct diff_options *options, const struct change *change)
{
    struct text destination = (change->new != NULL ? change->new : change->old)->destination;
    if (options->origin != NULL && !text_equal(change->origin, text_of(options->origin)))
        return false;
    if (options->notice && change->kind != CHANGE_RAISED)
        return false;
    return text_contains(destination, options->destination);
}

/* Looks at what `source`'s prefix costs in both decks; those that the new deck
 * has too are looked at there. */
static void add_change(struct diff *diff, const struct diff_options *options, const struct deck_rate *source,
                       bool is_of_old)
{
    struct change change = {.origin = source->origin, .prefix = source->prefix};
    change.old = match_by_name(&diff->old, source->origin, source->prefix);
    change.new = match_by_name(&diff->new, source->origin, source->prefix);
    if (is_of_old && change.new != NULL &&text_equal(change.new->prefix, source->prefix))
        return;
    change.kind = judge(change.old, change.new, diff->old.currency == diff->new.currency);
    if (change.kind == CHANGE_NONE || !is_asked(options, &change))
        return;
    diff->counts[change.kind]++;
    diff->changes[diff->count++] = change;
}

/* ---- the table ---- */

static int compare_rates(const struct deck_rate *a, const struct deck_rate *b)
{
    if (a == NULL || b == NULL)
        return a == b ? 0 : a == NULL ? -1 : 1;
    int order = text_compare(a->destination, b->destination);
    if (order == 0)
        order = text_compare(a->kind, b->kind);
    return order != 0 ? order : compare_terms(a, b);
}

static int compare_but_prefix(const struct change *a, const struct change *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    int order = text_compare(a->origin, b->origin);
    if (order == 0)
        order = compare_rates(a->new, b->new);
    return order != 0 ? order : compare_rates(a->old, b->old);
}

static int compare_changes(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    int order = compare_but_prefix(a, b);
    return order != 0 ? order : text_compare(a->prefix, b->prefix);
}

/* The price's change in tenths of a percent, half away from zero; nothing
 * where there is no price to compare with. */
static void print_percent(struct table *table, const struct change *change, bool same_currency)
{
    bool is_comparable = same_currency && change->old != NULL &&
                         change->new != NULL &&rate_class_of(change->old) ==
                             CLASS_CHARGED &&rate_class_of(change->new) == CLASS_CHARGED &&
                         change->old->price_micros > 0 && change->old->price_micros != change->new->price_micros;
    if (!is_comparable) {
        table_blank(table);
        return;
    }
    __int128 old = change->old->price_micros, step = (__int128)change->new->price_micros - old;
    __int128 tenths = (2 * (step < 0 ? -step : step) * 1000 + old) / (2 * old);
    int64_t shown = tenths > INT64_MAX ? INT64_MAX : (int64_t)tenths;
    table_number(table, step < 0 ? -shown : shown, 1);
}

/* "60/6", or "1/1 to 60/6" where they change. */
static void print_increments(struct table *table, const struct change *change)
{
    char old[INCREMENTS_TEXT_MAX], new[INCREMENTS_TEXT_MAX], both[2 * INCREMENTS_TEXT_MAX + 4];
    increments_text(change->old, old);
    increments_text(change->new, new);
    bool has_both = old[0] != '\0' && new[0] != '\0' && strcmp(old, new) != 0;
    snprintf(both, sizeof both, "%s%s%s", has_both || new[0] == '\0' ? old : "", has_both ? " to " : "", new);
    table_string(table, both);
}

static void print_change(struct table *table, const struct diff *diff, const struct change *change,
                         const char *prefixes)
{
    const struct deck_rate *named = change->new != NULL ? change->new : change->old;
    const struct pricing old = {.from = diff->old.currency, .to = diff->old.currency};
    const struct pricing new = {.from = diff->new.currency, .to = diff->new.currency};
    char before[PRICE_TEXT_MAX], after[PRICE_TEXT_MAX];
    pricing_text(&old, change->old, before); /* without conversion it always fits */
    pricing_text(&new, change->new, after);
    table_row(table, change_colours[change->kind]);
    table_string(table, change_names[change->kind]);
    table_text(table, change->origin);
    table_text(table, named->destination);
    table_text(table, named->kind);
    table_string(table, prefixes);
    table_text(table, change->old == NULL ? TEXT_NONE : text_of(before));
    table_text(table, change->new == NULL ? TEXT_NONE : text_of(after));
    print_percent(table, change, diff->old.currency == diff->new.currency);
    print_increments(table, change);
}

static int print_diff(const struct diff *diff, enum table_format format)
{
    char old[CURRENCY_TEXT_MAX], new[CURRENCY_TEXT_MAX], old_heading[16], new_heading[16];
    currency_format(diff->old.currency, old);
    currency_format(diff->new.currency, new);
    snprintf(old_heading, sizeof old_heading, "OLD %s", old);
    snprintf(new_heading, sizeof new_heading, "NEW %s", new);
    const struct table_column columns[] = {
        {"change", "CHANGE", COLUMN_WORD, NULL, 0},           {"origin", "ORIGIN", COLUMN_WORD, NULL, 0},
        {"destination", "DESTINATION", COLUMN_NAME, NULL, 0}, {"kind", "KIND", COLUMN_NAME, "", 1},
        {"prefix", "PREFIX", COLUMN_WORD, NULL, 2},           {"old", old_heading, COLUMN_AMOUNT, NULL, 0},
        {"new", new_heading, COLUMN_AMOUNT, NULL, 0},         {"percent", "%", COLUMN_NUMBER, NULL, 0},
        {"increments", "INCR.", COLUMN_WORD, "1/1", 0},
    };
    struct table *table = table_begin(format, stdout, columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < diff->count;) {
        const struct change *first = &diff->changes[i];
        struct prefix_list prefixes = {0};
        do
            prefix_list_add(&prefixes, diff->changes[i++].prefix);
        while (format == TABLE_ALIGNED && i < diff->count && compare_but_prefix(first, &diff->changes[i]) == 0);
        print_change(table, diff, first, prefix_list_text(&prefixes));
    }
    return end_table(table);
}

static void note_counts(const struct diff *diff)
{
    char line[256] = "", count[COUNT_TEXT_MAX];
    size_t len = 0;
    for (size_t i = 0; i < CHANGE_KINDS; i++)
        if (diff->counts[i] > 0)
            len += (size_t)snprintf(line + len, sizeof line - len, "%s%s %s", len > 0 ? ", " : "",
                                    count_format((int64_t)diff->counts[i], count), change_names[i]);
    message_note("%s", diff->count == 0 ? "no difference" : line);
}

static int compare_decks(struct diff *diff, const struct diff_options *options, enum table_format format)
{
    diff->changes = malloc((diff->old.count + diff->new.count + 1) * sizeof *diff->changes);
    if (diff->changes == NULL)
        abort();
    for (size_t i = 0; i < diff->new.count; i++)
        add_change(diff, options, &diff->new.rates[i], false);
    for (size_t i = 0; i < diff->old.count; i++)
        add_change(diff, options, &diff->old.rates[i], true);
    qsort(diff->changes, diff->count, sizeof *diff->changes, compare_changes);
    int code = print_diff(diff, format);
    note_counts(diff);
    free(diff->changes);
    return code != EX_OK ? code : diff->count > 0 ? EX_DIFFERENCE : EX_OK;
}

static int diff_files(const struct diff_options *options, const char *old, const char *new, enum table_format format)
{
    struct diff diff = {0};
    int code = deck_read(&diff.old, old, &options->deck);
    if (code == EX_OK)
        code = deck_read(&diff.new, new, &options->deck);
    if (code == EX_OK)
        code = compare_decks(&diff, options, format);
    deck_free(&diff.old);
    deck_free(&diff.new);
    return code;
}

int rates_diff(int argc, char **argv)
{
    struct diff_options options = {0};
    /* clang-format off */
    const struct option_spec specs[] = {
        {.name = "notice", .kind = OPTION_FLAG, .target = &options.notice,
         .help = "only what is raised: what customers must be told"},
        {.name = "from-origin", .kind = OPTION_TEXT, .target = &options.origin, .value = "NAME",
         .help = "only calls from this origin"},
        {.name = "destination", .kind = OPTION_TEXT, .target = &options.destination, .value = "TEXT",
         .help = "only destinations with TEXT in their name"},
        DECK_OPTION_SPECS("deck-currency", options.deck),
        FORM_OPTION_SPECS(options.form),
    };
    /* clang-format on */
    const struct option_table table = {
        .command = "callfold rates diff",
        .usage = "OLD.csv NEW.csv [OPTIONS]",
        .about = "Shows what calls cost otherwise under the new deck, prefix by prefix and by\n"
                 "longest match: raised, cut, other increments, added, removed, blocked,\n"
                 "unblocked, renamed. A call is raised when its price or connection is higher, or\n"
                 "when it was not charged before; decks in two currencies raise everything. The\n"
                 "exit code is 1 when there is a difference (with --notice: when something is\n"
                 "raised), else 0.",
        .examples = "  callfold rates diff october.csv november.csv\n"
                    "  callfold rates diff october.csv november.csv --notice --csv > notice.csv",
        .specs = specs,
        .count = sizeof specs / sizeof specs[0],
        .operands_least = 2,
        .operands_most = 2,
    };
    int exit_code;
    enum table_format format;
    if (options_parse(&table, &argc, argv, &exit_code))
        exit_code = table_format_chosen(options.form.json, options.form.csv, &format)
                        ? diff_files(&options, argv[1], argv[2], format)
                        : EX_USAGE;
    free(options.deck.origins.values);
    return exit_code;
}
