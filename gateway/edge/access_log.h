/* The access log and the metrics of requests. */
#ifndef SHIMIN_ACCESS_LOG_H
#define SHIMIN_ACCESS_LOG_H

#include "edge/exchange.h"

/* One line and the counts of a finished request. `exchange` is NULL for one that never came to the pipeline. */
void access_log(const struct request *request, const struct exchange *exchange);
/* What the log calls a citizen: a keyed hash, so that lines of one citizen can be joined and nobody be named. The key is 32
 * bytes. Once, before the workers start. */
void access_log_open(const uint8_t *key);
void access_log_started(void); /* a request came in */

#endif
