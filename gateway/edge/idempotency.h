/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a write that is sent again gets the first answer again. */
#ifndef SHIMIN_IDEMPOTENCY_H
#define SHIMIN_IDEMPOTENCY_H

#include "edge/exchange.h"

/* Claims the key for this request. false after answering: 400 when it is missing or malformed, 409 while the first request
 * still runs, 422 when it came with another body, or the first answer with Idempotency-Replayed: true. Waits for Postgres. */
bool idempotency_begin(struct exchange *exchange);
/* Keeps the answer under a claimed key, encrypted, before it is sent. An answer of 5xx or 429 gives the key free instead, so
 * that the citizen may try again. When Postgres does not take it in the request's time, it is tried for a minute more. */
void idempotency_end(struct exchange *exchange);

/* The key in the field's value, which may be a structured-field String or, from older clients, bare; STR_NONE when it is no key
 * of 1 to 255 visible characters. */
struct str idempotency_key_read(struct str field);

#endif
