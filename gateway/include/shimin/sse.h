/* Server-sent events (HTML Living Standard §9.2): how an event is written. */
#ifndef SHIMIN_SSE_H
#define SHIMIN_SSE_H

#include <shimin/str.h>

struct sse_event {
    struct str id;    /* at == NULL: none */
    struct str event; /* … */
    struct str data;  /* any lines; each becomes a data field */
    int64_t retry;    /* milliseconds; 0: not said */
};

void sse_write(struct text *out, const struct sse_event *event);
/* A comment, which keeps proxies from taking the connection for dead. */
void sse_write_heartbeat(struct text *out);

#endif
