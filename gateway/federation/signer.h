/* Signing what goes to a department, by the scheme that its contract names. A table of schemes.
 *
 * A signer belongs to one worker: it may hold a cached token. */
#ifndef FEDERATION_SIGNER_H
#define FEDERATION_SIGNER_H

#include "contract/contract.h"
#include "federation/secrets.h"
#include "http/request_internal.h"

#define OUTGOING_HEADERS_MAX 32

/* A request as it will stand on the wire. */
struct outgoing {
    struct str method;
    struct str scheme;    /* "http" or "https" */
    struct str authority; /* as in Host */
    struct str path;
    struct str query; /* without '?'; at == NULL: none */
    struct str body;
    struct field headers[OUTGOING_HEADERS_MAX];
    unsigned header_count;
};
/* false when there is no room left. */
MUST_CHECK bool outgoing_add(struct outgoing *outgoing, struct str name, struct str value);

enum signing {
    SIGNING_DONE,
    SIGNING_REFUSED,     /* our credentials are missing or refused: logged */
    SIGNING_UNAVAILABLE, /* the token could not be fetched */
    SIGNING_DEADLINE,
    SIGNING_CANCELLED,
};

/* How a signer asks the department for a token: POSTs the form with Basic credentials. Waits. */
struct token_fetch {
    enum signing (*fetch)(void *context, struct arena *arena, struct str path, struct str authorization, struct str form,
                          struct str *answer);
    void *context;
};

struct signer;

/* Whether some scheme of the table carries this security; false with a reason for the catalogue's compiler. */
MUST_CHECK bool signer_knows(const struct security *security);
/* Does it need the gateway's client certificate on the connection? */
bool signer_needs_certificate(const struct security *security);
/* NULL, with a static reason, when the secret (may be NULL) lacks what the scheme needs or has a broken key. Copies what it
 * needs. The caller owns the signer; `fetch` is copied. */
MUST_CHECK struct signer *signer_open(const struct security *security, const struct secret *secret,
                                      const struct token_fetch *fetch, const char **reason);
/* NULL is ignored. No fiber may be waiting in it. */
void signer_close(struct signer *signer);
/* Adds the scheme's headers. Waits only to fetch a token. */
enum signing signer_sign(struct signer *signer, struct arena *arena, struct outgoing *outgoing) MUST_CHECK;
/* The department answered 401: true if signing again may help (the token is dropped). */
MUST_CHECK bool signer_refused(struct signer *signer, const struct outgoing *outgoing);

#endif
