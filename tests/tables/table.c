#include "tests/tables/table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "events/instant.h"
#include "tests/tables/pool.h"
#include "tests/tables/columns.h"

#define NOWHERE ((size_t)-1)

struct source_line {
    const char *file, *text;
    int number;
};

struct setup {
    const char *name;
    size_t count, capacity;
    struct source_line *lines;
};

struct parser {
    struct tables *tables;
    struct pool *pool;
    size_t setup_count, setup_capacity;
    struct setup *setups;
    struct setup *collecting; /* lines go here instead of being read */
    int use_depth;            /* > 0: reading a set-up's lines */
    char day[DAY_TEXT_MAX];
    int64_t repeat;                /* for the next input line */
    size_t origin_step, rate_step; /* where `origin` and `rate` lines go */
    struct source_line at;
};

static bool fail(const struct parser *parser, const char *what, const char *which)
{
    fprintf(stderr, "%s:%d: %s%s%s\n", parser->at.file, parser->at.number, what, which ? ": " : "", which ? which : "");
    return false;
}

/* ---- tokens ---- */

/* The end of the token at `at`: the next blank outside quotes and brackets. */
static const char *token_end(const char *at)
{
    int depth = 0;
    for (bool quoted = false; *at; at++) {
        if (quoted) {
            at += *at == '\\' && at[1] ? 1 : 0;
            quoted = *at != '"';
        } else if (depth == 0 && isspace((unsigned char)*at)) {
            return at;
        } else {
            quoted = *at == '"';
            depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
        }
    }
    return at;
}

/* The next token of *rest, or NULL at the end of the line or at a comment. */
static char *next_token(struct parser *parser, const char **rest)
{
    const char *at = *rest;
    while (isspace((unsigned char)*at)) {
        at++;
    }
    if (*at == '\0' || *at == '#') {
        return NULL;
    }
    *rest = token_end(at);
    return pool_string(parser->pool, at, (size_t)(*rest - at));
}

static bool read_instant(struct parser *parser, const char *text, int64_t *ms)
{
    return table_instant(parser->day, text, ms) || fail(parser, "not a time", text);
}

/* ---- members ---- */

/* name=value, name:=json, name~text or -name. */
static bool read_member(struct parser *parser, const char *token, struct member *member)
{
    size_t len = strcspn(token, "=~:");
    if (*token == '-') {
        *member = (struct member){.name = token + 1, .test = MEMBER_ABSENT};
        return true;
    }
    bool raw = token[len] == ':' && token[len + 1] == '=';
    member->name = pool_string(parser->pool, token, len);
    member->test = token[len] == '~' ? MEMBER_HAS : MEMBER_IS;
    const char *text = token + len + (raw ? 2 : 1);
    json_t *value = raw                          ? json_loads(text, JSON_DECODE_ANY, NULL)
                    : member->test == MEMBER_HAS ? json_string(text)
                                                 : member_value(parser->day, member->name, text);
    member->value = value ? pool_json(parser->pool, value) : NULL;
    return value || fail(parser, "not a value of this member", token);
}

/* True for a token that names its member; a bare word stands for a column. */
static bool names_member(const char *token)
{
    size_t name = strspn(token, "@abcdefghijklmnopqrstuvwxyz_");
    return (name > 0 && (token[name] == '=' || token[name] == '~' || strncmp(token + name, ":=", 2) == 0)) ||
           (*token == '-' && strchr("@abcdefghijklmnopqrstuvwxyz", token[1]) && token[1]);
}

static bool read_column(struct parser *parser, const char *name, const char *token, struct member *member)
{
    json_t *value = name ? member_value(parser->day, name, token) : NULL;
    if (!value) {
        return fail(parser, name ? "not a value of this column" : "a bare word beyond the columns of this type", token);
    }
    *member = (struct member){.name = name, .test = MEMBER_IS, .value = pool_json(parser->pool, value)};
    return true;
}

/* Bare words fill the columns of the type, "-" leaves one out. */
static bool read_members(struct parser *parser, const char *type, const char *rest, struct members *members)
{
    size_t column = 0;
    for (char *token; (token = next_token(parser, &rest));) {
        if (strcmp(token, "-") == 0) {
            column++;
            continue;
        }
        struct member *member = POOL_APPEND(parser->pool, members->items, members->count, members->capacity);
        bool good = names_member(token) ? read_member(parser, token, member)
                                        : read_column(parser, column_name(type, column++), token, member);
        if (!good) {
            return false;
        }
    }
    return true;
}

static void set_member(struct parser *parser, struct step *step, const char *name, json_t *value)
{
    for (size_t i = 0; i < step->members.count; i++) {
        if (strcmp(step->members.items[i].name, name) == 0) {
            step->members.items[i].value = pool_json(parser->pool, value);
            return;
        }
    }
    struct members *members = &step->members;
    struct member *member = POOL_APPEND(parser->pool, members->items, members->count, members->capacity);
    *member = (struct member){.name = name, .test = MEMBER_IS, .value = pool_json(parser->pool, value)};
}

/* ---- steps ---- */

static struct table_case *current_case(struct parser *parser)
{
    struct tables *tables = parser->tables;
    return tables->case_count ? &tables->cases[tables->case_count - 1] : NULL;
}

static struct step *last_step(struct parser *parser)
{
    struct table_case *table = current_case(parser);
    return table && table->step_count ? &table->steps[table->step_count - 1] : NULL;
}

static struct step *add_step(struct parser *parser, enum step_kind kind)
{
    struct table_case *table = current_case(parser);
    if (!table) {
        fail(parser, "an input line before the first case", NULL);
        return NULL;
    }
    struct step *step = POOL_APPEND(parser->pool, table->steps, table->step_count, table->step_capacity);
    step->file = parser->at.file;
    step->line = parser->at.number;
    step->kind = kind;
    step->repeat = parser->repeat;
    step->checked = parser->use_depth == 0;
    parser->repeat = 1;
    parser->origin_step = parser->rate_step = NOWHERE;
    return step;
}

/* TYPE SUBJECT name=value... */
static bool read_event(struct parser *parser, int64_t time_ms, const char *type, const char *rest)
{
    const char *subject = next_token(parser, &rest);
    struct step *step = add_step(parser, STEP_EVENT);
    if (!step || !subject) {
        return fail(parser, "an input line is: TIME TYPE ACCOUNT name=value...", NULL);
    }
    step->time_ms = time_ms;
    step->type = type;
    step->subject = strcmp(subject, "-") == 0 ? NULL : subject;
    parser->origin_step = parser->rate_step = current_case(parser)->step_count - 1;
    return read_members(parser, type, rest, &step->members);
}

static bool deck_step(struct parser *parser, int64_t time_ms, const char *type, const char *deck_id)
{
    struct step *step = add_step(parser, STEP_EVENT);
    if (!step) {
        return false;
    }
    step->time_ms = time_ms;
    step->type = type;
    set_member(parser, step, "deck_id", json_string(deck_id));
    return true;
}

/* deck ID CURRENCY [effective_at=T]: the three events of a deck at one time. */
static bool read_deck(struct parser *parser, int64_t time_ms, const char *rest)
{
    const char *deck_id = next_token(parser, &rest);
    const char *currency = next_token(parser, &rest);
    if (!deck_id || !currency) {
        return fail(parser, "a deck is: TIME deck ID CURRENCY [effective_at=TIME]", NULL);
    }
    if (!deck_step(parser, time_ms, "ratedeck.opened", deck_id)) {
        return false;
    }
    struct step *opened = last_step(parser);
    char written[INSTANT_TEXT_MAX];
    instant_format(time_ms, written);
    set_member(parser, opened, "currency", json_string(currency));
    if (!read_members(parser, "", rest, &opened->members)) {
        return false;
    }
    if (opened->members.count == 2) {
        set_member(parser, opened, "effective_at", json_string(written));
    }
    deck_step(parser, time_ms, "ratedeck.rates", deck_id);
    deck_step(parser, time_ms, "ratedeck.published", deck_id);
    set_member(parser, last_step(parser), "rates", json_integer(0));
    parser->rate_step = current_case(parser)->step_count - 2;
    parser->origin_step = parser->rate_step - 1;
    return true;
}

/* ---- lines under an input line ---- */

static bool add_to_list(struct parser *parser, size_t index, json_t *item)
{
    if (index == NOWHERE) {
        json_decref(item);
        return fail(parser, "origin and rate lines stand under a deck's event", NULL);
    }
    struct step *step = &current_case(parser)->steps[index];
    if (!step->list) {
        step->list = pool_json(parser->pool, json_array());
    }
    json_array_append_new(step->list, item);
    struct step *last = last_step(parser);
    if (last != step && index == parser->rate_step) {
        set_member(parser, last, "rates", json_integer((json_int_t)json_array_size(step->list)));
    }
    return true;
}

/* origin NAME COUNTRY CURRENCY */
static bool read_origin(struct parser *parser, const char *rest)
{
    const char *origin = next_token(parser, &rest);
    const char *country = next_token(parser, &rest);
    const char *currency = next_token(parser, &rest);
    if (!currency) {
        return fail(parser, "an origin is: origin NAME COUNTRY CURRENCY", NULL);
    }
    return add_to_list(parser, parser->origin_step,
                       json_pack("{ssssss}", "origin", origin, "country", country, "currency", currency));
}

static bool add_rate(struct parser *parser, const char *const column[5], const char *prefix,
                     const struct members *members)
{
    json_t *rate =
        json_pack("{ssssssss}", "origin", column[0], "prefix", prefix, "destination", column[2], "status", column[3]);
    if (strcmp(column[4], "-") != 0) {
        json_object_set_new(rate, "price", json_string(column[4]));
    }
    for (size_t i = 0; i < members->count; i++) {
        json_object_set(rate, members->items[i].name, members->items[i].value);
    }
    return add_to_list(parser, parser->rate_step, rate);
}

/* rate ORIGIN PREFIX DESTINATION STATUS PRICE|- name=value...; a prefix may be
 * a range, +331000..+331999, for one rate each. */
static bool read_rate(struct parser *parser, const char *rest)
{
    const char *column[5];
    for (size_t i = 0; i < 5; i++) {
        column[i] = next_token(parser, &rest);
        if (!column[i]) {
            return fail(parser, "a rate is: rate ORIGIN PREFIX DESTINATION STATUS PRICE|- name=value...", NULL);
        }
    }
    struct members members = {0};
    if (!read_members(parser, "", rest, &members)) {
        return false;
    }
    const char *range = strstr(column[1], "..");
    if (!range) {
        return add_rate(parser, column, column[1], &members);
    }
    bool added = true;
    for (long long number = atoll(column[1] + 1); added && number <= atoll(range + 3); number++) {
        char prefix[24];
        snprintf(prefix, sizeof prefix, "+%lld", number);
        added = add_rate(parser, column, prefix, &members);
    }
    return added;
}

/* posting ACCOUNT AMOUNT CURRENCY */
static bool read_posting(struct parser *parser, struct step *step, const char *rest)
{
    const char *account = next_token(parser, &rest);
    const char *amount = next_token(parser, &rest);
    const char *currency = next_token(parser, &rest);
    if (!currency || step->expected_count == 0) {
        return fail(parser, "under a ledger line: posting ACCOUNT AMOUNT CURRENCY", NULL);
    }
    struct expected *expected = &step->expected[step->expected_count - 1];
    if (!expected->postings) {
        expected->postings = pool_json(parser->pool, json_array());
    }
    json_array_append_new(expected->postings,
                          json_pack("{ssssss}", "account", account, "amount", amount, "currency", currency));
    return true;
}

static bool read_expected(struct parser *parser, struct step *step, const char *type, const char *rest)
{
    struct expected *expected =
        POOL_APPEND(parser->pool, step->expected, step->expected_count, step->expected_capacity);
    expected->line = parser->at.number;
    expected->type = type;
    return read_members(parser, type, rest, &expected->members);
}

static bool read_under(struct parser *parser, const char *rest)
{
    const char *word = next_token(parser, &rest);
    struct step *step = last_step(parser);
    if (!word) {
        return true;
    }
    if (!step) {
        return fail(parser, "an indented line without an input line above it", NULL);
    }
    if (strcmp(word, "origin") == 0) {
        return read_origin(parser, rest);
    }
    if (strcmp(word, "rate") == 0) {
        return read_rate(parser, rest);
    }
    step->checked = true;
    if (strcmp(word, "posting") == 0) {
        return read_posting(parser, step, rest);
    }
    if (strcmp(word, "nothing") == 0) {
        return true;
    }
    if (strcmp(word, "duplicate") == 0) {
        return step->duplicate = true;
    }
    if (strcmp(word, "strict") == 0) {
        return step->strict = true;
    }
    return read_expected(parser, step, word, rest);
}

/* ---- raw records ---- */

static bool add_raw(struct parser *parser, const char *bytes, size_t len)
{
    struct step *step = add_step(parser, STEP_RAW);
    if (step) {
        step->raw = (struct text){pool_string(parser->pool, bytes, len), len};
    }
    return step != NULL;
}

/* bytes 7b22ff: hex digits. */
static bool read_bytes(struct parser *parser, const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *bytes = pool_alloc(parser->pool, len + 1);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) {
            return fail(parser, "not hex digits", hex);
        }
        bytes[i] = (char)byte;
    }
    return add_raw(parser, bytes, len);
}

/* A record whose `data.pad` is `unit` opened and closed until the record has
 * the wanted number of levels, or one string until it has that many bytes. */
static bool read_generated(struct parser *parser, bool levels, size_t wanted)
{
    static const char head[] = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/table\",\"type\":"
                               "\"callfold.clock.advanced\",\"time\":\"2026-11-23T08:00:00Z\",\"data\":{\"pad\":";
    size_t head_len = sizeof head - 1, used = levels ? 2 : head_len + 4;
    if (wanted <= used) {
        return fail(parser, "too small a record", NULL);
    }
    size_t fill = wanted - used, len = head_len + (levels ? 2 * fill : fill + 2) + 2;
    char *record = pool_alloc(parser->pool, len + 1);
    memcpy(record, head, head_len);
    if (levels) {
        memset(record + head_len, '[', fill);
        memset(record + head_len + fill, ']', fill);
    } else {
        memset(record + head_len, 'x', fill + 2);
        record[head_len] = record[head_len + fill + 1] = '"';
    }
    memcpy(record + len - 2, "}}", 2);
    return add_raw(parser, record, len);
}

/* ---- lines ---- */

static bool read_line(struct parser *parser, struct source_line line);

static bool begin_case(struct parser *parser, const char *rest)
{
    while (isspace((unsigned char)*rest)) {
        rest++;
    }
    struct tables *tables = parser->tables;
    struct table_case *table = POOL_APPEND(parser->pool, tables->cases, tables->case_count, tables->case_capacity);
    table->file = parser->at.file;
    table->line = parser->at.number;
    table->name = pool_string(parser->pool, rest, strlen(rest));
    strcpy(parser->day, "2026-11-23");
    parser->repeat = 1;
    return true;
}

static bool use_setup(struct parser *parser, const char *name)
{
    for (size_t i = 0; name && i < parser->setup_count; i++) {
        if (strcmp(parser->setups[i].name, name) != 0) {
            continue;
        }
        bool good = true;
        struct source_line at = parser->at;
        parser->use_depth++;
        for (size_t k = 0; good && k < parser->setups[i].count; k++) {
            good = read_line(parser, parser->setups[i].lines[k]);
        }
        parser->use_depth--;
        parser->at = at;
        return good;
    }
    return fail(parser, "no set-up of this name", name);
}

static bool begin_setup(struct parser *parser, const char *name)
{
    parser->collecting = POOL_APPEND(parser->pool, parser->setups, parser->setup_count, parser->setup_capacity);
    parser->collecting->name = name ? name : "";
    return true;
}

static bool read_partition(struct parser *parser, struct table_case *table, const char *rest)
{
    const char *partition = next_token(parser, &rest), *of = next_token(parser, &rest);
    const char *count = next_token(parser, &rest);
    if (!table || !of || !count) {
        return fail(parser, "in a case: partition P of N", NULL);
    }
    table->partition = (uint32_t)atol(partition);
    table->partition_count = (uint32_t)atol(count);
    return true;
}

static bool read_timed(struct parser *parser, const char *time, const char *rest)
{
    int64_t ms;
    const char *word = next_token(parser, &rest);
    if (!read_instant(parser, time, &ms) || !word) {
        return fail(parser, "neither a directive nor an input line", time);
    }
    return strcmp(word, "deck") == 0 ? read_deck(parser, ms, rest) : read_event(parser, ms, word, rest);
}

static bool read_until(struct parser *parser, const char *time)
{
    struct step *step = add_step(parser, STEP_UNTIL);
    return step && (time || fail(parser, "until which time?", NULL)) && read_instant(parser, time, &step->time_ms);
}

static bool include_file(struct parser *parser, const char *name);

static bool read_directive(struct parser *parser, const char *word, const char *rest)
{
    struct table_case *table = current_case(parser);
    if (strcmp(word, "case") == 0) {
        return begin_case(parser, rest);
    }
    if (strcmp(word, "raw") == 0) {
        return add_raw(parser, rest + (*rest == ' '), strlen(rest + (*rest == ' ')));
    }
    if (strcmp(word, "partition") == 0) {
        return read_partition(parser, table, rest);
    }
    if (strcmp(word, "size") == 0 || strcmp(word, "size-again") == 0) {
        return add_step(parser, word[4] ? STEP_SIZE_AGAIN : STEP_SIZE) != NULL;
    }
    const char *argument = next_token(parser, &rest);
    if (strcmp(word, "bare") == 0 && table) {
        return table->bare = true;
    }
    if (strcmp(word, "once") == 0 && table) {
        return table->once = true;
    }
    if (strcmp(word, "include") == 0) {
        return include_file(parser, argument);
    }
    if (strcmp(word, "setup") == 0) {
        return begin_setup(parser, argument);
    }
    if (strcmp(word, "use") == 0) {
        return use_setup(parser, argument);
    }
    if (strcmp(word, "until") == 0) {
        return read_until(parser, argument);
    }
    if (!argument) {
        return fail(parser, "neither a directive nor an input line", word);
    }
    if (strcmp(word, "day") == 0) {
        snprintf(parser->day, sizeof parser->day, "%s", argument);
        return true;
    }
    if (strcmp(word, "repeat") == 0) {
        return (parser->repeat = atol(argument)) > 0;
    }
    if (strcmp(word, "bytes") == 0) {
        return read_bytes(parser, argument);
    }
    if (strcmp(word, "nested") == 0 || strcmp(word, "sized") == 0) {
        return read_generated(parser, *word == 'n', (size_t)atol(argument));
    }
    return fail(parser, "neither a directive nor an input line", word);
}

static bool begins_block(const char *line)
{
    return strncmp(line, "case ", 5) == 0 || strncmp(line, "setup ", 6) == 0;
}

static bool read_line(struct parser *parser, struct source_line line)
{
    const char *rest = line.text;
    parser->at = line;
    parser->collecting = begins_block(rest) ? NULL : parser->collecting;
    if (parser->collecting) {
        struct setup *setup = parser->collecting;
        *POOL_APPEND(parser->pool, setup->lines, setup->count, setup->capacity) = line;
        return true;
    }
    if (*rest == '\0' || isspace((unsigned char)*rest)) {
        return read_under(parser, rest);
    }
    const char *word = next_token(parser, &rest);
    if (!word) {
        return true;
    }
    return is_clock(word) || strchr(word, 'T') ? read_timed(parser, word, rest) : read_directive(parser, word, rest);
}

static char *read_whole(struct parser *parser, const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len = file ? getdelim(&text, &capacity, '\0', file) : -1;
    char *kept = len >= 0 ? pool_string(parser->pool, text, (size_t)len) : NULL;
    if (file) {
        fclose(file);
    }
    free(text);
    return kept;
}

static bool read_file(struct parser *parser, const char *path)
{
    char *text = read_whole(parser, path);
    if (!text) {
        fprintf(stderr, "%s: cannot be read, or is empty\n", path);
        return false;
    }
    const char *file = pool_string(parser->pool, path, strlen(path));
    int number = 0;
    for (char *line; (line = strsep(&text, "\n"));) {
        if (!read_line(parser, (struct source_line){file, line, ++number})) {
            return false;
        }
    }
    parser->collecting = NULL;
    return true;
}

/* include NAME: a file beside this one. */
static bool include_file(struct parser *parser, const char *name)
{
    char path[1024];
    const char *slash = strrchr(parser->at.file, '/');
    int dir = slash ? (int)(slash + 1 - parser->at.file) : 0;
    snprintf(path, sizeof path, "%.*s%s", dir, parser->at.file, name ? name : "");
    struct source_line at = parser->at;
    bool good = read_file(parser, path);
    parser->at = at;
    return good;
}

bool tables_read(struct tables *tables, const char *path)
{
    if (!tables->pool) {
        tables->pool = pool_new();
    }
    struct parser parser = {.tables = tables, .pool = tables->pool, .repeat = 1, .day = "2026-11-23"};
    parser.origin_step = parser.rate_step = NOWHERE;
    return read_file(&parser, path);
}

void tables_free(struct tables *tables)
{
    if (tables->pool) {
        pool_free(tables->pool);
    }
}
