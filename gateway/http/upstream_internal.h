/* What the files of the client share: an upstream, its links, and how a fiber waits on one. */
#ifndef SHIMIN_HTTP_UPSTREAM_INTERNAL_H
#define SHIMIN_HTTP_UPSTREAM_INTERNAL_H

#include <h2o.h>
#include <netinet/in.h>
#include <shimin/worker.h>

#include "http/upstream.h"

enum { ADDRESSES = 4 };

struct address_list {
    struct sockaddr_storage list[ADDRESSES];
    socklen_t lengths[ADDRESSES];
    unsigned count;
};

/* A connection: of one call, or idle. */
struct link {
    struct upstream *upstream;
    h2o_socket_t *socket;
    struct link *next, *previous; /* while idle */
    struct timer timer;           /* while idle */
    int64_t kept_at;              /* steady; while idle */
    struct fiber *fiber;          /* while a call waits on it */
    bool used;                    /* has carried a call before */
    bool changed;                 /* connected, or shaken hands, or input has come */
    bool written;                 /* the request has gone out whole */
    const char *error;
};

struct upstream {
    struct arena *arena;
    unsigned references; /* the owner, calls, the resolver */
    struct upstream_settings settings;
    struct str authority;
    SSL_CTX *tls;
    unsigned char pin[32];
    struct link idle; /* head of the list, the one that has rested longest last */
    unsigned idle_count;
    bool closed;
    struct address_list addresses;
    unsigned rotation;   /* which address comes first */
    bool numeric;        /* never resolved */
    int64_t resolved_at; /* steady; 0: never */
    bool resolving;
    struct waiter *waiters;
    enum upstream_fault fault; /* of the latest connection that failed, with its detail */
    const char *detail;
    int64_t trusted_at; /* steady: no connection is kept before; it said something that nobody asked for */
    bool extra;         /* it did so on an idle connection, and nobody has been told yet */
};

void upstream_hold(struct upstream *upstream);
void upstream_let_go(struct upstream *upstream);

/* upstream_tls.c: NULL after logging why */
SSL_CTX *upstream_tls_open(struct upstream *upstream);

/* upstream_address.c: addresses filled, or why not. Waits. */
enum upstream_status upstream_resolve(struct upstream *upstream, int64_t deadline);

/* upstream_link.c */
/* A kept link that has been silent for a while, or NULL. */
struct link *link_reuse(struct upstream *upstream);
/* Closes all that are kept. */
void link_drop_idle(struct upstream *upstream);
/* A new one, connected and shaken hands. Waits. */
enum upstream_status link_connect(struct upstream *upstream, int64_t deadline, struct link **made);
/* Waits for link->changed; an error of the connection is left in link->error. */
enum upstream_status link_await(struct link *link, int64_t deadline);
/* It said something that nobody asked for: the next answer could be anybody's, so no connection is kept for a while. */
void upstream_distrust(struct upstream *upstream);
/* Keeps it for the next call, if there is room. */
void link_keep(struct link *link);
/* Closes it. Safe wherever a fiber runs. */
void link_drop(struct link *link);

/* upstream_answer.c: reads head and body off the link. *any: a byte came. *reusable: another call may follow. Waits. */
enum upstream_status answer_read(struct link *link, const struct upstream_request *request, struct arena *arena,
                                 struct upstream_response *response, bool *any, bool *reusable);

#endif
