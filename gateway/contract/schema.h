/* JSON Schema 2020-12: compiled once, validated often, without allocation unless something is wrong. */
#ifndef SHIMIN_SCHEMA_H
#define SHIMIN_SCHEMA_H

#include <shimin/arena.h>
#include <shimin/json.h>
#include <shimin/problem.h>

struct schema;

struct schema_error {
    struct str pointer;      /* to the offending value in the instance; of a missing member, to where it should be */
    struct str parameter;    /* by parameter_read: whose fault it is; else at == NULL */
    struct str keyword;      /* static: "required", "maxLength", … */
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
    bool assert_formats; /* those of the table in schema_formats.c: date, date-time, email, uri, uuid, int32, cn-id, … */
    const struct json *document; /* what "#/…" refers to; NULL: the schema itself */
    /* another document by absolute URI, for $ref to metaschemas; may be NULL */
    const struct json *(*load)(void *context, struct str uri);
    void *context;
};

/* Compiles into the arena; recursion through $ref is fine. NULL with the reason (English, with the pointer) on a fault. */
const struct schema *schema_compile(struct arena *arena, const struct json *source, const struct schema_options *options,
                                    struct str *reason) MUST_CHECK;

/* Many schemas of one document, sharing what they refer to: each subschema is compiled once. */
struct schema_compiler;
/* Called for each fault of a schema; `where` is the offending value in its document. */
typedef void schema_fault_fn(void *context, const struct json *where, struct str reason);
/* The options' contents must live as long as the compiler, the compiler lives in the arena. */
struct schema_compiler *schema_compiler_new(struct arena *arena, const struct schema_options *options, schema_fault_fn *fault,
                                            void *fault_context);
/* A handle that may be validated against after schema_compiler_finish has returned true. `source` lies in options->document. */
const struct schema *schema_compiler_add(struct schema_compiler *compiler, const struct json *source) MUST_CHECK;
/* Compiles all that was added and all that it refers to. false when there was any fault since the compiler was made. */
MUST_CHECK bool schema_compiler_finish(struct schema_compiler *compiler);

/* true when the value is valid. With errors == NULL it only says yes or no, and stops at the first fault. Bounded in depth and
 * in work (patterns have a match limit); what exceeds a bound is invalid. Thread safe; needs little stack (a fiber's). */
MUST_CHECK bool schema_validate(const struct schema *schema, const struct json *value, struct schema_errors *errors);
/* One bit (1 << enum json_type) for each type that a valid value may have, as far as type, allOf, anyOf, oneOf and references
 * tell; for coercing texts. JSON_INTEGER alone, without JSON_NUMBER, for "integer". */
unsigned schema_types(const struct schema *schema);
/* What `items` says of an array's items; NULL when nothing does. */
const struct schema *schema_items(const struct schema *schema);
/* Members marked "writeOnly"/"readOnly", types and the like can be asked of the source. */
const struct json *schema_source(const struct schema *schema);

#endif
