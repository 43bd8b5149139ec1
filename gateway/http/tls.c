/* TLS for the listeners: one context for all workers, replaced whole when the certificate is renewed. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <shimin/log.h>
#include <string.h>

#include "crypto/certificate.h"
#include "http/server_internal.h"

/* ECDHE and AEAD only, for TLS 1.2; TLS 1.3 has nothing else. */
#define CIPHERS_1_2                                                                                                            \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"     \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

enum { TICKET_KEYS = 80 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static SSL_CTX *current; /* under the lock */

static const unsigned char offered[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/* The first of ours that the client has; without one the connection is HTTP/1.1. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                           unsigned in_length, void *argument)
{
    (void)ssl;
    (void)argument;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_length, offered, sizeof offered, in, in_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool report(SSL_CTX *context, const char *what, const char *file)
{
    char reason[256];
    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    ERR_clear_error();
    log_error("%s %s: %s", what, file, reason);
    SSL_CTX_free(context);
    return false;
}

/* Lets the handshake go on whatever the certificate is worth; SSL_get_verify_result still says so afterwards. */
static int accept_any(int good, X509_STORE_CTX *store)
{
    (void)good;
    (void)store;
    return 1;
}

static void copy(char *to, size_t room, struct str from)
{
    size_t length = from.len < room ? from.len : 0; /* a cut name would be another's */
    memcpy(to, from.at, length);
    to[length] = '\0';
}

static void keep_certificate(struct shown_certificate *shown, const X509 *certificate, long result)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    *shown = (struct shown_certificate){.result = result};
    copy(shown->digest, sizeof shown->digest, certificate_digest(scratch, certificate));
    copy(shown->subject, sizeof shown->subject, certificate_subject(scratch, certificate));
}

/* Keeps what the client showed with its connection. libh2o does not hand out the SSL of a socket, but the socket is what it
 * reads from. */
static void on_handshake(const SSL *ssl, int where, int result)
{
    (void)result;
    if (!(where & SSL_CB_HANDSHAKE_DONE))
        return;
    h2o_socket_t *socket = BIO_get_data(SSL_get_rbio(ssl));
    struct connection *connection = socket->on_close.data;
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (!certificate)
        return;
    if (!connection->certificate)
        connection->certificate = memory_alloc(sizeof *connection->certificate);
    keep_certificate(connection->certificate, certificate, SSL_get_verify_result(ssl));
}

bool request_certificate(const struct request *request, struct request_certificate *certificate)
{
    const struct shown_certificate *shown = request->connection ? request->connection->certificate : NULL;
    if (!shown)
        return false;
    *certificate = (struct request_certificate){
        .digest = str_of(shown->digest),
        .subject = str_of(shown->subject),
        .vouched = shown->result == X509_V_OK,
    };
    return true;
}

bool http_client_certificate(const struct request *request, struct str *subject, const char **reason)
{
    const struct connection *connection = request->connection;
    const struct shown_certificate *shown = connection ? connection->certificate : NULL;
    bool asked = connection && connection->server->settings->client_authority;
    *reason = shown                                           ? X509_verify_cert_error_string(shown->result)
              : !request->listener || !request->listener->tls ? "the connection is not over TLS"
              : asked                                         ? "no client certificate was shown"
                      : "no client certificate was asked for: the server has no authority to check it with";
    if (!shown || shown->result != X509_V_OK)
        return false;
    *subject = str_of(shown->subject);
    return true;
}

/* The authorities whose certificates we name as wanted. Programs send theirs in any case; a browser asks its user for one of a
 * named authority only, and for any if none is named: so there is always a name, if need be one that nobody has. */
static STACK_OF(X509_NAME) * wanted_authorities(const char *authority)
{
    if (authority)
        return SSL_load_client_CA_file(authority);
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    X509_NAME *nobody = X509_NAME_new();
    if (!names || !nobody ||
        X509_NAME_add_entry_by_txt(nobody, "CN", MBSTRING_ASC, (const unsigned char *)"Programs of departments", -1, -1, 0) !=
            1 ||
        !sk_X509_NAME_push(names, nobody))
        fatal("no memory for the name of an authority");
    return names;
}

static bool ask_for_certificate(SSL_CTX *context, const char *authority)
{
    static const unsigned char ours[] = "shimin";
    STACK_OF(X509_NAME) *names = wanted_authorities(authority);
    if (!names || (authority && SSL_CTX_load_verify_locations(context, authority, NULL) != 1))
        return report(context, "cannot load the clients' authority", authority);
    SSL_CTX_set_client_CA_list(context, names);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
    SSL_CTX_set_info_callback(context, on_handshake);
    /* A resumed session carries its certificate; without a context OpenSSL refuses to resume such sessions. */
    SSL_CTX_set_session_id_context(context, ours, sizeof ours - 1);
    return true;
}

static bool make(const struct http_settings *settings, SSL_CTX **made)
{
    const char *certificate = settings->certificate, *private_key = settings->private_key;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context)
        fatal("no memory for a TLS context");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS); /* an idle connection holds no buffers */
    /* Sessions live in the client's ticket; a cache of ours would be one lock for all workers. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
    if (SSL_CTX_set_cipher_list(context, CIPHERS_1_2) != 1)
        return report(context, "cannot set the ciphers of", "TLS 1.2");
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
        return report(context, "cannot load the certificate", certificate);
    if (SSL_CTX_use_PrivateKey_file(context, private_key, SSL_FILETYPE_PEM) != 1)
        return report(context, "cannot load the key", private_key);
    if (SSL_CTX_check_private_key(context) != 1)
        return report(context, "the certificate does not belong to the key", private_key);
    if ((settings->ask_certificate || settings->client_authority) && !ask_for_certificate(context, settings->client_authority))
        return false;
    *made = context;
    return true;
}

bool tls_load(const struct http_settings *settings)
{
    SSL_CTX *made = NULL;
    if (!make(settings, &made))
        return false;
    pthread_mutex_lock(&lock);
    SSL_CTX *old = current;
    unsigned char keys[TICKET_KEYS];
    /* The tickets that clients hold stay good. */
    if (old && SSL_CTX_get_tlsext_ticket_keys(old, keys, sizeof keys) == 1)
        SSL_CTX_set_tlsext_ticket_keys(made, keys, sizeof keys);
    current = made;
    pthread_mutex_unlock(&lock);
    SSL_CTX_free(old);
    return true;
}

SSL_CTX *tls_context(void)
{
    pthread_mutex_lock(&lock);
    SSL_CTX *context = current;
    if (context)
        SSL_CTX_up_ref(context);
    pthread_mutex_unlock(&lock);
    return context;
}
