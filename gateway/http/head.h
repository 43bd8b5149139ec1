/* The head of a request: what is refused before any handler sees it. */
#ifndef SHIMIN_HTTP_HEAD_H
#define SHIMIN_HTTP_HEAD_H

#include "http/request_internal.h"

enum head_fault {
    HEAD_FINE,
    HEAD_BAD_TARGET,      /* 400: no path, or bytes in it that no path has */
    HEAD_NO_HOST,         /* 400: RFC 9112 §3.2 */
    HEAD_AMBIGUOUS_BODY,  /* 400, and the connection ends: the ways of request smuggling (RFC 9112 §6.3) */
    HEAD_BAD_HOST,        /* 400, and the connection ends: twice, or no host (RFC 9112 §3.2) */
    HEAD_FOLDED,          /* 400, and the connection ends: RFC 9112 §5.2 */
    HEAD_TOO_LARGE,       /* 431 */
    HEAD_TARGET_TOO_LONG, /* 414: it is the target that makes the head too large */
    HEAD_ABUSIVE,         /* not worth an answer */
    HEAD_UNKNOWN_METHOD,  /* 501 */
    HEAD_BODY_TOO_LARGE,  /* 413 */
};

/* Looks at the request as libh2o read it; *bytes is the size of all its fields. A connection of HTTP/1 whose request came in
 * chunks ends with it. */
enum head_fault head_check(h2o_req_t *h2o, size_t most_head, size_t most_body, size_t *bytes);
/* The path of a request target: that of an absolute form without scheme and authority. `target` without the query. */
struct str head_path(struct str target);
/* Answers a fault with its problem. */
void head_refuse(struct request *request, enum head_fault fault);

#endif
