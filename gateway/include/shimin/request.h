/* A request as a handler sees it, and its reply. The object is the gateway's, not libh2o's: it outlives a client that leaves.
 */
#ifndef SHIMIN_REQUEST_H
#define SHIMIN_REQUEST_H

#include <shimin/arena.h>
#include <shimin/json.h>
#include <shimin/problem.h>

struct request;

/* ---- what was asked; all spans live as long as the request ---- */

struct arena *request_arena(struct request *request);
struct str request_method(const struct request *request);
struct str request_path(const struct request *request);  /* as sent, without the query */
struct str request_query(const struct request *request); /* as sent, without '?'; may be empty */
/* The field's value, or STR_NONE; several fields of one name are joined by ", ". Name in lower case. */
struct str request_header(const struct request *request, const char *name);
struct str request_client_address(const struct request *request); /* text, without port */
struct str request_trace_id(const struct request *request);       /* 32 hex digits (W3C Trace Context) */
struct str request_traceparent(struct request *request);          /* for the next hop */
struct str request_tracestate(struct request *request);           /* likewise; STR_NONE unless the trace began before us */
/* How much the client wants this media type (Accept): 0 not at all, to 1000. An operation is not called when the client wants
 * none of the types that its contract names: 406. */
unsigned request_weighs(const struct request *request, const char *type);
/* What the client showed in its TLS handshake, if it did: nobody must. */
struct request_certificate {
    struct str digest;  /* base64url of the SHA-256 of its DER: x5t#S256 of RFC 8705 */
    struct str subject; /* RFC 4514 */
    bool vouched;       /* the configured authority has signed it, and it is in its time */
};
MUST_CHECK bool request_certificate(const struct request *request, struct request_certificate *certificate);
bool request_speaks_chinese(const struct request *request); /* Accept-Language; Chinese unless English is preferred */
struct str request_text(const struct request *request, struct bilingual text); /* the one of the two to show */

/* Parameters and body were validated against the contract before the handler runs. */
/* Path, query or header parameter of the operation, coerced to its schema's type; NULL when absent without a default. */
const struct json *request_parameter(const struct request *request, const char *name);
struct str request_string(const struct request *request, const char *name); /* STR_NONE when absent */
int64_t request_integer(const struct request *request, const char *name, int64_t fallback);
double request_number(const struct request *request, const char *name, double fallback);
/* The parsed JSON body, or NULL without one. */
const struct json *request_body(const struct request *request);
struct str request_raw_body(const struct request *request);

/* ---- the reply: exactly one; it goes out when the handler returns ---- */

/* Starts a JSON reply; what is open when the handler returns is closed for it. `application/json`. */
struct json_out *reply_json(struct request *request, unsigned status);
/* A whole body. The bytes must live as long as the request or be static, or be kept by reply_hold. `type` is static. */
void reply_bytes(struct request *request, unsigned status, const char *type, struct str body);
/* After reply_bytes: the same body compressed beforehand, for clients that take gzip. */
void reply_gzip(struct request *request, struct str gzip);
/* Releases a reference when the reply's bytes are sent or dropped. */
void reply_hold(struct request *request, void (*release)(void *argument), void *argument);
void reply_empty(struct request *request, unsigned status);
/* application/problem+json, with status, title, trace_id, Content-Language, Retry-After, no-store. Replaces any reply begun. */
void reply_problem(struct request *request, const struct problem *problem);
/* reply_problem(request, problem_new(…)): for a single detail */
void reply_fault(struct request *request, enum problem_type type, struct bilingual detail);
/* A header of the reply; name static and lower case, value copied. The same name twice gives two fields, but a security field
 * that every reply has (content-security-policy, referrer-policy) is replaced. */
void reply_header(struct request *request, const char *name, struct str value);
/* Strong ETag (without quotes). When the reply is a 200 to GET or HEAD and If-None-Match names it, 304 goes out instead. */
void reply_etag(struct request *request, struct str tag);
/* The version that If-Match names, of a row whose ETag is its version; false after answering 428 (none) or 412 (not of ours).
 */
MUST_CHECK bool request_if_match(struct request *request, int64_t *version);
/* True when If-None-Match already names this tag: a handler may then skip making the body and return. */
bool reply_not_modified(struct request *request, struct str tag);
/* "no-store" is sent unless this is called, e.g. with "public, max-age=60". */
void reply_cache(struct request *request, const char *cache_control);
bool reply_begun(const struct request *request);

/* A stream (server-sent events). After reply_stream_open each write waits until the client can take it; false when the
 * client has left (the fiber is cancelled as well). The stream ends when the handler returns. Deadlines: the stream lifts
 * the fiber's deadline to `deadline`. */
void reply_stream_open(struct request *request, unsigned status, const char *type, int64_t deadline);
MUST_CHECK bool reply_stream_write(struct request *request, struct str bytes);

#endif
