/* The one switch `intl` | `gm`: which digest, MAC and cipher protect what the platform stores. */
#include "crypto/suite.h"

#include "crypto/algorithms.h"
#include <limits.h>
#include <openssl/crypto.h>
#include <string.h>

/* More parts than any header has. */
#define PARTS_MAX 8

static void update(EVP_CIPHER_CTX *ctx, uint8_t *out, const void *in, size_t n)
{
    int done;

    crypto_must(n <= INT_MAX, "encrypt more than 2 GiB");
    if (n > 0)
        crypto_must(EVP_CipherUpdate(ctx, out, &done, in, (int)n), "run a cipher");
}

static EVP_CIPHER_CTX *gcm_begin(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count,
                                 int encrypt)
{
    EVP_CIPHER_CTX *ctx = crypto_contexts()->aes_256_gcm;

    crypto_must(EVP_CipherInit_ex2(ctx, crypto_algorithms()->aes_256_gcm, key->cipher, iv, encrypt, NULL), "begin AES-256-GCM");
    for (size_t i = 0; i < count; i++)
        update(ctx, NULL, header[i].at, header[i].len);
    return ctx;
}

static void gcm_seal(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count, struct str text,
                     uint8_t *out, uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = gcm_begin(key, iv, header, count, 1);
    int done;

    update(ctx, out, text.at, text.len);
    crypto_must(EVP_CipherFinal_ex(ctx, tag, &done), "end AES-256-GCM"); /* writes nothing: GCM is a stream */
    crypto_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SUITE_TAG_SIZE, tag), "take a tag");
}

static bool gcm_open(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count, struct str sealed,
                     const uint8_t *tag, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = gcm_begin(key, iv, header, count, 0);
    uint8_t expected[SUITE_TAG_SIZE];
    int done;

    memcpy(expected, tag, sizeof(expected));
    update(ctx, out, sealed.at, sealed.len);
    crypto_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SUITE_TAG_SIZE, expected), "set a tag");
    if (EVP_CipherFinal_ex(ctx, expected, &done) == 1)
        return true;
    OPENSSL_cleanse(out, sealed.len);
    return false;
}

static void sm4_run(const struct suite_key *key, const uint8_t *iv, struct str in, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = crypto_contexts()->sm4_ctr;

    crypto_must(EVP_CipherInit_ex2(ctx, crypto_algorithms()->sm4_ctr, key->cipher, iv, 1, NULL), "begin SM4-CTR");
    update(ctx, out, in.at, in.len);
}

/* The IV is part of what the caller's header delimits, and so is the header itself: the ciphertext comes last and needs no
 * length. The 256-bit HMAC is cut to 128 bits, the least that RFC 2104 §5 allows, because a field is stored by the million. */
static void gm_tag(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count, struct str sealed,
                   uint8_t *tag)
{
    struct str parts[PARTS_MAX];
    uint8_t mac[DIGEST_SIZE];

    crypto_must(count + 2 <= PARTS_MAX, "authenticate so many parts");
    memcpy(parts, header, count * sizeof(*parts));
    parts[count] = (struct str){(const char *)iv, 16};
    parts[count + 1] = sealed;
    hmac_sign(key->mac, parts, count + 2, mac);
    memcpy(tag, mac, SUITE_TAG_SIZE);
}

static void gm_seal(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count, struct str text,
                    uint8_t *out, uint8_t *tag)
{
    sm4_run(key, iv, text, out);
    gm_tag(key, iv, header, count, (struct str){(const char *)out, text.len}, tag);
}

static bool gm_open(const struct suite_key *key, const uint8_t *iv, const struct str *header, size_t count, struct str sealed,
                    const uint8_t *tag, uint8_t *out)
{
    uint8_t expected[SUITE_TAG_SIZE];

    gm_tag(key, iv, header, count, sealed, expected);
    if (!constant_time_equal(expected, tag, SUITE_TAG_SIZE))
        return false;
    sm4_run(key, iv, sealed, out);
    return true;
}

static const struct suite suites[] = {
    [SUITE_INTL] =
        {.name = "intl", .digest = DIGEST_SHA256, .cipher = "AES-256-GCM", .iv_size = 12, .seal = gcm_seal, .open = gcm_open},
    [SUITE_GM] = {.name = "gm",
                  .digest = DIGEST_SM3,
                  .cipher = "SM4-CTR with HMAC-SM3",
                  .iv_size = 16,
                  .seal = gm_seal,
                  .open = gm_open},
};

const struct suite *suite_of(unsigned number)
{
    return number < COUNT_OF(suites) && suites[number].name ? &suites[number] : NULL;
}

bool suite_named(struct str name, enum crypto_suite *suite)
{
    for (unsigned i = 0; i < COUNT_OF(suites); i++) {
        if (suites[i].name && str_is(name, suites[i].name)) {
            *suite = (enum crypto_suite)i;
            return true;
        }
    }
    return false;
}

void suite_key_set(struct suite_key *key, enum crypto_suite suite, const uint8_t secret[SUITE_KEY_SIZE])
{
    uint8_t mac[DIGEST_SIZE];

    *key = (struct suite_key){.mac = NULL};
    if (suite == SUITE_INTL) {
        memcpy(key->cipher, secret, SUITE_KEY_SIZE);
        return;
    }
    digest_derive(DIGEST_SM3, secret, "shimin field encryption", key->cipher);
    digest_derive(DIGEST_SM3, secret, "shimin field authentication", mac);
    key->mac = hmac_new(DIGEST_SM3, (struct str){(const char *)mac, sizeof(mac)});
    OPENSSL_cleanse(mac, sizeof(mac));
}

void suite_key_wipe(struct suite_key *key)
{
    hmac_free(key->mac);
    OPENSSL_cleanse(key, sizeof(*key));
}
