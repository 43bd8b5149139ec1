/* Cross-origin requests (Fetch standard): an allow-list of exact origins. */
#include "http/cors.h"

#define ALLOW_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"
#define ALLOW_HEADERS                                                                                                          \
    "authorization, content-type, idempotency-key, if-match, if-none-match, traceparent, tracestate, x-request-id"
#define EXPOSE_HEADERS                                                                                                         \
    "ETag, Location, Link, Retry-After, RateLimit, RateLimit-Policy, Deprecation, Sunset, WWW-Authenticate, X-Request-Id, "    \
    "traceparent"
/* What Chromium caps it at, in seconds. */
#define MAX_AGE "7200"

bool cors_allows(const char *const *origins, size_t count, struct str origin)
{
    if (!origin.at || str_is(origin, "null"))
        return false;
    for (size_t i = 0; i < count; i++)
        if (str_is(origin, origins[i]))
            return true;
    return false;
}

bool cors_answer_preflight(struct request *request, const char *const *origins, size_t count)
{
    struct str origin = request_field(request, STR("origin"));
    if (!str_is(request->method, "OPTIONS") || !origin.at || !request_field(request, STR("access-control-request-method")).at)
        return false;
    if (!cors_allows(origins, count, origin)) {
        reply_fault(request, PROBLEM_FORBIDDEN,
                    BILINGUAL("此来源不在允许之列", "This origin is not on the list of allowed origins"));
        return true;
    }
    reply_header(request, "access-control-allow-methods", STR(ALLOW_METHODS));
    reply_header(request, "access-control-allow-headers", STR(ALLOW_HEADERS));
    reply_header(request, "access-control-max-age", STR(MAX_AGE));
    reply_empty(request, 204);
    return true;
}

void cors_add_fields(struct request *request, const char *const *origins, size_t count)
{
    struct str origin = request_field(request, STR("origin"));
    if (!cors_allows(origins, count, origin))
        return;
    reply_header(request, "access-control-allow-origin", origin);
    reply_header(request, "access-control-expose-headers", STR(EXPOSE_HEADERS));
}
