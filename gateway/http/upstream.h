/* The HTTP/1.1 client that calls departments: kept connections, TLS, bounds; no redirects, no retries, no cap (all above). */
#ifndef SHIMIN_HTTP_UPSTREAM_H
#define SHIMIN_HTTP_UPSTREAM_H

#include <shimin/arena.h>
#include <shimin/str.h>
#include <sys/socket.h>

#include "http/request_internal.h"

struct upstream;

struct upstream_settings {
    struct str host; /* a name or a numeric address, without brackets */
    uint16_t port;
    bool tls;
    struct str server_name;  /* whose certificate is expected; empty: host */
    const char *ca_file;     /* PEM, a path or the text itself; NULL: the system's */
    struct str pin;          /* hex SHA-256 of the certificate's public key (SPKI); without ca_file it is all that is asked */
    const char *certificate; /* ours, with its key, likewise; NULL: none */
    const char *private_key;
    unsigned idle;     /* kept connections at most; 0: none is kept */
    int64_t idle_time; /* microseconds */
    /* Whether this address may be connected to, of those that the host's name resolves to; NULL: any. */
    bool (*allowed)(const struct sockaddr *address, void *argument);
    void *argument;
};

struct upstream_request {
    struct str method;
    struct str target; /* path and query */
    /* Host and Content-Length are added unless they are here. Names and values must be clean: a control character in one makes
     * the call UPSTREAM_GARBAGE without sending. */
    const struct field *fields;
    size_t field_count;
    struct str body;
    size_t most;               /* bytes of the answer's body */
    int64_t connect_deadline;  /* steady: until connected, TLS included; 0: as deadline */
    int64_t response_deadline; /* until the head of the answer is there; 0: as deadline */
    int64_t deadline;          /* until all of it is there */
    bool fresh;                /* not on a kept connection: for the attempt after UPSTREAM_STALE */
};

struct upstream_response {
    unsigned status;
    struct field *fields; /* names in lower case */
    size_t field_count;
    struct str body;
};

enum upstream_status {
    UPSTREAM_OK,
    UPSTREAM_CONNECT_FAILED, /* refused, unreachable, unresolved, or a certificate that is not theirs: nothing was sent */
    UPSTREAM_TIMEOUT,        /* a deadline, also that of connecting */
    UPSTREAM_RESET,          /* the connection ended before the answer did */
    UPSTREAM_STALE,          /* a kept connection ended before the first byte: it was closed while idle, or worse; idempotent
                                requests are tried again at once with `fresh` */
    UPSTREAM_GARBAGE,        /* not HTTP */
    UPSTREAM_TOO_LARGE,
    UPSTREAM_CANCELLED, /* the fiber was */
};
const char *upstream_status_name(enum upstream_status status);

/* For the calling worker, which owns it; the settings are copied. NULL after logging why, when certificates are unusable. */
MUST_CHECK struct upstream *upstream_open(const struct upstream_settings *settings);
/* Calls under way go on; their connections are closed after them. NULL is ignored. */
void upstream_close(struct upstream *upstream);
/* As in Host: without the port when it is the scheme's own. */
struct str upstream_authority(const struct upstream *upstream);
/* Sends, and waits for the whole answer; a shield counts as everywhere. The answer lives in the arena. */
enum upstream_status upstream_call(struct upstream *upstream, const struct upstream_request *request, struct arena *arena,
                                   struct upstream_response *response) MUST_CHECK;
/* The first field of that name (lower case), or STR_NONE. */
struct str upstream_field(const struct upstream_response *response, struct str name);

#endif
