/* home.h - which cluster and group a state directory belongs to.
 *
 * Offsets mean something in one cluster only, and commits in one group: a state
 * that was folded elsewhere would be taken for this one's as long as its
 * numbers happen to fit. So the directory says in a file, `kafka`, where it is
 * at home; without the file but with states in it, it is that of an embedded
 * meter.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_HOME_H
#define CALLFOLD_PROCESSOR_KAFKA_HOME_H

#include "processor/kafka/client.h"

/* True when dir belongs to this cluster and group, or to nobody: then it does
 * from now on. */
bool home_check(const char *dir, struct client *client, const char *group, struct store_error *error);

#endif
