/* namesake.h - does another process run under our callfold.instance?
 *
 * A broker that refuses an instance ("fenced") may mean two things: somebody
 * else took the name, and is to have it; or the brokers lost track of us, as
 * after an outage, and we may take it again. Each commit says whose it is, by
 * the client.id of the process, in which ours is told apart from those of other
 * processes by a random number: if somebody else of our name has committed since
 * we were given the partitions, he has the name. (The group is no witness then:
 * a process that was stopped for long joins it again under its name, over its
 * successor, before it knows of any.) If nobody has, the group's member decides.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_NAMESAKE_H
#define CALLFOLD_PROCESSOR_KAFKA_NAMESAKE_H

#include "processor/kafka/client.h"

/* The client.id of this process's consumers: callfold-INSTANCE-RANDOM. */
const char *namesake_client_id(const struct kafka_settings *settings);
/* Another process's, under our instance's name. */
bool namesake_is(const struct kafka_settings *settings, const char *client_id);
/* False too when nobody answers. host: of the one that has the name. */
bool namesake_exists(struct client *client, const struct kafka_settings *settings, char host[128]);

#endif
