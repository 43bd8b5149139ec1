/* Header fields that no contract decides about. */
#include "federation/own_header.h"

bool header_is_ours(struct str name)
{
    static const char *const names[] = {
        "authorization",
        "cookie",
        "proxy-authorization",
        "x-csrf-token",
        "x-api-key", /* who the caller is */
        "forwarded",
        "x-real-ip",
        "via",
        "cf-connecting-ip",
        "true-client-ip",
        "client-ip", /* where the caller is */
        "host",
        "content-length",
        "transfer-encoding",
        "te",
        "trailer",
        "connection",
        "keep-alive",
        "proxy-connection",
        "upgrade",
        "expect",
        "http2-settings",
        "content-type",
        "content-encoding",
        "accept",
        "accept-encoding",
        "range", /* the message */
        "traceparent",
        "tracestate",
        "idempotency-key",
        "user-agent",
        "signature",
        "signature-input",
        "content-digest", /* ours */
    };
    static const char *const beginnings[] = {"x-forwarded-", "x-department-", "x-shimin-", "sec-", "proxy-"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_equal_nocase(name, str_of(names[i])))
            return true;
    for (size_t i = 0; i < COUNT_OF(beginnings); i++) {
        struct str beginning = str_of(beginnings[i]);
        if (name.len >= beginning.len && str_equal_nocase(str_slice(name, 0, beginning.len), beginning))
            return true;
    }
    return false;
}
