/* topics.h - the meter by Kafka: what is said goes into callfold.events, what
 * the meter wants comes from callfold.commands.
 *
 * callfold.progress says how far the meter has come. Its record and the commands
 * of one transaction become visible each in its own moment, so the platform
 * then asks how far callfold.commands was written and reads up to there.
 */
#ifndef CALLFOLD_EXAMPLES_TOPICS_H
#define CALLFOLD_EXAMPLES_TOPICS_H

#include "examples/platform/journal.h"
#include "examples/platform/meter.h"

/* properties: a file as `callfold run --kafka` reads it. The day's lines go from
 * the journal to the topic, commands of before are not read. A broker that
 * cannot be reached, or topics that are not there, end the program with a
 * message; later the meter may stand still for patience_ms. */
void topics_open(struct meter *meter, struct journal *journal, const char *properties, int patience_ms);

#endif
