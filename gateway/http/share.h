/* A share of memory: what the requests of one party may hold together, counted until their arenas close. Of one worker. */
#ifndef SHIMIN_HTTP_SHARE_H
#define SHIMIN_HTTP_SHARE_H

#include <shimin/arena.h>
#include <stdbool.h>

struct share; /* its own memory goes when it was closed and all is given back */

MUST_CHECK struct share *share_open(size_t most);
void share_close(struct share *share); /* NULL is ignored */
void share_set(struct share *share, size_t most);
/* What one request holds of the share, until its arena closes. Nothing of the arena is taken later: a buffer that grows in it
 * stays its latest allocation. */
struct hold;
MUST_CHECK struct hold *share_hold(struct share *share, struct arena *arena);
/* n bytes more; false when they are not left. */
MUST_CHECK bool hold_take(struct hold *hold, size_t n);
/* n bytes more, which are there already: they may pass the bound, and then nothing more is given until some came back. */
void hold_count(struct hold *hold, size_t n);
size_t share_used(const struct share *share);

#endif
