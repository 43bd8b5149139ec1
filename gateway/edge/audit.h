/* The audit record of a request: who did what to which service, from where, with what result. */
#ifndef SHIMIN_AUDIT_H
#define SHIMIN_AUDIT_H

#include "edge/exchange.h"

/* In a fiber of each worker, after pg_open; records that Postgres cannot take are kept in the directory. */
void audit_open(const char *spool_directory);
/* Queues the record of a request that acted for a citizen, was for staff or clients, or changed something. Does not wait. */
void audit_record(const struct exchange *exchange);
/* At the worker's end: see batch_close. */
void audit_close(void);

#endif
