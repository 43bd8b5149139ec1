/* HTTP message signatures of requests (RFC 9421): the signature base, signing, verifying.
 *
 * Our profile covers "@method" and "@target-uri", and with a body "content-type" and "content-digest"; `created` may differ
 * from the verifier's clock by 300 s, and a nonce is accepted once. Requests only: "@status" and the parameters `req` and
 * `tr` (trailers) are refused. */
#ifndef CRYPTO_MESSAGE_SIGNATURE_H
#define CRYPTO_MESSAGE_SIGNATURE_H

#include "crypto/signature.h"
#include "crypto/structured_fields.h"

struct message_field {
    struct str name; /* in any case */
    struct str value;
};

/* A request as it is signed. What a proxy in front rewrote must be given as the client sent it. */
struct message {
    struct str method;                  /* "POST" */
    struct str scheme;                  /* "https" */
    struct str authority;               /* "example.com:8443": Host or :authority; case and default port do not matter */
    struct str path;                    /* "/foo", still percent-encoded */
    struct str query;                   /* "a=1&b=2" without its '?'; STR_NONE if there is none */
    const struct message_field *fields; /* one for each line received */
    size_t field_count;
    struct str body;
};

/* Adds the signature base (§2.5) of the message for the covered components, with their parameters, to *base. false, with a
 * static text in *reason, when a component is unknown, missing from the message, or named twice, or when a value has a line
 * break in it. Does not wait. */
MUST_CHECK bool message_signature_base(struct arena *arena, const struct message *message, const struct sf_member *covered,
                                       struct text *base, const char **reason);

/* How messages to one receiver are signed: a part of its registration. */
struct message_profile {
    struct str label;           /* "sig1" */
    struct str components;      /* an inner list: (\"@method\" \"@target-uri\") */
    struct str body_components; /* the same, added when there is a body; may be STR_NONE */
    const struct signature_key *key;
    struct str key_id;
    struct str tag;     /* STR_NONE: none */
    int64_t expires_in; /* seconds; 0: no `expires` */
    bool with_algorithm;
    bool with_nonce; /* 128 random bits */
};
#define MESSAGE_COMPONENTS STR("(\"@method\" \"@target-uri\")")
#define MESSAGE_BODY_COMPONENTS STR("(\"content-type\" \"content-digest\")")

struct message_signer;
/* Prepares a profile; copies all of it but the key, which must outlive the signer. NULL, with *reason, when the label, the
 * components or a parameter are malformed, or the key is a public one. The caller owns the signer, which threads may share. */
MUST_CHECK struct message_signer *message_signer_new(const struct message_profile *profile, const char **reason);
/* NULL is ignored. */
void message_signer_free(struct message_signer *signer);

struct message_signature {
    struct str input;     /* the value of Signature-Input */
    struct str signature; /* the value of Signature */
};
/* Signs at the time `now` (microseconds since 1970, clock_wall). The message must have the covered fields already,
 * Content-Digest among them. false, with *reason, as for the base. Does not wait. */
MUST_CHECK bool message_sign(struct arena *arena, const struct message_signer *signer, const struct message *message,
                             int64_t now, struct message_signature *signature, const char **reason);

/* What a verifier insists on. */
struct message_policy {
    struct str label;      /* which signature; STR_NONE: the first that has the tag */
    struct str tag;        /* STR_NONE: any */
    int64_t tolerance;     /* seconds that `created` may differ from now */
    struct str components; /* an inner list of what must be covered */
    struct str body_components;
    bool nonce_required;
    /* The key of that id, or NULL. */
    const struct signature_key *(*find_key)(void *user, struct str key_id);
    /* Remembers a nonce until that time (microseconds since 1970) and says whether it is new. Called last, once the signature
     * is known to be good, so that only key holders can fill the memory; may wait. NULL: nonces are not looked at. */
    bool (*nonce_is_new)(void *user, struct str key_id, struct str nonce, int64_t until);
    void *user;
};
#define MESSAGE_TOLERANCE 300

struct message_verdict {
    struct str label, key_id, nonce, tag; /* STR_NONE where absent */
    int64_t created;                      /* seconds since 1970 */
    const struct signature_key *key;
    const struct sf_member *covered;
};
/* Verifies the signature in the message's own Signature-Input and Signature fields: required components, times, key,
 * algorithm, signature, Content-Digest against the body if it is covered, nonce. A message with a body whose digest is not
 * covered is refused whatever the policy says. false with a static English text in *reason, fit for a problem's detail.
 * `now` as above. Waits only if policy->nonce_is_new does. */
MUST_CHECK bool message_verify(struct arena *arena, const struct message *message, const struct message_policy *policy,
                               int64_t now, struct message_verdict *verdict, const char **reason);

/* The values of all lines of that field (name in lower case), trimmed and joined with ", " (§2.1); STR_NONE if it is absent. */
struct str message_field_value(struct arena *arena, const struct message *message, struct str name);

#endif
