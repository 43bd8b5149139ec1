/* Carrying out what departments do wrong. */
#ifndef SANDBOX_MISBEHAVE_H
#define SANDBOX_MISBEHAVE_H

#include "behaviour.h"
#include "player.h"

struct request;
/* What happens before, or instead of, an answer: true when the call is dealt with. `played` is NULL for a path that the
 * department does not know. Waits. */
MUST_CHECK bool misbehave_before(const struct behaviour *behaviour, struct request *request, const struct envelope *envelopes);
/* Replies with the answer, spoilt as the behaviour says. Waits. */
void misbehave_reply(const struct behaviour *behaviour, struct request *request, const struct played_operation *played,
                     struct str answer);
/* A connection that is there when the department goes down. */
void misbehave_reset(struct request *request);

#endif
