/* A share of memory: what the requests of one party may hold together, counted until their arenas close. Of one worker. */
#ifndef SHIMIN_HTTP_SHARE_H
#define SHIMIN_HTTP_SHARE_H

#include <shimin/arena.h>
#include <stdbool.h>

struct share; /* its own memory goes when it was closed and all is given back */

MUST_CHECK struct share *share_open(size_t most);
void share_close(struct share *share); /* NULL is ignored */
void share_set(struct share *share, size_t most);
/* Counts n bytes until the arena closes; false when they are not left. */
MUST_CHECK bool share_take(struct share *share, struct arena *arena, size_t n);
/* As share_take, for what is there already: it may pass the bound, and then nothing more is given until some came back. */
void share_count(struct share *share, struct arena *arena, size_t n);
size_t share_used(const struct share *share);

#endif
