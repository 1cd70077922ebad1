/* http.h - /metrics, /healthz and /readyz, for whoever watches over a meter.
 *
 *     /metrics   figures in Prometheus' text format (metrics.h)
 *     /healthz   200 while the meter is alive (pulse.h), else 503
 *     /readyz    200 when it has its partitions and all of them publish, else 503;
 *                the body says what it is doing
 *
 * One thread of libmicrohttpd answers, from the board alone: the meter does not
 * notice. Connections are few, short of memory and cut when nothing comes, so
 * that a slow client holds up nobody but others like it.
 */
#ifndef CALLFOLD_PROCESSOR_HTTP_H
#define CALLFOLD_PROCESSOR_HTTP_H

#include "processor/figures.h"

struct http;

/* address: [HOST:]PORT, of this machine; without HOST the loopback, which nobody
 * else can reach; port 0 is any free one. Says where it listens. NULL with *error
 * (EX_CONFIG: no such address, or somebody else listens there). The board is
 * borrowed. */
struct http *http_open(const char *address, struct board *board, struct store_error *error);
void http_close(struct http *http); /* NULL is let be */

#endif
