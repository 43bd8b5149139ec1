/* What the tests of gateway/crypto share: an arena for each test, spans of hex, and keys made on the spot, so that no private
 * key lies in the repository. */
#ifndef TEST_CRYPTO_SUPPORT_H
#define TEST_CRYPTO_SUPPORT_H

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <shimin/arena.h>
#include <shimin/id.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

__attribute__((unused)) static void arena_up(void)
{
    arena = arena_open();
}

__attribute__((unused)) static void arena_down(void)
{
    arena_close(arena);
}

#define ck_str_is(actual, expected)                                                                                            \
    do {                                                                                                                       \
        struct str actual_ = (actual);                                                                                         \
        ck_assert_msg(str_is(actual_, expected), "got \"%.*s\", not \"%s\"", STR_ARG(actual_), expected);                      \
    } while (0)

__attribute__((unused)) static struct str unhex(const char *text)
{
    size_t n = strlen(text) / 2;
    char *out = arena_alloc(arena, n + 1);

    ck_assert(hex_decode(str_of(text), out, n));
    return (struct str){out, n};
}

__attribute__((unused)) static struct str unbase64(const char *text)
{
    struct str out;

    ck_assert(base64_decode(arena, str_of(text), &out));
    return out;
}

__attribute__((unused)) static struct str unbase64url(const char *text)
{
    struct str out;

    ck_assert(base64url_decode(arena, str_of(text), &out));
    return out;
}

/* The key as PEM, private or public. Frees it if `last`. */
__attribute__((unused)) static struct str pem_of(EVP_PKEY *pkey, bool is_private, bool last)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;

    ck_assert_ptr_nonnull(pkey);
    if (is_private)
        ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    else
        ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, pkey), 1);
    long len = BIO_get_mem_data(bio, &at);
    struct str pem = str_copy(arena, (struct str){at, (size_t)len});
    BIO_free(bio);
    if (last)
        EVP_PKEY_free(pkey);
    return pem;
}

/* A point of a curve as a public key in PEM. */
__attribute__((unused)) static struct str pem_of_point(const char *type, const char *group, struct str point)
{
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point.at, point.len),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    ck_assert_int_eq(EVP_PKEY_fromdata_init(ctx), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, parameters), 1);
    EVP_PKEY_CTX_free(ctx);
    return pem_of(pkey, false, true);
}

/* Runs the case, with an arena for each test, as main's result. */
__attribute__((unused)) static int run(TCase *tests, const char *name)
{
    Suite *suite = suite_create(name);

    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

__attribute__((unused)) static TCase *tests_open(void)
{
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, arena_up, arena_down);
    return tests;
}

#endif
