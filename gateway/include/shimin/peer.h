/* Calling an external system that the operator has configured, over HTTP/1.1 with or without TLS: a payment provider.
 * (Departments are called through <shimin/department.h>.) Connections are kept; no redirect is followed. */
#ifndef SHIMIN_PEER_H
#define SHIMIN_PEER_H

#include <shimin/arena.h>
#include <shimin/str.h>

struct peer;

/* `address` is "https://host", with a port and a path that every target begins with, or http. `ca_file` is what its certificate
 * is checked with, PEM; NULL: the system's. NULL after logging why. Of the calling worker, in one of its fibers. */
MUST_CHECK struct peer *peer_open(const char *address, const char *ca_file);
/* Calls under way go on. NULL is ignored. */
void peer_close(struct peer *peer);
/* The path that every target begins with; empty without one. */
struct str peer_prefix(const struct peer *peer);
/* The path and query of `url` if it lies at this peer's scheme, host and port, else STR_NONE. */
struct str peer_target(const struct peer *peer, struct str url);

enum { PEER_FIELDS_MOST = 12 };

struct peer_request {
    struct str method;
    struct str target; /* path and query, the prefix included */
    struct {
        struct str name, value; /* names in lower case */
    } fields[PEER_FIELDS_MOST]; /* up to the first without a name */
    struct str body;
    size_t most;      /* bytes of the answer's body; 0: 1 MiB */
    int64_t deadline; /* steady */
};

struct peer_answer {
    unsigned status; /* 0: there is no answer */
    struct str body;
    const char *failure; /* why there is no answer ("timeout", "connect", …), static; NULL with one */
    const void *fields;  /* for peer_field */
};

/* Sends, and waits for the whole answer; true when there is one, whatever its status. false says nothing about whether the
 * request was carried out, unless the failure is "connect". A request whose kept connection had been closed is sent again at
 * once, so only what may be repeated is sent this way. */
MUST_CHECK bool peer_call(struct peer *peer, struct arena *arena, const struct peer_request *request,
                          struct peer_answer *answer);
/* A field of the answer, name in lower case; STR_NONE when there is none. */
struct str peer_field(const struct peer_answer *answer, const char *name);

#endif
