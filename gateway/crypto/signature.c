/* Signatures: signing and verifying with any key (for how keys are read, see signature_key.c). */
#include "crypto/signature.h"

#include "crypto/algorithms.h"
#include "crypto/signature_key.h"
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <shimin/arena.h>
#include <string.h>

#define SM2_IDENTITY "1234567812345678" /* GM/T 0009-2012 §10 */
#define RAW_SIZE 64
#define DER_MAX 72 /* SEQUENCE of two INTEGERs of up to 33 bytes */

static const EVP_MD *method(enum signature_hash hash)
{
    switch (hash) {
    case HASH_SHA256:
        return crypto_algorithms()->sha256;
    case HASH_SHA512:
        return crypto_algorithms()->sha512;
    case HASH_SM3:
        return crypto_algorithms()->sm3;
    case HASH_OWN:
        break;
    }
    return NULL;
}

/* The thread's context, ready for one EVP_DigestSign or EVP_DigestVerify; NULL when the key does not allow it. end() gives it
 * back in either case. */
static EVP_MD_CTX *begin(const struct signature_key *key, bool sign)
{
    const struct signature_scheme *scheme = signature_scheme(key->algorithm);
    EVP_MD_CTX *ctx = crypto_contexts()->signature;
    EVP_PKEY_CTX *options = NULL, **made = &options;
    int good;

    EVP_MD_CTX_reset(ctx);
    if (scheme->is_sm2) {
        /* The identity goes into the digest's beginning, so it has to be set before the initialisation. */
        options = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
        crypto_must(options && EVP_PKEY_CTX_set1_id(options, SM2_IDENTITY, sizeof(SM2_IDENTITY) - 1) == 1,
                    "set an SM2 identity");
        EVP_MD_CTX_set_pkey_ctx(ctx, options);
        made = NULL;
    }
    if (sign)
        good = EVP_DigestSignInit(ctx, made, method(scheme->hash), NULL, key->pkey);
    else
        good = EVP_DigestVerifyInit(ctx, made, method(scheme->hash), NULL, key->pkey);
    if (good == 1 && scheme->is_pss)
        good = EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1;
    return good == 1 ? ctx : NULL;
}

/* A context that was given its options by set_pkey_ctx does not own them. What OpenSSL has to say about a wrong signature is
 * taken out of the thread's queue, where the TLS code would find it. */
static void end(const struct signature_key *key)
{
    EVP_MD_CTX *ctx = crypto_contexts()->signature;

    if (signature_scheme(key->algorithm)->is_sm2) {
        EVP_PKEY_CTX *options = EVP_MD_CTX_get_pkey_ctx(ctx);
        EVP_MD_CTX_set_pkey_ctx(ctx, NULL);
        EVP_PKEY_CTX_free(options);
    }
    ERR_clear_error();
}

static bool raw_from_der(const uint8_t *der, size_t len, uint8_t raw[RAW_SIZE])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, RAW_SIZE / 2) > 0 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + RAW_SIZE / 2, RAW_SIZE / 2) > 0;

    ECDSA_SIG_free(pair);
    return good;
}

static size_t der_integer(const uint8_t *raw, uint8_t *der)
{
    size_t len = RAW_SIZE / 2, zero;

    while (len > 1 && *raw == 0) {
        raw++;
        len--;
    }
    zero = *raw & 0x80 ? 1 : 0;
    der[0] = 0x02;
    der[1] = (uint8_t)(len + zero);
    der[2] = 0;
    memcpy(der + 2 + zero, raw, len);
    return 2 + zero + len;
}

static size_t der_from_raw(const uint8_t *raw, uint8_t der[DER_MAX])
{
    size_t len = 2;

    len += der_integer(raw, der + len);
    len += der_integer(raw + RAW_SIZE / 2, der + len);
    der[0] = 0x30;
    der[1] = (uint8_t)(len - 2);
    return len;
}

static bool hmac_verify(const struct signature_key *key, struct str input, struct str signature)
{
    uint8_t expected[DIGEST_SIZE];

    hmac_sign(key->hmac, &input, 1, expected);
    return signature.len == sizeof(expected) && constant_time_equal(expected, signature.at, sizeof(expected));
}

bool signature_sign(struct arena *arena, const struct signature_key *key, struct str input, struct str *signature)
{
    const struct signature_scheme *scheme = signature_scheme(key->algorithm);
    size_t len = key->size;

    if (!key->is_private)
        return false;
    uint8_t *out = arena_alloc(arena, len);
    if (key->hmac) {
        hmac_sign(key->hmac, &input, 1, out);
        *signature = (struct str){(const char *)out, DIGEST_SIZE};
        return true;
    }
    EVP_MD_CTX *ctx = begin(key, true);
    bool good = ctx && EVP_DigestSign(ctx, out, &len, (const uint8_t *)(input.len ? input.at : ""), input.len) == 1;
    end(key);
    if (!good)
        return false;
    if (scheme->is_raw) {
        uint8_t *raw = arena_alloc(arena, RAW_SIZE);
        crypto_must(raw_from_der(out, len, raw), "read its own signature");
        out = raw;
        len = RAW_SIZE;
    }
    *signature = (struct str){(const char *)out, len};
    return true;
}

bool signature_verify(const struct signature_key *key, struct str input, struct str signature)
{
    const struct signature_scheme *scheme = signature_scheme(key->algorithm);
    /* cppcheck-suppress variableScope ; signature borrows it */
    uint8_t der[DER_MAX];

    if (key->hmac)
        return hmac_verify(key, input, signature);
    if (scheme->is_raw) {
        if (signature.len != RAW_SIZE)
            return false;
        signature.len = der_from_raw((const uint8_t *)signature.at, der);
        signature.at = (const char *)der;
    }
    if (signature.len == 0)
        return false;
    EVP_MD_CTX *ctx = begin(key, false);
    bool good = ctx && EVP_DigestVerify(ctx, (const uint8_t *)signature.at, signature.len,
                                        (const uint8_t *)(input.len ? input.at : ""), input.len) == 1;
    end(key);
    return good;
}

const char *signature_key_fault(const struct signature_key *key)
{
    struct arena *arena = arena_open();
    struct str signature;
    const char *fault = NULL;

    if (!(key->is_private ? signature_sign(arena, key, STR("trial"), &signature) : begin(key, false) != NULL))
        fault = "the key does not allow the algorithm";
    else if (key->is_private && !signature_verify(key, STR("trial"), signature))
        fault = "the key does not verify its own signature";
    end(key);
    arena_close(arena);
    return fault;
}
