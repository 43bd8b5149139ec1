/* Routes: what the modules' contracts declare, bound to the handlers. */
#ifndef SHIMIN_ROUTE_H
#define SHIMIN_ROUTE_H

#include "catalogue/demand.h"
#include "contract/router.h"
#include "edge/limit.h"

#include <shimin/actor.h>
#include <shimin/catalogue.h>
#include <shimin/metrics.h>
#include <shimin/module.h>

enum idempotency { IDEMPOTENCY_NONE, IDEMPOTENCY_OPTIONAL, IDEMPOTENCY_REQUIRED };

enum { ROUTE_LIMITS = 4 };

/* Where a parameter of the operation is found in a request. */
struct parameter_source {
    int path_value;         /* index among the router's values, or -1 */
    const char *field_name; /* of a header parameter, in lower case; or NULL */
};

/* One operation and its x-shimin, read once. */
struct route {
    const struct operation *operation;
    const struct parameter_source *sources; /* of each parameter */
    void (*handle)(struct request *request);
    enum level level;
    bool level_of_service;
    unsigned roles, scopes; /* bits of the staff and the clients who may; both 0: it is the citizens' */
    bool oauth_errors;      /* faults are told as RFC 6749 §5.2 has them, not as problems */
    bool setup;             /* open to staff who have yet to set a password or a second factor */
    int service_at;         /* index of the path parameter that names the service, or -1 */
    unsigned archetypes;    /* bits; 0: any */
    enum act act;
    const struct limit_policy *limits[ROUTE_LIMITS];
    unsigned limit_count;
    enum idempotency idempotency;
    int64_t deadline;  /* microseconds; 0: the configured one */
    size_t body_bytes; /* set: the body is the handler's to read, and may be that large; 0: it is JSON */
    unsigned index;
};

struct routes;

/* Loads every module's contract, binds the handlers, checks x-shimin. NULL with lines in *faults: an operation without a
 * handler, a handler without an operation, a clash of paths, an unknown limit. */
struct routes *routes_load(struct arena *arena, const struct module *const *modules, const struct limits *limits,
                           struct text *faults) MUST_CHECK;
/* The most bytes that the body of this request may have, if it may have more than others; 0. And the most of all routes. */
size_t routes_body_bytes(const struct routes *routes, struct str method, struct str path);
size_t routes_body_bytes_most(const struct routes *routes);
void routes_match(const struct routes *routes, enum http_method method, struct str path, struct route_match *match);
/* The published document, OpenAPI 3.1 as JSON. */
struct str routes_document(const struct routes *routes);
size_t routes_count(const struct routes *routes);

#endif
