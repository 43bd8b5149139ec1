/* W3C Trace Context, level 2: the traceparent field. */
#ifndef SHIMIN_HTTP_TRACE_H
#define SHIMIN_HTTP_TRACE_H

#include <shimin/str.h>

#define TRACE_SAMPLED 0x01
#define TRACE_RANDOM 0x02 /* the right-most seven bytes of the id are random */

struct trace {
    char id[33];     /* lower-case hex, NUL-terminated, as all three */
    char span[17];   /* ours */
    char parent[17]; /* the caller's; empty when the trace starts here */
    uint8_t flags;
};

/* Parses one traceparent value into id, parent and flags; span is left alone. false when it must be ignored. */
MUST_CHECK bool trace_parse(struct str traceparent, struct trace *trace);
/* Our part of the trace: the caller's id and flags are kept if they are valid, else a new trace begins, with the flags sampled
 * and random; the span is always new. */
void trace_begin(struct trace *trace, struct str traceparent);
/* "00-<id>-<span>-<flags>" and a NUL. */
#define TRACE_PARENT_SIZE 56
void trace_format(const struct trace *trace, char out[TRACE_PARENT_SIZE]);

/* The tracestate field as it may be passed on: its members in their order, without the spaces between them, at most 512 bytes
 * of them (§3.3.1.5: long members go first, then the last). STR_NONE when there is none or it is malformed, which gives up all.
 */
struct str trace_state(struct arena *arena, struct str tracestate);

#endif
