/* Signatures of webhooks: Standard Webhooks 1.0.0.
 *
 * | scheme | key                                            | signature over "id.timestamp.body"  |
 * |--------|------------------------------------------------|-------------------------------------|
 * | v1     | 32 random bytes, shared as "whsec_" and base64 | HMAC-SHA-256                        |
 * | v1a    | Ed25519; ours alone, they get "whpk_" + base64 | Ed25519                             |
 *
 * Nothing here waits or fails but for a key that is none. */
#ifndef CRYPTO_WEBHOOK_KEY_H
#define CRYPTO_WEBHOOK_KEY_H

#include <shimin/str.h>

enum webhook_scheme { WEBHOOK_V1, WEBHOOK_V1A, WEBHOOK_SCHEMES };
const char *webhook_scheme_name(enum webhook_scheme scheme);
MUST_CHECK bool webhook_scheme_named(struct str name, enum webhook_scheme *scheme);

#define WEBHOOK_SECRET_SIZE 32

/* A new key: the raw secret, to be stored encrypted. */
struct str webhook_key_new(struct arena *arena);
/* What the receiver gets: "whsec_…" of v1, "whpk_…" of v1a. */
struct str webhook_key_text(struct arena *arena, enum webhook_scheme scheme, struct str secret);
/* One signature as it stands in webhook-signature: "v1,K5oZ…". */
struct str webhook_sign(struct arena *arena, enum webhook_scheme scheme, struct str secret, struct str id, int64_t timestamp,
                        struct str body);

#endif
