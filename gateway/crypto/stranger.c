/* A certificate that nobody vouches for. */
#include "crypto/stranger.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <shimin/arena.h>

enum { DAY_SECONDS = 86400 };

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

static void free_certificate(X509 **certificate)
{
    X509_free(*certificate);
}

static void free_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static bool fill(X509 *certificate, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS) &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_SECONDS) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"nobody", -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

static struct str text_of(struct arena *arena, BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    return str_copy(arena, (struct str){bytes, (size_t)len});
}

bool stranger_create(struct arena *arena, struct str *certificate, struct str *private_key)
{
    CLEANUP(free_key) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(free_certificate) X509 *made = X509_new();
    CLEANUP(free_bio) BIO *key_pem = BIO_new(BIO_s_mem());
    CLEANUP(free_bio) BIO *certificate_pem = BIO_new(BIO_s_mem());
    if (!key || !made || !key_pem || !certificate_pem || !fill(made, key) ||
        PEM_write_bio_PKCS8PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) != 1 ||
        PEM_write_bio_X509(certificate_pem, made) != 1)
        return false;
    *certificate = text_of(arena, certificate_pem);
    *private_key = text_of(arena, key_pem);
    return true;
}
