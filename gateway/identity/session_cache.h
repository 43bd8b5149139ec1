/* Each worker's copies of sessions, emptied by Redis' invalidations. */
#ifndef SHIMIN_SESSION_CACHE_H
#define SHIMIN_SESSION_CACHE_H

#include "crypto/token.h"

#include <shimin/citizen.h>

#define SESSION_PREFIX "s:" /* a session's key in Redis is this and the token's key */

/* In a fiber of each worker: begins to follow Redis. */
void session_cache_open(void);
/* Wipes all copies; from now on nothing is kept, and who is still served asks Redis. */
void session_cache_close(void);

/* Notes the state of the slot before Redis is asked, so that an answer that an invalidation overtook is not kept. */
uint32_t session_cache_epoch(const char key[TOKEN_KEY_LENGTH]);
/* The copy, into the arena; NULL when there is none to be trusted. */
const struct citizen *session_cache_find(struct arena *arena, const char key[TOKEN_KEY_LENGTH]);
/* Keeps a copy until `good_until` (wall), unless the slot changed since `epoch`. */
void session_cache_keep(const char key[TOKEN_KEY_LENGTH], uint32_t epoch, const struct citizen *citizen, int64_t good_until);

#endif
