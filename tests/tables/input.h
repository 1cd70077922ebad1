/* input.h - an input line as the bytes of a record: a JSON CloudEvent. */
#ifndef CALLFOLD_TESTS_TABLES_INPUT_H
#define CALLFOLD_TESTS_TABLES_INPUT_H

#include "tests/tables/table.h"

/* The CloudEvent of a STEP_EVENT, malloc'd and with a NUL; NULL, with the
 * place on stderr, when a "$name" in it is not bound. */
char *input_value(const struct step *step, const json_t *labels);

/* The record's timestamp: the event's time unless @ts says else (+2s, -6m,
 * +1h from the event's time). */
int64_t input_timestamp(const struct step *step);

/* The record's key: the subject unless @key says else; absent for @key:=null. */
struct text input_key(const struct step *step);

#endif
