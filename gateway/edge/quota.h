/* The step that keeps the limits and says what is left in the RateLimit fields. */
#ifndef SHIMIN_QUOTA_H
#define SHIMIN_QUOTA_H

#include "edge/exchange.h"

/* 429 with Retry-After when a limit is used up: that of the citizen (or, without one, of the address), that of the service, and
 * those the operation names. */
bool quota_spend(struct exchange *exchange, const struct limits *limits);

/* To look a token up costs Redis a question before anybody is known who could be limited. An address may be wrong as often as
 * the policy "address" lets it ask: from then on, 429 until the window ends to a token that the worker has no copy of. Waits
 * for nothing. */
bool quota_may_look_up(struct exchange *exchange, const struct limits *limits);
/* Counts a token that stands for nobody. */
void quota_count_guess(struct exchange *exchange, const struct limits *limits);

#endif
