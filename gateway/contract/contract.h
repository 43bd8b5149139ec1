/* OpenAPI documents: loaded, checked, compiled to operations with validators.
 *
 * Used for our own contracts (the routes), for departments' (validation of answers, request mapping) and by the sandbox. */
#ifndef SHIMIN_CONTRACT_H
#define SHIMIN_CONTRACT_H

#include "contract/schema.h"

enum http_method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_OPTIONS, METHODS };
const char *method_name(enum http_method method);
MUST_CHECK bool method_named(struct str name, enum http_method *method); /* upper or lower case exactly, as HTTP has it */

enum parameter_place { PARAMETER_PATH, PARAMETER_QUERY, PARAMETER_HEADER, PARAMETER_COOKIE };

struct parameter {
    struct str name;
    enum parameter_place place;
    bool required;
    bool explode;                /* arrays in the query: a=1&a=2, else a=1,2 (style form) */
    bool is_json;                /* described by `content`: its text is JSON */
    const char *unsupported;     /* why no value of it can be read or written reliably; NULL: it can */
    const struct schema *schema; /* NULL: any string */
    const struct json *fallback; /* the schema's default, or NULL */
    const struct json *source;
};

struct media {
    struct str type; /* "application/json" */
    const struct schema *schema;
    const struct json *example; /* `example`, or the value of the first of `examples`; NULL without */
    const struct json *source;
};

struct response {
    unsigned status; /* 200 … ; 0 is `default`; 2 … 5 is 2XX … 5XX */
    const struct media *media;
    unsigned media_count;
    const struct json *source;
};

enum security_kind { SECURITY_NONE, SECURITY_API_KEY, SECURITY_HTTP, SECURITY_OAUTH2, SECURITY_OPENID, SECURITY_MUTUAL_TLS };
struct security {
    enum security_kind kind;
    struct str name;      /* of the securityScheme */
    struct str scheme;    /* of `http`: "HMAC-SHA256", "bearer", "Signature", … */
    struct str token_url; /* of oauth2's clientCredentials flow */
    const struct json *source;
};

struct operation {
    const struct contract *contract;
    struct str id; /* operationId; "GET /v1/services/{slug}" where the document gives none */
    enum http_method method;
    struct str path;                                /* template: /v1/services/{slug} */
    const struct parameter *const *path_parameters; /* in the order of the template, as route_match.values are */
    unsigned path_parameter_count;
    const struct parameter *parameters; /* path item's and operation's, merged */
    unsigned parameter_count;
    bool body_required;
    const struct media *bodies; /* request body by media type */
    unsigned body_count;
    const struct response *responses;
    unsigned response_count;
    struct security security;  /* the first alternative: own `security`, else the document's */
    const struct json *source; /* the operation object, with $ref of its own left in place */
    unsigned index;
};

struct contract {
    struct arena *arena;
    struct str name; /* the file's name */
    struct str title;
    struct str version;
    bool is_3_1;
    const struct json *document;
    const struct operation *operations;
    unsigned operation_count;
};

/* One fault of a document. */
struct contract_fault {
    struct str pointer; /* JSON Pointer to the offending place */
    uint32_t line;
    struct str reason;
};
struct contract_faults {
    struct contract_fault *list;
    size_t count;
};

/* Loads OpenAPI 3.0.x or 3.1.x from YAML or JSON bytes. Own arena, closed by contract_free. On any fault NULL, with every
 * fault listed (allocated in `report`), not the first only. Swagger 2.0 is refused with advice. Only local $refs ("#/…").
 * nullable, exclusiveMinimum:true and the like of 3.0 are translated when compiling. CPU only; does not wait. */
const struct contract *contract_load(struct str name, struct str bytes, struct arena *report,
                                     struct contract_faults *faults) MUST_CHECK;
void contract_free(const struct contract *contract);

const struct operation *contract_operation(const struct contract *contract, struct str operation_id); /* NULL when unknown */
const struct parameter *operation_parameter(const struct operation *operation, enum parameter_place place, struct str name);
/* The response that describes this status: exact, then range, then default; NULL when none does. */
const struct response *operation_response(const struct operation *operation, unsigned status);
/* The media of this type ("application/json; charset=utf-8" matches application/json; wildcards in the contract match). */
const struct media *media_for(const struct media *list, unsigned count, struct str content_type);
/* Follows local $refs of a node of the document; NULL when broken. */
const struct json *contract_resolve(const struct contract *contract, const struct json *node);

/* Many contracts as one OpenAPI 3.1 document: paths merged (a clash is a fault), components renamed only on a clash, tags
 * joined; `head` gives info, servers, security schemes. Every x-shimin member is left out. NULL with faults on a clash. */
const struct json *contract_bundle(struct arena *arena, const struct json *head, const struct contract *const *contracts,
                                   size_t count, struct contract_faults *faults) MUST_CHECK;

/* A parameter's raw text (percent-decoded), coerced to what its schema asks and validated. NULL with errors[] filled (their
 * `parameter` set). An array is split at commas, exploded or not: who calls this joins a=1&a=2 to "1,2". */
const struct json *parameter_read(struct arena *arena, const struct parameter *parameter, struct str raw,
                                  struct schema_errors *errors);
/* The same from every occurrence of the parameter in the query, in order: a=1&a=2. Each is one item of an exploded array,
 * commas and all; more than one is a fault for anything else. */
const struct json *parameter_read_all(struct arena *arena, const struct parameter *parameter, const struct str *raws,
                                      size_t count, struct schema_errors *errors);

#endif
