/* table.h - a history and what callfold must say of it, one event a line.
 *
 * A table file holds cases; a case is a list of steps; a step is one input
 * line with the expected lines under it. This module reads the text and knows
 * nothing of callfold but which members are numbers. The syntax, for those who
 * write tables, is in README.md.
 *
 * Everything read belongs to the struct tables and is freed with it.
 */
#ifndef CALLFOLD_TESTS_TABLES_TABLE_H
#define CALLFOLD_TESTS_TABLES_TABLE_H

#include <jansson.h>

#include "events/text.h"

enum member_test { MEMBER_IS, MEMBER_HAS, MEMBER_ABSENT };

/* name=value (IS), name~text (HAS: a string that contains text), -name (ABSENT). */
struct member {
    const char *name; /* with its "@" where it is not a member of data */
    enum member_test test;
    json_t *value; /* NULL where ABSENT */
};

struct members {
    size_t count, capacity;
    struct member *items;
};

struct expected {
    int line;
    const char *type; /* without its prefix */
    struct members members;
    json_t *postings; /* an array of {account, amount, currency}; NULL when not listed */
};

enum step_kind {
    STEP_EVENT,
    STEP_UNTIL,      /* clock.advanced each minute up to time_ms */
    STEP_RAW,        /* the record's bytes as they are */
    STEP_SIZE,       /* notes how many records the stored state has */
    STEP_SIZE_AGAIN, /* it must have as many again */
};

struct step {
    const char *file;
    int line;
    enum step_kind kind;
    int64_t time_ms;
    const char *type;    /* STEP_EVENT: without its prefix */
    const char *subject; /* NULL for "-" */
    struct members members;
    json_t *list;    /* the rates or origins of the lines under a deck's event, or NULL */
    struct text raw; /* STEP_RAW */
    int64_t repeat;  /* how many times the record is written */
    bool checked;    /* false: a set-up line without expectations */
    bool duplicate;  /* counted as a duplicate, no output */
    bool strict;     /* the order holds across topics too */
    size_t expected_count, expected_capacity;
    struct expected *expected;
};

struct table_case {
    const char *file, *name;
    int line;
    bool bare; /* lines of a file: no timestamps, no keys */
    bool once; /* sending every record twice would change this one */
    uint32_t partition, partition_count;
    size_t step_count, step_capacity;
    struct step *steps;
};

struct pool;

struct tables {
    size_t case_count, case_capacity;
    struct table_case *cases;
    struct pool *pool;
};

/* Adds the cases of a file. False, with the place and the fault on stderr. */
bool tables_read(struct tables *tables, const char *path);
void tables_free(struct tables *tables);

#endif
