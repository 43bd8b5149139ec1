/* What the files of the server share: a worker's server and its connections. */
#ifndef SHIMIN_HTTP_SERVER_INTERNAL_H
#define SHIMIN_HTTP_SERVER_INTERNAL_H

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>
#include <netinet/in.h>
#include <shimin/metrics.h>
#include <shimin/worker.h>

#include "http/server.h"

/* An accepted socket, from accept to close. */
struct connection {
    struct server *server;
    const struct http_listener *listener;
    struct connection *next, *previous; /* all of the worker */
    h2o_socket_t *socket;
    SSL_CTX *context; /* NULL: no TLS. Held, as libh2o makes the session out of it when the handshake's first bytes come */
    struct sockaddr_storage peer; /* as accepted: with a balancer in front, the balancer */
    bool counted;                 /* by address */
    bool cut;                     /* its descriptor has been shut down */
    char address[46];             /* of the client, as text; filled with the first request */
    struct shown_certificate {
        long result;     /* X509_V_OK, or why not */
        char digest[44]; /* base64url of SHA-256 */
        char subject[512];
    } * certificate;   /* NULL: none was shown */
    int64_t active;    /* steady: when it was accepted or last had a request in flight */
    unsigned requests; /* ever */
    unsigned in_flight;
    struct resets {
        int64_t since; /* steady: when the window began */
        unsigned lost; /* streams that ended before their reply, in the window */
        unsigned done;
        unsigned never_begun; /* as of the last sweep: HTTP/2 streams that never became a request */
    } resets;
};

enum cut_reason { CUT_RESETS, CUT_SLOW_HEAD, CUT_SLOW_BODY, CUT_SLOW_READER, CUT_IDLE, CUT_HEADERS, CUT_DRAIN, CUT_REASONS };
enum refuse_reason { REFUSE_TOTAL, REFUSE_ADDRESS, REFUSE_REASONS };

struct server {
    const struct http_settings *settings;
    struct worker *worker;
    h2o_context_t context;
    struct accepting {
        struct server *server;
        const struct http_listener *listener;
        h2o_socket_t *socket; /* NULL once drained */
        h2o_accept_ctx_t accept;
    } * accepting;
    struct connection connections; /* head of the list */
    unsigned connection_count;
    struct request requests;   /* head of the list of those that libh2o knows */
    h2o_timeout_entry_t ready; /* linked when fibers wait to run within libh2o's turn */
    struct timer sweep;
    bool draining;
    int64_t drain_began, drain_deadline;
    int64_t slow_sweep; /* steady: when the once-a-second part of the sweep ran last */
    struct pollfd *polled;
    struct request **polled_requests;
    size_t polled_room;
    struct {
        struct metric_cell *open, *accepted, *refused[REFUSE_REASONS], *cut[CUT_REASONS], *resets;
    } metrics;
};

/* The calling worker's; NULL before http_open and after http_drain. */
struct server *server_self(void);
/* Listeners that ran out of descriptors try again. */
void server_resume_accepting(struct server *server);
/* Takes what waits in the backlog and closes the listeners. */
void server_stop_accepting(struct server *server);
/* Frees it; no connection may be left. */
void server_free(struct server *server);

/* connection.c */
void connections_register_metrics(void);
void connections_open(struct server *server);
/* Takes the socket over: bounds are checked, and a refused one is closed. */
void connection_accept(struct server *server, struct accepting *accepting, h2o_socket_t *socket);
struct connection *connection_of(h2o_req_t *h2o);
/* Shuts the descriptor down; libh2o closes the connection when it notices. */
void connection_cut(struct connection *connection, enum cut_reason reason);
struct str connection_address(struct connection *connection);
/* A request of this connection has ended. */
void connection_count_end(struct connection *connection, bool replied);

/* admission.c: how many connections an address has, in all workers */
bool admission_enter(const struct sockaddr *peer, unsigned limit);
void admission_leave(const struct sockaddr *peer);

/* http2.c: what only the inside of libh2o's HTTP/2 tells */
/* Streams opened that are not open any more and never became a request of ours; a little more when ids were skipped. */
unsigned http2_never_begun(h2o_conn_t *conn, unsigned requests, unsigned in_flight);
/* The client may open no more streams; those in flight are answered. */
void http2_say_goodbye(h2o_conn_t *conn);
/* Frames that would open streams are ignored from now on. */
void http2_refuse_streams(h2o_conn_t *conn);
/* Read whole, but waiting for its turn. */
bool http2_is_pending(h2o_req_t *h2o);
/* Calls visit for every connection. */
void http2_each(h2o_context_t *context, void (*visit)(h2o_conn_t *conn, h2o_socket_t *socket));

/* handler.c */
int handler_on_request(h2o_handler_t *self, h2o_req_t *h2o);

/* library_error.c: problems instead of libh2o's own error pages */
void library_error_register(h2o_pathconf_t *path);

/* sweep.c */
void sweep_start(struct server *server);

/* tls.c */
MUST_CHECK bool tls_load(const struct http_settings *settings);
/* The current context, with a reference for the caller. */
SSL_CTX *tls_context(void);

#endif
