/* JSON Schema 2020-12: compiled once, validated often, without allocation unless something is wrong. */
#ifndef SHIMIN_SCHEMA_H
#define SHIMIN_SCHEMA_H

#include <shimin/arena.h>
#include <shimin/json.h>
#include <shimin/problem.h>

struct schema;

struct schema_error {
    struct str pointer; /* to the offending value in the instance */
    struct str keyword; /* static: "required", "maxLength", … */
    struct bilingual detail; /* "must be 18 characters": never quotes the value */
};
struct schema_errors {
    struct arena *arena;
    struct schema_error *list;
    size_t count;
    size_t most; /* stop after so many; 0 means 20 */
};

struct schema_options {
    bool openapi_3_0;    /* nullable, boolean exclusiveMinimum/Maximum, $ref hides its siblings */
    bool assert_formats; /* date, date-time, email, uri, uuid, cn-id, cn-uscc, cn-mobile, cn-area */
    const struct json *document; /* what "#/…" refers to; NULL: the schema itself */
    /* another document by absolute URI, for $ref to metaschemas; may be NULL */
    const struct json *(*load)(void *context, struct str uri);
    void *context;
};

/* Compiles into the arena; recursion through $ref is fine. NULL with the reason (English, with the pointer) on a fault. */
const struct schema *schema_compile(struct arena *arena, const struct json *source, const struct schema_options *options, struct str *reason)
    MUST_CHECK;
/* true when the value is valid. With errors == NULL it only says yes or no, and stops at the first fault. Bounded in depth and
 * in work (patterns have a match limit); what exceeds a bound is invalid. Thread safe; needs little stack (a fiber's). */
MUST_CHECK bool schema_validate(const struct schema *schema, const struct json *value, struct schema_errors *errors);
/* Members marked "writeOnly"/"readOnly", types and the like can be asked of the source. */
const struct json *schema_source(const struct schema *schema);

#endif
