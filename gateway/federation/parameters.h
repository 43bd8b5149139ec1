/* A service's own parameters: what a citizen may ask it with, each with a JSON Schema. */
#ifndef FEDERATION_PARAMETERS_H
#define FEDERATION_PARAMETERS_H

#include "federation/template.h"

/* Compiles the `parameters` member of a service (may be NULL). false after reporting faults. */
MUST_CHECK bool parameters_compile(struct arena *arena, const struct json *list, struct template_names *names,
                                   struct fault_sink *sink);
/* Reads them out of a query string (without '?'), or out of `values` where a member has the parameter's name. values[i] is
 * NULL for what is absent and has no default. NULL, or a problem that names every faulty parameter. Unknown names are
 * ignored: they may be the route's own. */
const struct problem *parameters_read(struct arena *arena, const struct template_names *names, struct str query,
                                      const struct json *given, const struct json **values) MUST_CHECK;

#endif
