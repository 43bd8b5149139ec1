/* X.509 certificates: their digests and names. */
#include "crypto/certificate.h"

#include "crypto/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <shimin/arena.h>
#include <shimin/id.h>
#include <shimin/log.h>

enum { PEM_BYTES_MOST = 65536 };

struct str certificate_digest(struct arena *arena, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1 || size != DIGEST_SIZE)
        fatal("cannot digest a certificate");
    return base64url_encode(arena, digest, size);
}

struct str certificate_subject(struct arena *arena, const X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct str subject = STR("");
    char *bytes;
    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        long length = BIO_get_mem_data(bio, &bytes);
        subject = str_copy(arena, (struct str){bytes, length > 0 ? (size_t)length : 0});
    }
    BIO_free(bio);
    return subject;
}

bool certificate_thumbprint(struct arena *arena, struct str pem, struct str *digest)
{
    BIO *bio = pem.len && pem.len <= PEM_BYTES_MOST ? BIO_new_mem_buf(pem.at, (int)pem.len) : NULL;
    X509 *one = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    X509 *two = one ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    bool good = one && !two;
    if (good)
        *digest = certificate_digest(arena, one);
    X509_free(one);
    X509_free(two);
    BIO_free(bio);
    ERR_clear_error();
    return good;
}
