/* The precompiled request of one operation: where each value goes and where it comes from.
 *
 * Compiled once a snapshot; filling it allocates from the question's arena only and looks nothing up by name. */
#ifndef FEDERATION_TEMPLATE_H
#define FEDERATION_TEMPLATE_H

#include "contract/contract.h"
#include "federation/fault.h"
#include "federation/source.h"

struct template_field {
    const struct parameter *parameter;
    struct source source;
    struct str prefix; /* query: "name="; path: the literal text before the value; header: the name in lower case */
};

/* A member of the JSON body; a tree, as the members' pointers are. */
struct template_member {
    struct str name;
    const struct template_member *children; /* NULL: a leaf with a source */
    const struct template_member *next;
    struct source source;
    bool required;
};

struct template
{
    const struct operation *operation;
    struct str accept;                 /* the media type that is asked for */
    const struct template_field *path; /* in the order of the path */
    unsigned path_count;
    struct str path_tail; /* literal text after the last value */
    const struct template_field *query;
    unsigned query_count;
    const struct template_field *headers;
    unsigned header_count;
    const struct media *media;          /* of the request body; NULL without one */
    const struct template_member *body; /* mapped members */
    bool body_of_values;                /* the body is given whole, or is the values that name no parameter */
    bool personal;                      /* carries a value of the citizen's */
    enum level level;                   /* the least that knows all its values */
    bool safe;                          /* by method (RFC 9110 §9.2.1), or x-shimin-safe: true of a POST that only asks */
};

/* A parameter of a service as the mapping sees it: names only. */
struct template_names {
    const struct parameter *list;
    unsigned count;
};

/* By the `request` member of a service's operation: parameter name or JSON Pointer into the body → source. `request` may be
 * NULL (nothing is sent). NULL with every fault reported. `page` is the `page` member or NULL. `reads` says that the
 * operation only asks, whatever its method: many departments query by POST. */
const struct template *template_compile(struct arena *arena, const struct operation *operation, const struct json *request,
                                        const struct template_names *names, const struct json *page, bool reads,
                                        struct fault_sink *sink) MUST_CHECK;
/* What of the citizen's identity the parameter carries, by its name or by x-shimin-citizen; SOURCE_CONST: nothing. */
enum source_kind parameter_identity(const struct parameter *parameter);
/* Without a mapping: every parameter takes the question's value of its own name; the citizen's
 * identity stands in for those that carry it and are not among the values. */
const struct template *template_direct(struct arena *arena, const struct operation *operation) MUST_CHECK;

struct filled_header {
    struct str name; /* lower case */
    struct str value;
};

/* A request that is ready to be signed and sent. */
struct filled {
    const struct operation *operation;
    struct str target; /* path and query */
    struct str accept;
    const struct filled_header *headers;
    unsigned header_count;
    struct str content_type; /* at == NULL: no body */
    struct str body;
    bool safe;
};

/* NULL, or the problem: a value is missing or of no use at its place, or the body breaks the contract. */
const struct problem *template_fill(const struct template *template, struct arena *arena, const struct source_inputs *inputs,
                                    struct filled *filled) MUST_CHECK;

#endif
