/* One request on its way through the pipeline: what the steps hand to each other. */
#ifndef SHIMIN_EXCHANGE_H
#define SHIMIN_EXCHANGE_H

#include "edge/route.h"

struct exchange {
    struct request *request;
    const struct route *route; /* NULL until found */
    struct route_match match;
    bool guessed;               /* came with a token that stands for nobody */
    struct str service;         /* its slug, for what is written about the request after it; empty without one */
    struct str idempotency_key; /* claimed by this request; at == NULL: none */
    int64_t claimed_at;         /* when, by Postgres' clock: tells the claim from one that takes it over */
};

/* 405, or 204 to OPTIONS, with the methods of the path in Allow. */
void reply_allowed(struct exchange *exchange, bool asked_for);

#endif
