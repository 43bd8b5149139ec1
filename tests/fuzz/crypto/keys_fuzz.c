/* Keys and plain signatures from outside, the kind by the first byte: a key file, a PEM key, a Content-Digest, the four fields
 * of a department's signature. What is refused is refused with a reason, which quotes no secret. */
#include "crypto/content_digest.h"
#include "crypto/department_signature.h"
#include "crypto/keyring.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key in the corpus; no fault may show it. */
static const char secret[] = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ=";

static void read_keyring(struct arena *arena, struct str text)
{
    static char path[32];
    static int fd = -1;
    if (fd < 0) { /* a file without a place, so that none is left behind */
        fd = memfd_create("keys", MFD_CLOEXEC);
        if (fd < 0 || fchmod(fd, 0600) != 0)
            fatal("cannot make a key file");
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text.at, text.len, 0) != (ssize_t)text.len)
        fatal("cannot write a key file");
    struct text faults = text_open(arena, 64);
    struct keyring *keyring = keyring_load(path, &faults);
    if ((keyring != NULL) != (faults.len == 0))
        fatal("a fault without a reason, or a reason without a fault");
    if (str_find(text_str(&faults), str_of(secret)) >= 0)
        fatal("a fault quotes a key");
    if (keyring && (!keyring_active(keyring) || !keyring_blind_index(keyring) ||
                    keyring_find(keyring, keyring_active(keyring)->id) != keyring_active(keyring)))
        fatal("a keyring lacks a key");
    keyring_free(keyring);
}

/* An Ed25519 key of our own, changed where and how the text's pairs of bytes say. */
static struct str changed_key(struct arena *arena, struct str text)
{
    static const unsigned char raw[32] = "a private key that nobody uses";
    BIO *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw, sizeof raw);
    char *bytes;
    if (!out || !key || PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1)
        fatal("cannot write a key");
    size_t len = (size_t)BIO_get_mem_data(out, &bytes);
    char *pem = arena_copy(arena, bytes, len);
    for (size_t i = 0; i + 1 < text.len; i += 2)
        pem[(unsigned char)text.at[i] % len] ^= text.at[i + 1];
    EVP_PKEY_free(key);
    BIO_free(out);
    return (struct str){pem, len};
}

/* The first byte of the text is the algorithm; its high bit asks for a key that is a good one but for some bytes. */
static void read_pem(struct arena *arena, struct str text)
{
    if (text.len == 0)
        return;
    const char *reason = NULL;
    enum signature_algorithm algorithm = (unsigned char)(text.at[0] & 0x7f) % (SIGNATURE_SM2_SM3_DER + 1);
    struct str rest = str_slice(text, 1, text.len), signature;
    if (text.at[0] & 0x80)
        rest = changed_key(arena, rest);
    struct signature_key *key = signature_algorithm_is_shared(algorithm) ? signature_key_from_secret(algorithm, rest, &reason)
                                                                         : signature_key_from_pem(algorithm, rest, &reason);
    if (!key) {
        if (!reason)
            fatal("a key is refused without a reason");
        return;
    }
    if (signature_verify(key, STR("input"), rest) && rest.len < 16)
        fatal("bytes that no key made are a signature");
    if (signature_sign(arena, key, STR("input"), &signature) && !signature_verify(key, STR("input"), signature))
        fatal("what was signed is refused");
    signature_key_free(key);
}

/* Line one is the field, the rest the body. */
static void read_digest(struct arena *arena, struct str text)
{
    struct str field = str_cut(&text, '\n'), body = text.at ? text : STR("");
    struct str made = content_digest(arena, DIGEST_SM3, body);
    (void)!content_digest_check(arena, field, body);
    if (content_digest_check(arena, made, body) != CONTENT_DIGEST_MATCHES)
        fatal("what was digested differs");
    if (content_digest_check(arena, made, str_printf(arena, "%.*s!", STR_ARG(body))) != CONTENT_DIGEST_DIFFERS)
        fatal("another body has the same digest");
}

/* Lines: timestamp, nonce, signature; the rest is the body. */
static void read_department(struct arena *arena, struct str text)
{
    static struct signature_key *key;
    const char *reason;
    if (!key && !(key = signature_key_from_secret(SIGNATURE_HMAC_SM3, STR("0123456789abcdef"), &reason)))
        fatal("%s", reason);
    struct department_signature given = {.key_id = STR("k")};
    given.timestamp = str_cut(&text, '\n');
    given.nonce = str_cut(&text, '\n');
    given.signature = str_cut(&text, '\n');
    const struct department_request request = {.method = STR("POST"), .path = STR("/v1"), .query = given.nonce, .body = text};
    if (department_verify(arena, key, &request, &given, seconds(1772326800), &reason))
        fatal("a request that nobody signed is believed");
    if (!department_sign(arena, key, STR("k"), &request, seconds(1772326800), &given) ||
        !department_verify(arena, key, &request, &given, seconds(1772326801), &reason))
        fatal("what was signed is refused");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct arena * arena, struct str text) = {read_keyring, read_pem, read_digest,
                                                                           read_department};
    if (size == 0)
        return 0;
    struct arena *arena = arena_open();
    kinds[data[0] % COUNT_OF(kinds)](arena, (struct str){(const char *)data + 1, size - 1});
    arena_close(arena);
    return 0;
}
