/* Twins: contracts that are handed in over the control API and played under their digest. */
#ifndef SANDBOX_TWIN_H
#define SANDBOX_TWIN_H

#include <shimin/arena.h>
#include <shimin/str.h>

struct request;
struct twin;

/* Has the document played; the one that was used longest ago makes room. Waits (an offload thread compiles it). false with the
 * reason. */
MUST_CHECK bool twin_raise(struct arena *arena, struct str sha256, struct str bytes, struct str *reason);
/* Answers a call to /sandbox/twins/{sha256}/…; false when it is none. */
MUST_CHECK bool twin_handle(struct request *request);
void twin_release(struct twin *twin);

#endif
