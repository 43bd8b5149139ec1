/* What a request says: its parameters and the leaves of its body, checked against the contract as a department would. */
#ifndef SANDBOX_INPUTS_H
#define SANDBOX_INPUTS_H

#include "contract/router.h"

enum { INPUTS_MOST = 96 };

struct input {
    struct str name;
    const struct json *value;
    bool required; /* by the contract: identifies what is asked for */
};

struct inputs {
    struct input list[INPUTS_MOST];
    unsigned count;
    const struct json *body; /* NULL: none */
};

struct inputs_fault {
    unsigned status;   /* 400, 415, 422 */
    struct str reason; /* English; quotes no value */
};

struct request;
/* false with the fault, all that is wrong joined in its reason. Values live in the request's arena. */
MUST_CHECK bool inputs_read(struct request *request, const struct operation *operation, const struct route_match *match,
                            struct inputs *inputs, struct inputs_fault *fault);
/* The header or cookie that the contract calls so, as it was sent; at == NULL without one. */
struct str inputs_header(struct request *request, struct str name);
struct str inputs_cookie(struct request *request, struct str name);
/* The first of that name, or NULL. */
const struct json *inputs_find(const struct inputs *inputs, struct str name);
/* Adds the scalars of a body, by the names of their members, as deep as objects go. For tests too. */
void inputs_add_body(struct inputs *inputs, const struct operation *operation, const struct json *body);
/* The identity number among them (18 characters, whatever its check digit); at == NULL without one. */
struct str inputs_id_number(const struct inputs *inputs);
/* The name of the person whose identity number it is: the member called name, xm or the like; at == NULL without one. */
struct str inputs_person_name(const struct inputs *inputs);
/* SHA-256 of department, operation and what identifies: required inputs, and an identity number wherever it stands. Optional
 * ones (a year, a page) change nothing, so that a citizen has one balance. `all`: of every input. */
void inputs_digest(const struct inputs *inputs, struct arena *arena, struct str department, struct str operation, bool all,
                   uint8_t digest[32]);

#endif
