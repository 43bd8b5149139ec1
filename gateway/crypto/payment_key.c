/* Keys of payment providers: RSA, bare or in a certificate. */
#include <shimin/payment_wire.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <stdlib.h>

#include "crypto/signature_key.h"

enum { PEM_MOST = 65536 };

struct payment_key {
    struct signature_key *key;
    char serial[64], number[80];
};

static BIO *pem_open(struct str pem)
{
    return pem.len > 0 && pem.len <= PEM_MOST ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;
}

static X509 *read_certificate(struct str pem)
{
    BIO *bio = pem_open(pem);
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    return certificate;
}

static void keep_serial(struct payment_key *key, const X509 *certificate)
{
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *hex = serial ? BN_bn2hex(serial) : NULL, *decimal = serial ? BN_bn2dec(serial) : NULL;
    if (hex && decimal && strlen(hex) < sizeof key->serial && strlen(decimal) < sizeof key->number) {
        memcpy(key->serial, hex, strlen(hex) + 1);
        memcpy(key->number, decimal, strlen(decimal) + 1);
    }
    OPENSSL_free(hex);
    OPENSSL_free(decimal);
    BN_free(serial);
}

static struct payment_key *of_certificate(X509 *certificate, const char **reason)
{
    struct payment_key *key = memory_alloc(sizeof *key);
    EVP_PKEY *pkey = X509_get_pubkey(certificate);
    *reason = "the certificate's key cannot be read";
    key->key = pkey ? signature_key_from_pkey(SIGNATURE_RSA_SHA256, pkey, false, reason) : NULL;
    ERR_clear_error();
    if (key->key) {
        keep_serial(key, certificate);
        return key;
    }
    free(key);
    return NULL;
}

struct payment_key *payment_key_read(struct str pem, const char **reason)
{
    if (str_find(pem, STR("PRIVATE KEY-----")) < 0) {
        X509 *certificate = read_certificate(pem);
        if (certificate) {
            struct payment_key *key = of_certificate(certificate, reason);
            X509_free(certificate);
            return key;
        }
    }
    struct signature_key *bare = signature_key_from_pem(SIGNATURE_RSA_SHA256, pem, reason);
    if (!bare)
        return NULL;
    struct payment_key *key = memory_alloc(sizeof *key);
    key->key = bare;
    return key;
}

/* The subject's common name, whole or a part between '@': UnionPay's is "041@Z12@00040000:SIGN@00000062". */
static bool is_named(const X509 *certificate, struct str name)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    unsigned char *text = NULL;
    int length = at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    bool found = false;
    if (length > 0) {
        struct str rest = {(const char *)text, (size_t)length};
        found = str_equal(rest, name);
        while (rest.at && !found)
            found = str_equal(str_cut(&rest, '@'), name);
    }
    OPENSSL_free(text);
    return found;
}

static X509_STORE *store_of(struct str authority)
{
    BIO *bio = pem_open(authority);
    X509_STORE *store = X509_STORE_new();
    for (X509 *one; bio && store && (one = PEM_read_bio_X509(bio, NULL, NULL, NULL)); X509_free(one))
        X509_STORE_add_cert(store, one);
    BIO_free(bio);
    ERR_clear_error();
    return store;
}

/* An intermediate authority that is configured is trusted as it stands. */
static bool is_vouched(X509 *certificate, struct str authority)
{
    X509_STORE *store = store_of(authority);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool good = store && context && X509_STORE_CTX_init(context, store, certificate, NULL) == 1;
    if (good) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
        good = X509_verify_cert(context) == 1;
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    ERR_clear_error();
    return good;
}

struct payment_key *payment_key_vouched(struct str pem, struct str authority, struct str name, const char **reason)
{
    X509 *certificate = read_certificate(pem);
    struct payment_key *key = NULL;
    if (!certificate)
        *reason = "the certificate cannot be read";
    else if (!is_named(certificate, name))
        *reason = "the certificate has another name";
    else if (!is_vouched(certificate, authority))
        *reason = "the certificate is not of the configured authority, or not in its time";
    else
        key = of_certificate(certificate, reason);
    X509_free(certificate);
    return key;
}

void payment_key_free(struct payment_key *key)
{
    if (!key)
        return;
    signature_key_free(key->key);
    free(key);
}

static struct str digest(struct arena *arena, const EVP_MD *kind, struct str bytes)
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(bytes.at, bytes.len, out, &size, kind, NULL) != 1)
        fatal("cannot digest a bill file");
    return hex_encode(arena, out, size);
}

struct str payment_sha256(struct arena *arena, struct str bytes)
{
    return digest(arena, EVP_sha256(), bytes);
}

struct str payment_sha1(struct arena *arena, struct str bytes)
{
    return digest(arena, EVP_sha1(), bytes);
}

struct str payment_key_serial(const struct payment_key *key)
{
    return str_of(key->serial);
}

struct str payment_key_number(const struct payment_key *key)
{
    return str_of(key->number);
}

bool payment_key_signs(const struct payment_key *key)
{
    return key->key->is_private;
}

struct str payment_sign(struct arena *arena, const struct payment_key *key, struct str text)
{
    struct str signature;
    if (!signature_sign(arena, key->key, text, &signature))
        fatal("a payment provider's key cannot sign");
    return base64_encode(arena, signature.at, signature.len);
}

bool payment_verify(const struct payment_key *key, struct str text, struct str signature)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    struct str bytes;
    return signature.len && base64_decode(scratch, signature, &bytes) && signature_verify(key->key, text, bytes);
}
