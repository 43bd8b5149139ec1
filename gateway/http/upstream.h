/* The HTTP/1.1 client that calls departments: kept connections, TLS, bounds; no redirects, no retries, no cap (all above). */
#ifndef SHIMIN_HTTP_UPSTREAM_H
#define SHIMIN_HTTP_UPSTREAM_H

#include <shimin/arena.h>
#include <shimin/str.h>
#include <sys/socket.h>

#include "http/request_internal.h"

struct share;
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
    /* Why this address, of those that the host's name resolves to, may not be connected to: static words, or NULL. Asked at
     * each connection. NULL: any may. */
    const char *(*refusal)(const struct sockaddr *address, void *argument);
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
    size_t head_most;          /* bytes of its head, interim answers (1xx) included; 0: 64 KiB */
    struct share *share;       /* what the answer's memory counts against until the arena closes; NULL: nothing */
    int64_t connect_deadline;  /* steady: until connected, TLS included; 0: as deadline */
    int64_t response_deadline; /* until the head of the answer is there; 0: as deadline */
    int64_t deadline;          /* until all of it is there */
    bool fresh;                /* not on a kept connection: for the attempt after UPSTREAM_STALE */
};

/* What exactly was wrong, for the report to whoever runs the other side. */
enum upstream_fault {
    UPSTREAM_FAULT_NONE,
    UPSTREAM_FAULT_NAME,        /* the name does not resolve */
    UPSTREAM_FAULT_ADDRESS,     /* an address that may not be connected to; `detail` says why */
    UPSTREAM_FAULT_CONNECT,     /* refused or unreachable */
    UPSTREAM_FAULT_CERTIFICATE, /* not theirs, expired, of an unknown authority, not the pinned one: `detail` says which */
    UPSTREAM_FAULT_TLS,         /* any other failure of the handshake: an old version, no common cipher */
    UPSTREAM_FAULT_LATE_CONNECT,
    UPSTREAM_FAULT_LATE_HEAD,
    UPSTREAM_FAULT_LATE_BODY,
    UPSTREAM_FAULT_NOT_HTTP,
    UPSTREAM_FAULT_HEAD_SIZE, /* head too large, or too many interim answers */
    UPSTREAM_FAULT_FIELDS,    /* a folded line */
    UPSTREAM_FAULT_FRAMING,   /* lengths that contradict each other, an unknown transfer coding */
    UPSTREAM_FAULT_CHUNK,
    UPSTREAM_FAULT_SWITCH, /* 101, which nobody asked for */
    UPSTREAM_FAULT_BODY_SIZE,
    UPSTREAM_FAULT_SHARE, /* the answers under way fill what the caller gave this upstream */
    UPSTREAM_FAULT_CUT,   /* the connection ended within the answer */
    UPSTREAM_FAULT_EXTRA, /* bytes after an answer */
    UPSTREAM_FAULTS,
};
const char *upstream_fault_name(enum upstream_fault fault);

struct upstream_response {
    unsigned status;
    struct field *fields; /* names in lower case */
    size_t field_count;
    struct str body;
    enum upstream_fault fault; /* also beside UPSTREAM_OK: UPSTREAM_FAULT_EXTRA */
    const char *detail;        /* static words, or NULL */
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
    UPSTREAM_FULL,      /* no share of the memory is left */
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
