/* Answers made before, kept by each worker: the same call is answered again without making it. Bounded. */
#ifndef SANDBOX_CACHE_H
#define SANDBOX_CACHE_H

#include "player.h"

struct request;
/* The answer kept for a request that asks the same; at == NULL without one. It stays until the fiber waits. */
struct str cache_find(const struct played_operation *played, struct request *request);
void cache_keep(const struct played_operation *played, struct request *request, struct str answer);

#endif
