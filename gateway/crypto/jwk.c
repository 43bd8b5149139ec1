/* JSON Web Keys: public ones, for verifying. */
#include "crypto/jwk.h"

#include "crypto/signature_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <shimin/arena.h>
#include <shimin/id.h>

#include <string.h>

enum { NUMBER_BYTES_MOST = 1024, COORDINATE = 32, POINT = 1 + 2 * COORDINATE, MEMBERS_MOST = 4 };

typedef EVP_PKEY *key_reader(struct arena *arena, const struct json *jwk);

static EVP_PKEY *read_rsa(struct arena *arena, const struct json *jwk);
static EVP_PKEY *read_ec(struct arena *arena, const struct json *jwk);
static EVP_PKEY *read_okp(struct arena *arena, const struct json *jwk);

/* What there may be; `members` are those of the thumbprint (RFC 7638 §3.2), in the order of the alphabet. */
static const struct kind {
    const char *type, *curve;
    const char *members[MEMBERS_MOST + 1];
    enum signature_algorithm algorithms[2];
    unsigned algorithm_count;
    key_reader *read;
} kinds[] = {
    {"RSA", NULL, {"e", "kty", "n"}, {SIGNATURE_RSA_SHA256, SIGNATURE_RSA_PSS_SHA256}, 2, read_rsa},
    {"EC", "P-256", {"crv", "kty", "x", "y"}, {SIGNATURE_ECDSA_P256_SHA256}, 1, read_ec},
    {"OKP", "Ed25519", {"crv", "kty", "x"}, {SIGNATURE_ED25519}, 1, read_okp},
};

static const struct {
    const char *name;
    enum signature_algorithm algorithm;
} names[] = {
    {"RS256", SIGNATURE_RSA_SHA256},
    {"PS256", SIGNATURE_RSA_PSS_SHA256},
    {"ES256", SIGNATURE_ECDSA_P256_SHA256},
    {"EdDSA", SIGNATURE_ED25519},
};

bool jose_algorithm_named(struct str name, enum signature_algorithm *algorithm)
{
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(name, names[i].name)) {
            *algorithm = names[i].algorithm;
            return true;
        }
    return false;
}

static const struct kind *kind_of(const struct json *jwk)
{
    struct str type = json_get_string(jwk, "kty", STR("")), curve = json_get_string(jwk, "crv", STR(""));
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_is(type, kinds[i].type) && (!kinds[i].curve || str_is(curve, kinds[i].curve)))
            return &kinds[i];
    return NULL;
}

static bool read_bytes(struct arena *arena, const struct json *jwk, const char *name, struct str *bytes)
{
    return base64url_decode(arena, json_get_string(jwk, name, STR("")), bytes) && bytes->len > 0 &&
           bytes->len <= NUMBER_BYTES_MOST;
}

static EVP_PKEY *make_key(const char *type, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(parameters);
    return key;
}

static EVP_PKEY *read_rsa(struct arena *arena, const struct json *jwk)
{
    struct str n, e;
    if (!read_bytes(arena, jwk, "n", &n) || !read_bytes(arena, jwk, "e", &e))
        return NULL;
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.at, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.at, (int)e.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    /* a large exponent would make each check as dear as a signature; an even modulus or exponent is no key */
    if (modulus && exponent && builder && BN_is_odd(modulus) && BN_is_odd(exponent) && !BN_is_one(exponent) &&
        BN_num_bits(exponent) <= 64 && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        key = make_key("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *read_ec(struct arena *arena, const struct json *jwk)
{
    struct str x, y;
    unsigned char point[POINT] = {0x04};
    if (!read_bytes(arena, jwk, "x", &x) || !read_bytes(arena, jwk, "y", &y) || x.len != COORDINATE || y.len != COORDINATE)
        return NULL;
    memcpy(&point[1], x.at, COORDINATE);
    memcpy(&point[1 + COORDINATE], y.at, COORDINATE);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (builder && OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1)
        key = make_key("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *read_okp(struct arena *arena, const struct json *jwk)
{
    struct str x;
    if (!read_bytes(arena, jwk, "x", &x) || x.len != COORDINATE)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.at, x.len);
}

struct signature_key *jwk_key(const struct json *jwk, enum signature_algorithm algorithm, const char **reason)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    const struct kind *kind = kind_of(jwk);
    enum signature_algorithm named;
    bool fits = false;
    for (unsigned i = 0; kind && i < kind->algorithm_count; i++)
        fits |= kind->algorithms[i] == algorithm;
    const struct json *alg = json_get(jwk, "alg");
    if (alg && (alg->type != JSON_STRING || !jose_algorithm_named(alg->string, &named) || named != algorithm))
        fits = false;
    if (!fits) {
        *reason = "the key is not for the algorithm";
        return NULL;
    }
    EVP_PKEY *pkey = kind->read(scratch, jwk);
    if (!pkey) {
        ERR_clear_error();
        *reason = "the key's numbers are missing or are no public key";
        return NULL;
    }
    return signature_key_from_pkey(algorithm, pkey, false, reason);
}

static const char *own_fault(const struct json *jwk)
{
    static const char *const secret[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};
    const struct json *use = json_get(jwk, "use");
    if (!jwk || jwk->type != JSON_OBJECT)
        return "a key is an object";
    for (size_t i = 0; i < COUNT_OF(secret); i++)
        if (json_get(jwk, secret[i]))
            return "this is a private key: send the public one only, and make a new pair, for this one is known now";
    if (use && (use->type != JSON_STRING || !str_is(use->string, "sig")))
        return "the key is not for signatures";
    return kind_of(jwk) ? NULL : "the key must be RSA, EC with P-256, or OKP with Ed25519";
}

const char *jwk_fault(const struct json *jwk)
{
    const char *fault = own_fault(jwk);
    if (fault)
        return fault;
    const struct kind *kind = kind_of(jwk);
    enum signature_algorithm algorithm = kind->algorithms[0];
    const struct json *alg = json_get(jwk, "alg");
    if (alg && (alg->type != JSON_STRING || !jose_algorithm_named(alg->string, &algorithm)))
        return "alg must be RS256, PS256, ES256 or EdDSA";
    struct signature_key *key = jwk_key(jwk, algorithm, &fault);
    signature_key_free(key);
    return key ? NULL : fault;
}

struct str jwk_thumbprint(struct arena *arena, const struct json *jwk)
{
    struct text text = text_open(arena, 512);
    struct json_out out = json_write(&text);
    uint8_t digest[DIGEST_SIZE];
    json_object(&out);
    for (const char *const *member = kind_of(jwk)->members; *member; member++)
        json_field(&out, *member, json_get_string(jwk, *member, STR("")));
    json_end_all(&out);
    digest_sha256(text_str(&text), digest);
    return base64url_encode(arena, digest, sizeof digest);
}
