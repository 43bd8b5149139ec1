/* This gateway as the others and the administrators see it: its row in shimin.gateway. */
#ifndef SHIMIN_PRESENCE_H
#define SHIMIN_PRESENCE_H

#include "catalogue/snapshot.h"

/* Silent for so long, a gateway is stale: as shimin.gateway_is_stale (schema/migrations) has it. */
enum { PRESENCE_STALE_SECONDS = 3 };

/* In each worker, after pg_open; the first one keeps the row. */
void presence_open(void);
/* Of this gateway, by which shimin.gateway has it; at == NULL before presence_open. Any worker that serves. */
struct str presence_id(void);
/* On the loop of each worker when it stops: the row is taken away. */
void presence_close(void);
/* All workers have taken up the snapshot: it is told to Postgres. Takes over the reference. On the first worker's loop. */
void presence_confirm(void *snapshot);
/* How long ago Postgres last took what this gateway had to say, in microseconds; -1: it never did. Any thread. */
int64_t presence_silence(void);

#endif
