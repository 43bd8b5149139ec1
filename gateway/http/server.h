/* The HTTP server: listeners for TLS and plain HTTP/1.1 and HTTP/2 in every worker, and their graceful end. */
#ifndef SHIMIN_HTTP_SERVER_H
#define SHIMIN_HTTP_SERVER_H

#include "http/request_internal.h"

/* An address that is listened on by every worker (SO_REUSEPORT). The strings live as long as the process. */
struct http_listener {
    const char *address; /* numeric, e.g. "0.0.0.0" or "::" */
    uint16_t port;
    bool tls;
    bool proxy_protocol; /* a balancer in front says who the client is (PROXY protocol version 1); no count per address */
    bool internal;       /* operations: no CORS, no Strict-Transport-Security */
    /* Whether a connection is taken now; one that is not is reset. On the worker's loop, may not wait. NULL: always. */
    bool (*admit)(const struct http_listener *listener);
    /* Called in a new fiber for each request, with the request's deadline; replies by the functions of request.h. */
    void (*handle)(struct request *request);
    /* Called in the same fiber after the reply was handed over, also for requests that never came to `handle` (preflight,
     * refused heads); request->status is 499 when the client had left before. May be NULL. */
    void (*finished)(struct request *request);
};

/* Times in microseconds, sizes in bytes. http_settings_default is what to start from. */
struct http_settings {
    const struct http_listener *listeners;
    size_t listener_count;
    const char *certificate; /* PEM chain; needed when a listener has tls */
    const char *private_key;
    const char *client_authority; /* PEM: what clients' certificates are checked with; they are asked for one */
    bool ask_certificate;         /* without an authority as well: whoever signed it themselves is known by its digest */
    const char *problem_base;     /* "https://host/problems/": what `type` of a problem begins with */
    const char *const *origins;   /* CORS allow-list: "https://app.example", exact */
    size_t origin_count;

    size_t header_bytes; /* all names and values of a request */
    int64_t header_time; /* from the first byte to the last of the head */
    size_t body_bytes;
    /* Of single operations that may have more, and the most of them all; NULL and 0: none has. */
    size_t (*body_bytes_of)(struct str method, struct str path);
    size_t body_bytes_most;
    int64_t body_time;
    int64_t idle_time;                /* between requests */
    int64_t request_time;             /* the deadline of a request's fiber */
    int64_t send_time;                /* a reply that makes no progress for so long is cut off */
    unsigned connections;             /* in all workers */
    unsigned connections_per_address; /* in all workers; an IPv6 address counts by its /64 */
    unsigned concurrent_streams;      /* of an HTTP/2 connection; at most 100, which is what libh2o announces */
    unsigned requests_per_connection;
    unsigned reset_budget; /* streams a connection may lose before their reply within reset_window … */
    int64_t reset_window;  /* … unless it completed more than it reset */
    int gzip_level;        /* 0: never */
    size_t gzip_minimum;   /* smaller bodies are not worth it */
};
extern const struct http_settings http_settings_default;

/* Checks the settings, loads the certificate, registers the metrics. Once, before workers_start; `settings` must live as long
 * as the process. false after logging why. */
MUST_CHECK bool http_prepare(const struct http_settings *settings);
/* Opens the calling worker's listeners. Does not wait. false after logging why. */
MUST_CHECK bool http_open(void);
/* For workers_stop: stops accepting (after taking what is queued), tells the clients to go (`connection: close`, GOAWAY), and
 * keeps the worker alive until every connection has ended or `deadline`, when the rest are cut. On the worker's loop. */
void http_drain(int64_t deadline);
/* Loads certificate and key anew and gives them to every worker. A broken file is logged and keeps the old one. From the
 * main thread, after workers_start. */
MUST_CHECK bool http_reload_certificates(void);
/* Whether the client of this request, while it is there, showed a certificate that settings->client_authority vouches for. Its
 * handshake succeeds whatever it showed, so that the reply can say what is wrong. true with the certificate's subject
 * ("CN=gateway"), false with a static reason. */
MUST_CHECK bool http_client_certificate(const struct request *request, struct str *subject, const char **reason);
/* Connections open in the calling worker. */
unsigned http_connections(void);

#endif
