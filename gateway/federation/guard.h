/* What the catalogue's services demand of an operation, held to when the operation is called without them: raw passage is no
 * way around a level, a switch or a mask. */
#ifndef FEDERATION_GUARD_H
#define FEDERATION_GUARD_H

#include "federation/mapping.h"
#include <shimin/request.h>

/* A service that an operation stands behind; a list, since several may share one. */
struct guard {
    const struct service *service;
    const struct mapping *mapping;
    const struct guard *next;
};

/* NULL when one of the services, or there is none, would have the operation called for this citizen (NULL: a guest) now. */
const struct problem *guard_admit(const struct guard *guards, struct request *request,
                                  const struct citizen *citizen) MUST_CHECK;
/* Whether the answer is personal data by what a service says. */
MUST_CHECK bool guard_is_personal(const struct guard *guards);
/* The answer's bytes, masked by the rules of all the services. */
struct str guard_mask(const struct guard *guards, struct arena *arena, const struct json *body, struct str bytes);

#endif
