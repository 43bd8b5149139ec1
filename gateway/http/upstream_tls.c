/* TLS towards an upstream: whose certificate is accepted, and which one we show. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <string.h>

#include "http/upstream_internal.h"

static SSL_CTX *fail(struct upstream *upstream, SSL_CTX *context, const char *what)
{
    char reason[256];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    ERR_clear_error();
    log_error("%.*s: cannot use the %s: %s", STR_ARG(upstream->authority), what, reason);
    SSL_CTX_free(context);
    return NULL;
}

/* Keeps OpenSSL's words for what is wrong with a certificate; decides nothing. */
static int note_fault(int good, X509_STORE_CTX *store)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct upstream *upstream = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (!good) {
        upstream->fault = UPSTREAM_FAULT_CERTIFICATE;
        upstream->detail = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
    }
    return good;
}

/* The pinned public key; with a CA file the chain must be good too. */
static int verify_pin(X509_STORE_CTX *store, void *argument)
{
    struct upstream *upstream = argument;
    X509 *certificate = X509_STORE_CTX_get0_cert(store);
    unsigned char digest[EVP_MAX_MD_SIZE], *encoded = NULL;
    unsigned length = 0;
    int size = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded) : -1;
    bool same = size > 0 && EVP_Digest(encoded, (size_t)size, digest, &length, EVP_sha256(), NULL) == 1 &&
                length == sizeof upstream->pin && memcmp(digest, upstream->pin, length) == 0;
    OPENSSL_free(encoded);
    if (!same) {
        upstream->fault = UPSTREAM_FAULT_CERTIFICATE;
        upstream->detail = "another public key than the pinned one";
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    if (upstream->settings.ca_file)
        return X509_verify_cert(store);
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* The name, or the address, that the certificate must have. OpenSSL checks it, since libh2o does so only under TLS 1.2. */
static bool expect_name(SSL_CTX *context, const char *name)
{
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(context);
    unsigned char address[sizeof(struct in6_addr)];
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1;
    return X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1;
}

static bool is_pem(const char *text)
{
    return str_starts(str_of(text), STR("-----BEGIN "));
}

static BIO *memory_of(const char *text)
{
    BIO *memory = BIO_new_mem_buf(text, -1);
    if (!memory)
        fatal("no memory for a certificate");
    return memory;
}

/* Certificates of the text: the first is ours, the others its chain; or all are authorities. */
static bool take_certificates(SSL_CTX *context, const char *text, bool authorities)
{
    BIO *memory = memory_of(text);
    bool good = true;
    unsigned count = 0;
    for (X509 *one; good && (one = PEM_read_bio_X509(memory, NULL, NULL, NULL)); count++) {
        good = authorities ? X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one) == 1
               : count     ? SSL_CTX_add1_chain_cert(context, one) == 1
                           : SSL_CTX_use_certificate(context, one) == 1;
        X509_free(one);
    }
    if (good && count)
        ERR_clear_error(); /* the end of the text is an error to the reader */
    BIO_free(memory);
    return good && count;
}

static bool take_key(SSL_CTX *context, const char *text)
{
    BIO *memory = memory_of(text);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);
    bool good = key && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(memory);
    return good;
}

static bool use_authorities(SSL_CTX *context, const char *given)
{
    if (!given)
        return SSL_CTX_set_default_verify_paths(context) == 1;
    return is_pem(given) ? take_certificates(context, given, true) : SSL_CTX_load_verify_locations(context, given, NULL) == 1;
}

static bool use_certificate(SSL_CTX *context, const char *certificate, const char *key)
{
    return (is_pem(certificate) ? take_certificates(context, certificate, false)
                                : SSL_CTX_use_certificate_chain_file(context, certificate) == 1) &&
           (is_pem(key) ? take_key(context, key) : SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1) &&
           SSL_CTX_check_private_key(context) == 1;
}

SSL_CTX *upstream_tls_open(struct upstream *upstream)
{
    const struct upstream_settings *settings = &upstream->settings;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context)
        fatal("no memory for a TLS context");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_app_data(context, upstream);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, note_fault);
    if (!expect_name(context, settings->server_name.at))
        return fail(upstream, context, "server name");
    if (settings->pin.len) {
        if (!hex_decode(settings->pin, upstream->pin, sizeof upstream->pin))
            return fail(upstream, context, "pin, which is not a SHA-256 in hex");
        SSL_CTX_set_cert_verify_callback(context, verify_pin, upstream);
    }
    if (!use_authorities(context, settings->ca_file))
        return fail(upstream, context, "certificate authorities");
    if (settings->certificate && !use_certificate(context, settings->certificate, settings->private_key))
        return fail(upstream, context, "client certificate");
    return context;
}
