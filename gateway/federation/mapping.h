/* The compiled mapping of a service: what is sent to the department, what is taken from its answer, how long it keeps. */
#ifndef FEDERATION_MAPPING_H
#define FEDERATION_MAPPING_H

#include "federation/mask.h"
#include "federation/parameters.h"
#include "federation/template.h"

struct mapping {
    const struct template *template;
    struct template_names parameters;
    struct str items; /* JSON Pointer; at == NULL: the whole body */
    struct masks masks;
    int64_t fresh; /* microseconds that an answer is served from the cache; 0: never kept */
    int64_t stale; /* … that it is kept for when the department cannot be asked */
    bool not_found_empty;
    bool inputs_are_asked; /* sends something that the asker typed */
    bool personal;         /* the cache encrypts it */
};

/* Compiles the service's `operation` and `parameters`; NULL without an operation (*good tells the two apart). */
const struct mapping *mapping_compile(struct arena *arena, const struct service *service, struct fault_sink *sink,
                                      bool *good) MUST_CHECK;

#endif
