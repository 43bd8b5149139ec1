/* One call of a department's webhook: https only, no redirects, an address within the federation's ranges, everything bounded.
 */
#ifndef FEDERATION_WEBHOOK_H
#define FEDERATION_WEBHOOK_H

#include "http/upstream.h"

struct webhook_call {
    struct str method;
    const struct field *fields;
    size_t field_count;
    struct str body;
    int64_t deadline; /* steady */
};

/* How it went; the names stand in shimin.delivery_attempt. */
enum webhook_outcome {
    WEBHOOK_DELIVERED,      /* 2xx */
    WEBHOOK_REDIRECT,       /* 3xx: not followed */
    WEBHOOK_REFUSED,        /* 4xx, 5xx */
    WEBHOOK_GONE,           /* 410 */
    WEBHOOK_SLOW_DOWN,      /* 429 */
    WEBHOOK_CONNECT_FAILED, /* not resolved, not allowed, refused, or a certificate that is not theirs */
    WEBHOOK_TIMEOUT,
    WEBHOOK_RESET,
    WEBHOOK_GARBAGE,
    WEBHOOK_TOO_LARGE,
    WEBHOOK_CANCELLED, /* the gateway stops */
    WEBHOOK_OUTCOMES,
};
const char *webhook_outcome_name(enum webhook_outcome outcome);

/* Its connections, of the calling worker. */
struct webhook_target {
    struct upstream *upstream;
    struct str path;
};
/* false when the URL is none that may be called. */
MUST_CHECK bool webhook_open(struct arena *arena, struct str department, struct str url, struct webhook_target *target);
void webhook_close(struct webhook_target *target);
/* Waits. The answer lives in the arena; its status is 0 when there was none. */
enum webhook_outcome webhook_call(const struct webhook_target *target, struct arena *arena, const struct webhook_call *call,
                                  struct upstream_response *response);
/* Who we say we are in WebHook-Request-Origin: a DNS name. */
struct str webhook_origin(void);

#endif
