/* The route table: a tree of path segments, built from contracts, matched without allocation. */
#ifndef SHIMIN_ROUTER_H
#define SHIMIN_ROUTER_H

#include "contract/contract.h"

#define ROUTE_PARAMETERS_MAX 8

struct router;

struct route_match {
    const struct operation *operation;       /* NULL: see found and allowed */
    void *target;                            /* what router_add was given */
    struct str values[ROUTE_PARAMETERS_MAX]; /* of the template's parameters, in order, still percent-encoded */
    unsigned value_count;
    bool found;       /* the path exists, perhaps without this method */
    unsigned allowed; /* bit (1 << method) of each method the path has */
};

struct router *router_new(struct arena *arena);
/* false (with *reason) on a clash with an earlier route. A last segment written {name} with x-shimin-rest: true in its
 * parameter takes the rest of the path with its slashes. */
MUST_CHECK bool router_add(struct router *router, const struct operation *operation, void *target, struct str *reason);
/* Literal segments win over parameters. HEAD falls back to GET. `path` is without query, as sent; empty and dot segments do
 * not match. */
void router_match(const struct router *router, enum http_method method, struct str path, struct route_match *match);

/* `allowed` as the Allow field has it (RFC 9110 §10.2.1), HEAD and OPTIONS included. */
struct str router_methods(struct arena *arena, unsigned allowed);

#endif
