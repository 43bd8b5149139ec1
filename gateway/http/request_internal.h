/* What a request is inside: for the floors that fill it (edge, federation) and the files of this one. */
#ifndef SHIMIN_HTTP_REQUEST_INTERNAL_H
#define SHIMIN_HTTP_REQUEST_INTERNAL_H

#include <h2o.h>
#include <shimin/actor.h>
#include <shimin/catalogue.h>
#include <shimin/citizen.h>
#include <shimin/fiber.h>
#include <shimin/request.h>

#include "http/trace.h"

struct connection;
struct operation;
struct traffic_cell;

/* A parameter of the operation, coerced to its schema's type. */
struct parameter_value {
    struct str name;
    const struct json *value;
};

/* One header field; the name is in lower case. */
struct field {
    struct str name;
    struct str value;
};

enum reply_kind {
    REPLY_NONE,
    REPLY_BYTES, /* body is whole; also empty replies and problems */
    REPLY_JSON,  /* being written to json */
    REPLY_STREAM,
};

struct reply {
    enum reply_kind kind;
    unsigned status;
    const char *type; /* NULL: no body */
    struct str body;
    struct str gzip; /* the body compressed beforehand, or STR_NONE */
    struct text text;
    struct json_out json;
    struct field *fields;
    unsigned field_count, field_room;
    struct str etag; /* without quotes */
    const char *cache_control;
    unsigned problem; /* 1 + its type, if it is one; else 0 */
};

/* Lives in its own arena, referenced by its fiber and by libh2o's request; freed by the later of the two. */
struct request {
    /* ---- filled by this floor ---- */
    struct arena *arena;
    h2o_req_t *h2o;                /* NULL once the client has gone or the reply was sent */
    struct connection *connection; /* while h2o is not NULL */
    const struct http_listener *listener;
    struct request *next, *previous; /* those of the worker that libh2o still knows */
    struct fiber *fiber;             /* while its handler runs */
    unsigned references;
    struct str method, path, query, body_bytes, client_address;
    struct field *fields;
    size_t field_count;
    unsigned version; /* 0x101, 0x200 */
    struct trace trace;
    bool language_asked, chinese; /* what request_speaks_chinese found; the reply then varies by it */
    bool client_left;             /* before its reply was handed over */
    int64_t started;              /* steady */
    int64_t deadline;
    struct reply reply;
    struct generator {
        h2o_generator_t base;
        struct request *request;
        size_t sent;        /* of reply.body */
        int64_t progressed; /* steady: when libh2o last asked for more */
        bool waiting;       /* a piece is on its way */
        bool handed_over;
        bool ended;           /* the stream's handler has returned: end it when the piece has gone */
        struct fiber *writer; /* the stream's fiber while it waits */
        char *buffer;         /* the stream's piece on its way */
        size_t room;
    } generator;

    /* ---- filled by the floors above ---- */
    const struct operation *operation;
    const struct snapshot *snapshot;
    const struct service *service;
    const struct citizen *citizen;
    const struct actor *actor;
    struct str audit_object, audit_detail;
    struct parameter_value *parameters;
    size_t parameter_count;
    const struct json *body;
    uint8_t level;
    struct traffic_cell *traffic; /* where it is counted; NULL: nowhere */
    void *edge;                   /* whatever else the pipeline keeps for its hook */

    /* ---- for the access log ---- */
    struct str route;                          /* the template, "/api/v1/services/{service}"; empty when none matched */
    unsigned status;                           /* set when the reply is handed over; 499: the client had left */
    size_t bytes;                              /* of the body as sent */
    int64_t upstream_time;                     /* microseconds spent waiting for departments */
    void (*finished)(struct request *request); /* after the reply was handed over, in the fiber; see http_listener */
};

/* Sends the reply: closes what is open, and makes a 500 problem of a handler that made none. Called once, by the fiber's
 * wrapper. */
void request_finish(struct request *request);
void request_release(struct request *request);
/* When the request has to be answered, nearer or farther than it was. In its fiber. */
void request_set_deadline(struct request *request, int64_t deadline);

/* The value of the first field of that name; name in lower case. */
struct str request_field(const struct request *request, struct str name);
/* What a problem's `type` begins with. */
void problem_set_base(struct str base);
/* The body of a problem (RFC 9457) as JSON text in the request's language. */
struct str problem_body(struct request *request, const struct problem *problem);

#endif
