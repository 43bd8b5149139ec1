/* Clients: departments' programs as OAuth 2.0 clients (RFC 6749 §4.4), how they prove who they are, and their tokens. */
#ifndef SHIMIN_CLIENT_H
#define SHIMIN_CLIENT_H

#include <shimin/actor.h>
#include <shimin/json.h>
#include <shimin/problem.h>
#include <shimin/session.h>

/* How a credential proves; the names are those of the OAuth registry, but for `client_secret`, which serves
 * client_secret_basic and client_secret_post. */
enum client_method { CLIENT_SECRET, CLIENT_KEY, CLIENT_SELF_SIGNED, CLIENT_SUBJECT, CLIENT_METHODS };
const char *client_method_name(enum client_method method);

enum { CLIENT_TOKEN_SECONDS = 600 };

/* What came with a request to a token endpoint. */
struct client_proof {
    struct str id;                               /* client_id; at == NULL: the assertion says it */
    struct str secret, assertion;                /* at == NULL: none */
    struct str certificate, certificate_subject; /* SHA-256 in base64url; RFC 4514. Of the connection; at == NULL: none */
    bool certificate_vouched;                    /* by the configured authority */
};

struct client {
    struct str id, department, credential_id;
    unsigned scopes;
    enum client_method method;
};

enum client_outcome { CLIENT_DONE, CLIENT_REJECTED, CLIENT_UNAVAILABLE };

/* Checks the proof against the client's live credentials. An assertion (RFC 7523) must be of the client for us, live for five
 * minutes at most, and be new: its jti is good once. Waits. */
enum client_outcome client_authenticate(struct arena *arena, const struct client_proof *proof,
                                        struct client *client) MUST_CHECK;
/* A token of CLIENT_TOKEN_SECONDS; with a certificate it is good together with that only (RFC 8705 §3). Waits. */
enum client_outcome client_token_open(struct arena *arena, const struct client *client, unsigned scopes, struct str certificate,
                                      struct str *token) MUST_CHECK;
/* Ends a token if it is the client's; nothing happens if not (RFC 7009 §2.2). Waits. */
enum client_outcome client_token_revoke(struct arena *arena, const struct client *client, struct str token) MUST_CHECK;
/* Whose token it is: asks Redis and Postgres each time, so that a revoked client, credential or scope is one at once. */
enum session_outcome client_token_find(struct arena *arena, struct str token, struct str certificate,
                                       const struct actor **actor) MUST_CHECK;

/* A new credential, as a department sends it: {"method", "jwk" | "certificate" | "subject"}. */
struct client_credential {
    enum client_method method;
    struct str secret;        /* what is told once; at == NULL but for CLIENT_SECRET */
    struct str secret_sha256; /* 32 bytes */
    struct str jwk;           /* JSON */
    struct str certificate;   /* SHA-256 in base64url */
    struct str subject;       /* RFC 4514 */
    struct str pointer;       /* what is wrong … */
    struct bilingual fault;   /* … and why */
};
/* false with pointer and fault. Makes a secret where the method has one. Does not wait. */
MUST_CHECK bool client_credential_read(struct arena *arena, const struct json *body, struct client_credential *credential);

/* The issuer (configuration: oauth.issuer), "https://host". */
struct str client_issuer(void);

#endif
