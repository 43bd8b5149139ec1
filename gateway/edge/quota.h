/* The step that keeps the limits and says what is left in the RateLimit fields. */
#ifndef SHIMIN_QUOTA_H
#define SHIMIN_QUOTA_H

#include "edge/exchange.h"

/* 429 with Retry-After when a limit is used up: that of the citizen (or, without one, of the address), that of the service, and
 * those the operation names. */
bool quota_spend(struct exchange *exchange, const struct limits *limits);

#endif
