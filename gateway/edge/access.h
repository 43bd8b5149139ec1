/* Who asks, what level that proves, and whether the service is switched on: the steps that decide on access. */
#ifndef SHIMIN_ACCESS_H
#define SHIMIN_ACCESS_H

#include "edge/exchange.h"

/* Finds who acts in an operation of staff or clients: 401 without a good token, 403 without the role or scope, or when a change
 * came with the browser's cookie alone. */
bool access_actor(struct exchange *exchange);
/* Finds the citizen of the bearer token. 401 on an unknown token; 503 while sessions cannot be looked up and one is needed. */
bool access_session(struct exchange *exchange);
/* 401 with WWW-Authenticate (RFC 6750, RFC 9470) when the operation or the service needs more. */
bool access_level(struct exchange *exchange);
/* 503 with reason, window and Retry-After when the switch does not allow the act. */
bool access_switch(struct exchange *exchange);

/* The token of an Authorization field of the scheme Bearer; empty without. */
struct str access_bearer(const struct request *request);
/* 503 while tokens cannot be looked up; false. */
bool access_unavailable(struct request *request);
/* The token that a request shows, of the field or of the browser's cookie; empty without. */
struct str access_token(const struct request *request);
/* 401 for a token that stands for nobody; false. */
bool access_unknown(struct exchange *exchange);

#endif
