/* Keys of webhooks, and their signatures. */
#include "crypto/webhook_key.h"

#include "crypto/algorithms.h"
#include "crypto/digest.h"

#include <shimin/arena.h>
#include <shimin/id.h>

#include <openssl/evp.h>

enum { ED25519_KEY_SIZE = 32, ED25519_SIGNATURE_SIZE = 64 };

static struct str sign_v1(struct arena *arena, struct str secret, struct str input)
{
    uint8_t *out = arena_alloc(arena, DIGEST_SIZE);
    hmac_sha256(secret, input, out);
    return (struct str){(const char *)out, DIGEST_SIZE};
}

static EVP_PKEY *private_key(struct str secret)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (const uint8_t *)secret.at, secret.len);
    crypto_must(key != NULL, "make an Ed25519 key");
    return key;
}

/* Any 32 bytes are an Ed25519 private key (RFC 8032 §5.1.5). */
static struct str sign_v1a(struct arena *arena, struct str secret, struct str input)
{
    EVP_PKEY *key = private_key(secret);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = ED25519_SIGNATURE_SIZE;
    uint8_t *out = arena_alloc(arena, len);
    crypto_must(ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestSign(ctx, out, &len, (const uint8_t *)input.at, input.len) == 1,
                "sign with Ed25519");
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return (struct str){(const char *)out, len};
}

static struct str shared_text(struct arena *arena, struct str secret)
{
    (void)arena;
    return secret;
}

static struct str public_text(struct arena *arena, struct str secret)
{
    EVP_PKEY *key = private_key(secret);
    size_t len = ED25519_KEY_SIZE;
    uint8_t *out = arena_alloc(arena, len);
    crypto_must(EVP_PKEY_get_raw_public_key(key, out, &len) == 1, "read an Ed25519 public key");
    EVP_PKEY_free(key);
    return (struct str){(const char *)out, len};
}

static const struct {
    const char *name, *prefix;
    struct str (*text)(struct arena *arena, struct str secret);
    struct str (*sign)(struct arena *arena, struct str secret, struct str input);
} schemes[WEBHOOK_SCHEMES] = {
    [WEBHOOK_V1] = {"v1", "whsec_", shared_text, sign_v1},
    [WEBHOOK_V1A] = {"v1a", "whpk_", public_text, sign_v1a},
};

const char *webhook_scheme_name(enum webhook_scheme scheme)
{
    return schemes[scheme].name;
}

bool webhook_scheme_named(struct str name, enum webhook_scheme *scheme)
{
    for (unsigned i = 0; i < WEBHOOK_SCHEMES; i++)
        if (str_is(name, schemes[i].name)) {
            *scheme = i;
            return true;
        }
    return false;
}

struct str webhook_key_new(struct arena *arena)
{
    char *secret = arena_alloc(arena, WEBHOOK_SECRET_SIZE);
    random_bytes(secret, WEBHOOK_SECRET_SIZE);
    return (struct str){secret, WEBHOOK_SECRET_SIZE};
}

struct str webhook_key_text(struct arena *arena, enum webhook_scheme scheme, struct str secret)
{
    struct str text = schemes[scheme].text(arena, secret);
    return str_printf(arena, "%s%.*s", schemes[scheme].prefix, STR_ARG(base64_encode(arena, text.at, text.len)));
}

struct str webhook_sign(struct arena *arena, enum webhook_scheme scheme, struct str secret, struct str id, int64_t timestamp,
                        struct str body)
{
    struct text input = text_open(arena, id.len + body.len + 32);
    text_add(&input, id);
    text_printf(&input, ".%lld.", (long long)timestamp);
    text_add(&input, body);
    struct str signature = schemes[scheme].sign(arena, secret, text_str(&input));
    return str_printf(arena, "%s,%.*s", schemes[scheme].name, STR_ARG(base64_encode(arena, signature.at, signature.len)));
}
