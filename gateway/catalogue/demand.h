/* What a service demands before it serves: a level, and a switch that allows the act. */
#ifndef SHIMIN_DEMAND_H
#define SHIMIN_DEMAND_H

#include <shimin/catalogue.h>
#include <shimin/request.h>

/* What is done with a service; what its switch must allow. */
enum act { ACT_DESCRIBE, ACT_READ, ACT_CONTINUE, ACT_SUBMIT, ACTS };

/* NULL when `proved` is enough, else the 401 that says what to prove, its WWW-Authenticate (RFC 6750, RFC 9470) already in the
 * reply. LEVEL_GUEST: nobody is logged in. */
const struct problem *demand_level(struct request *request, enum level proved, enum level needed) MUST_CHECK;
/* NULL when the switch in force for who sent the request allows the act now, else the 503 with the reason, the window and
 * Retry-After. */
const struct problem *demand_switch(struct request *request, const struct snapshot *snapshot, const struct service *service,
                                    enum act act) MUST_CHECK;

/* NULL until the sunset of the service's version, and for who only reads about it; afterwards the 410 that names the successor.
 */
const struct problem *demand_unretired(struct request *request, const struct service *service, enum act act) MUST_CHECK;

#endif
