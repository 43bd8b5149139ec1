/* A bounded set of secrets that are remembered until a time: nonces that were used, access tokens that are good. Any thread. */
#ifndef SANDBOX_REMEMBERED_H
#define SANDBOX_REMEMBERED_H

#include <shimin/str.h>

struct remembered;

/* Room for about so many entries, a power of two; when it is full, the entries that end soonest are forgotten first. The
 * caller owns it. */
struct remembered *remembered_open(size_t room);
void remembered_free(struct remembered *set);
/* Remembers the text in its space (a key id, a department) until then (wall microseconds). false when it is there already. */
MUST_CHECK bool remembered_add(struct remembered *set, struct str space, struct str text, int64_t until);
bool remembered_has(struct remembered *set, struct str space, struct str text, int64_t now);
void remembered_clear(struct remembered *set);

#endif
