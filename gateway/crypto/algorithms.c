/* OpenSSL's algorithms, fetched once a process, and the calling thread's contexts for them. */
#include "crypto/algorithms.h"

#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/log.h>
#include <stdlib.h>

static struct crypto_algorithms algorithms;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t contexts_key;
static _Thread_local struct crypto_contexts *contexts;

static void contexts_free(void *argument)
{
    struct crypto_contexts *old = argument;

    EVP_MD_CTX_free(old->sha256);
    EVP_MD_CTX_free(old->sm3);
    EVP_MD_CTX_free(old->signature);
    EVP_CIPHER_CTX_free(old->aes_256_gcm);
    EVP_CIPHER_CTX_free(old->sm4_ctr);
    free(old);
    contexts = NULL;
}

static void algorithms_fetch(void)
{
    algorithms = (struct crypto_algorithms){
        .sha256 = EVP_MD_fetch(NULL, "SHA256", NULL),
        .sha512 = EVP_MD_fetch(NULL, "SHA512", NULL),
        .sm3 = EVP_MD_fetch(NULL, "SM3", NULL),
        .aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL),
        .sm4_ctr = EVP_CIPHER_fetch(NULL, "SM4-CTR", NULL),
    };
    crypto_must(algorithms.sha256 && algorithms.sha512 && algorithms.sm3 && algorithms.aes_256_gcm && algorithms.sm4_ctr,
                "fetch SHA-256, SHA-512, SM3, AES-256-GCM and SM4-CTR");
    crypto_must(pthread_key_create(&contexts_key, contexts_free) == 0, "make a key for a thread's contexts");
}

static struct crypto_contexts *contexts_new(void)
{
    struct crypto_contexts *new = memory_alloc(sizeof(*new));

    *new = (struct crypto_contexts){
        .sha256 = EVP_MD_CTX_new(),
        .sm3 = EVP_MD_CTX_new(),
        .signature = EVP_MD_CTX_new(),
        .aes_256_gcm = EVP_CIPHER_CTX_new(),
        .sm4_ctr = EVP_CIPHER_CTX_new(),
    };
    crypto_must(new->sha256 &&new->sm3 &&new->signature &&new->aes_256_gcm &&new->sm4_ctr, "make a thread's contexts");
    crypto_must(pthread_setspecific(contexts_key, new) == 0, "keep a thread's contexts");
    return new;
}

const struct crypto_algorithms *crypto_algorithms(void)
{
    pthread_once(&once, algorithms_fetch);
    return &algorithms;
}

const struct crypto_contexts *crypto_contexts(void)
{
    if (!contexts) {
        pthread_once(&once, algorithms_fetch);
        contexts = contexts_new();
    }
    return contexts;
}

void crypto_must(bool ok, const char *what)
{
    if (!ok)
        fatal("crypto: OpenSSL could not %s", what);
}
