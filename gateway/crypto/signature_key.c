/* Signatures: the algorithms' table, and reading keys from PEM. */
#include "crypto/signature_key.h"

#include "crypto/algorithms.h"
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <shimin/arena.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MIN 16
#define RSA_BITS_MIN 2048

static const struct signature_scheme schemes[] = {
    [SIGNATURE_ED25519] = {.name = "ed25519", .key_types = {"ED25519"}, .digest = DIGEST_SHA256},
    [SIGNATURE_ECDSA_P256_SHA256] =
        {.name = "ecdsa-p256-sha256", .key_types = {"EC"}, .hash = HASH_SHA256, .digest = DIGEST_SHA256, .is_raw = true},
    [SIGNATURE_RSA_PSS_SHA512] = {.name = "rsa-pss-sha512",
                                  .key_types = {"RSA", "RSA-PSS"},
                                  .hash = HASH_SHA512,
                                  .digest = DIGEST_SHA256,
                                  .is_rsa = true,
                                  .is_pss = true},
    [SIGNATURE_RSA_PSS_SHA256] = {.name = "rsa-pss-sha256",
                                  .key_types = {"RSA", "RSA-PSS"},
                                  .hash = HASH_SHA256,
                                  .digest = DIGEST_SHA256,
                                  .is_rsa = true,
                                  .is_pss = true},
    [SIGNATURE_RSA_SHA256] =
        {.name = "rsa-v1_5-sha256", .key_types = {"RSA"}, .hash = HASH_SHA256, .digest = DIGEST_SHA256, .is_rsa = true},
    [SIGNATURE_HMAC_SHA256] = {.name = "hmac-sha256", .digest = DIGEST_SHA256},
    [SIGNATURE_HMAC_SM3] = {.name = "hmac-sm3", .digest = DIGEST_SM3},
    [SIGNATURE_SM2_SM3] =
        {.name = "sm2-sm3", .key_types = {"SM2"}, .hash = HASH_SM3, .digest = DIGEST_SM3, .is_sm2 = true, .is_raw = true},
    [SIGNATURE_SM2_SM3_DER] =
        {.name = "sm2-sm3-der", .key_types = {"SM2"}, .hash = HASH_SM3, .digest = DIGEST_SM3, .is_sm2 = true},
};

const struct signature_scheme *signature_scheme(enum signature_algorithm algorithm)
{
    return &schemes[algorithm];
}

const char *signature_algorithm_name(enum signature_algorithm algorithm)
{
    return schemes[algorithm].name;
}

bool signature_algorithm_named(struct str name, enum signature_algorithm *algorithm)
{
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        if (str_is(name, schemes[i].name)) {
            *algorithm = (enum signature_algorithm)i;
            return true;
        }
    }
    return false;
}

bool signature_algorithm_is_shared(enum signature_algorithm algorithm)
{
    return !schemes[algorithm].key_types[0];
}

enum digest signature_algorithm_digest(enum signature_algorithm algorithm)
{
    return schemes[algorithm].digest;
}

/* Never asks at the terminal: an encrypted key is refused. */
static int no_password(char *buffer, int size, int writing, void *argument)
{
    (void)size, (void)writing, (void)argument;
    *buffer = '\0';
    return -1;
}

static EVP_PKEY *read_pem(struct str pem, bool *is_private)
{
    BIO *bio = pem.len > 0 && pem.len <= INT_MAX ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;
    EVP_PKEY *pkey = NULL;

    *is_private = str_find(pem, STR("PRIVATE KEY-----")) >= 0;
    if (bio)
        pkey = *is_private ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                           : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return pkey;
}

static const char *fault_of(const struct signature_scheme *scheme, EVP_PKEY *pkey)
{
    char curve[32] = "";
    bool fits = false;

    for (size_t i = 0; i < COUNT_OF(scheme->key_types) && scheme->key_types[i]; i++)
        fits |= EVP_PKEY_is_a(pkey, scheme->key_types[i]) == 1;
    if (!fits)
        return "the key is of another type than the algorithm needs";
    if (scheme->is_rsa && EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN)
        return "an RSA key must have at least 2048 bits";
    if (!scheme->is_rsa && !scheme->is_sm2 && scheme->is_raw &&
        (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof(curve), NULL) != 1 ||
         strcmp(curve, "prime256v1") != 0))
        return "the key is not on the curve P-256";
    return NULL;
}

struct signature_key *signature_key_from_pkey(enum signature_algorithm algorithm, EVP_PKEY *pkey, bool is_private,
                                              const char **reason)
{
    *reason = fault_of(&schemes[algorithm], pkey);
    if (*reason) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    struct signature_key *key = memory_alloc(sizeof(*key));
    *key = (struct signature_key){
        .algorithm = algorithm, .is_private = is_private, .size = (size_t)EVP_PKEY_get_size(pkey), .pkey = pkey};
    *reason = signature_key_fault(key);
    if (!*reason)
        return key;
    signature_key_free(key);
    return NULL;
}

struct signature_key *signature_key_from_pem(enum signature_algorithm algorithm, struct str pem, const char **reason)
{
    bool is_private;

    if (signature_algorithm_is_shared(algorithm)) {
        *reason = "the algorithm takes a shared secret, not a PEM key";
        return NULL;
    }
    EVP_PKEY *pkey = read_pem(pem, &is_private);
    if (!pkey) {
        *reason = "the PEM holds no unencrypted private or public key that can be read";
        return NULL;
    }
    return signature_key_from_pkey(algorithm, pkey, is_private, reason);
}

struct signature_key *signature_key_from_secret(enum signature_algorithm algorithm, struct str secret, const char **reason)
{
    *reason = NULL;
    if (!signature_algorithm_is_shared(algorithm))
        *reason = "the algorithm takes a PEM key, not a shared secret";
    else if (secret.len < SECRET_MIN)
        *reason = "a shared secret must have at least 16 bytes";
    if (*reason)
        return NULL;
    struct signature_key *key = memory_alloc(sizeof(*key));
    *key = (struct signature_key){
        .algorithm = algorithm, .is_private = true, .size = DIGEST_SIZE, .hmac = hmac_new(schemes[algorithm].digest, secret)};
    return key;
}

void signature_key_free(struct signature_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey); /* clears a private key's numbers */
    hmac_free(key->hmac);
    free(key);
}

enum signature_algorithm signature_key_algorithm(const struct signature_key *key)
{
    return key->algorithm;
}
