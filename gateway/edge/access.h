/* Who asks, what level that proves, and whether the service is switched on: the steps that decide on access. */
#ifndef SHIMIN_ACCESS_H
#define SHIMIN_ACCESS_H

#include "edge/exchange.h"

/* Finds the citizen of the bearer token. 401 on an unknown token; 503 while sessions cannot be looked up and one is needed. */
bool access_session(struct exchange *exchange);
/* 401 with WWW-Authenticate (RFC 6750, RFC 9470) when the operation or the service needs more. */
bool access_level(struct exchange *exchange);
/* 503 with reason, window and Retry-After when the switch does not allow the act. */
bool access_switch(struct exchange *exchange);

#endif
