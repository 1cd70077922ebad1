/* namesake.h - does another process run under our callfold.instance?
 *
 * A broker that refuses an instance ("fenced") may mean two things: somebody
 * else took the name, and is to have it; or the brokers lost track of us, as
 * after an outage, and we may take it again. The group knows which: its member
 * of that name carries a client.id, and ours is told apart from those of other
 * processes by a random number.
 */
#ifndef CALLFOLD_PROCESSOR_KAFKA_NAMESAKE_H
#define CALLFOLD_PROCESSOR_KAFKA_NAMESAKE_H

#include "processor/kafka/client.h"

/* The client.id of this process's consumers: callfold-INSTANCE-RANDOM. */
const char *namesake_client_id(const struct kafka_settings *settings);
/* False too when nobody answers. host: of the one that has the name. */
bool namesake_exists(struct client *client, const struct kafka_settings *settings, char host[128]);

#endif
