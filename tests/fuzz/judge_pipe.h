/* judge_pipe.h - the naive model as a child process, asked through a pipe
 * whether a history was answered rightly (tests/model/serve.py has the words).
 * It lives as long as the process that asks. */
#ifndef CALLFOLD_TESTS_FUZZ_JUDGE_PIPE_H
#define CALLFOLD_TESTS_FUZZ_JUDGE_PIPE_H

#include "processor/fold/fold.h"

/* A record, and then each line that the fold said to it. */
void judge_record(const struct fold_record *record);
void judge_output(enum output_topic topic, struct text line);
/* The end of the history. True when the model says the same; else its report
 * is on stderr. */
bool judge_agrees(void);

#endif
