/* judge.h - do the outputs of one event say what the table says?
 *
 * An expected line names an output's type and the members it cares for; every
 * output must have its line, in order within each topic (or over all topics,
 * where the step is strict). state.attested is judged by the audit instead,
 * unless a line asks for it.
 *
 * A value "$name" binds name to what is found the first time and must be found
 * again from then on: that is how a recharge_id is followed.
 */
#ifndef CALLFOLD_TESTS_TABLES_JUDGE_H
#define CALLFOLD_TESTS_TABLES_JUDGE_H

#include "tests/tables/table.h"

/* outputs: an array of the records of one step. labels: an object of what has
 * been bound. False, with file:line, expected and got on stderr. */
bool judge(const struct step *step, const json_t *outputs, json_t *labels);

/* The value with "$name" replaced by what it is bound to; NULL when it is not
 * bound. Borrowed. */
json_t *label_value(const json_t *labels, json_t *value);

#endif
