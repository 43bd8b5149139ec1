/* Keys that sign what is kept for years. */
#include "crypto/record_key.h"

#include "crypto/signature_key.h"

#include <shimin/arena.h>
#include <shimin/file.h>
#include <shimin/id.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MOST = 16 * 1024, ID_BYTES = 8, KEYS_MOST = 256 };

struct record_key {
    struct str id;
    struct signature_key *key;
};

struct record_keys {
    struct arena *arena;
    struct record_key of[KEYS_MOST];
    size_t count;
};

static void free_key(void *key)
{
    signature_key_free(key);
}

static void free_bio(BIO **bio)
{
    BIO_free(*bio);
}

static struct str id_of(struct arena *arena, EVP_PKEY *pkey)
{
    uint8_t digest[DIGEST_SIZE];
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    digest_sha256((struct str){(const char *)der, len > 0 ? (size_t)len : 0}, digest);
    OPENSSL_free(der);
    return hex_encode(arena, digest, ID_BYTES);
}

/* A key of either kind; which, its file says. */
static const char *read_key(struct arena *arena, struct str pem, struct record_key *key)
{
    const char *reason, *other;
    struct signature_key *read = signature_key_from_pem(SIGNATURE_ED25519, pem, &reason);
    if (!read)
        read = signature_key_from_pem(SIGNATURE_SM2_SM3, pem, &other);
    if (!read)
        return "holds no Ed25519 or SM2 key that can be read";
    arena_defer(arena, free_key, read);
    *key = (struct record_key){.id = id_of(arena, read->pkey), .key = read};
    return NULL;
}

/* ---- making ---- */

static bool write_new(const char *path, BIO *bio, mode_t mode, struct text *faults)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool good = fd >= 0 && fchmod(fd, mode) == 0 && write(fd, bytes, (size_t)len) == len && fsync(fd) == 0;
    if (!good)
        text_printf(faults, "%s: cannot be written: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !good)
        unlink(path);
    return good;
}

bool record_key_create(struct arena *arena, const char *path, const char *directory, enum crypto_suite suite, struct str *id,
                       struct text *faults)
{
    EVP_PKEY *pkey = suite == SUITE_GM ? EVP_PKEY_Q_keygen(NULL, NULL, "SM2") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    CLEANUP(free_bio) BIO *private_pem = BIO_new(BIO_s_secmem());
    CLEANUP(free_bio) BIO *public_pem = BIO_new(BIO_s_mem());
    bool good = pkey && private_pem && public_pem &&
                PEM_write_bio_PKCS8PrivateKey(private_pem, pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
                PEM_write_bio_PUBKEY(public_pem, pkey) == 1;
    if (!good)
        text_add_c(faults, "OpenSSL makes no key\n");
    else
        *id = id_of(arena, pkey);
    EVP_PKEY_free(pkey);
    return good && write_new(path, private_pem, 0600, faults) &&
           write_new(str_printf(arena, "%s/%.*s.pem", directory, STR_ARG(*id)).at, public_pem, 0644, faults);
}

/* ---- the private key ---- */

struct record_key *record_key_load(struct arena *arena, const char *path, struct text *faults)
{
    struct str pem;
    struct record_key *key = arena_new(arena, struct record_key);
    const char *fault = file_read(arena, path, PEM_MOST, FILE_PRIVATE, &pem);
    if (!fault) {
        fault = read_key(arena, pem, key);
        OPENSSL_cleanse((char *)pem.at, pem.len);
    }
    if (!fault && !key->key->is_private)
        fault = "holds a public key where the private one must stand";
    if (fault)
        text_printf(faults, "%s: %s\n", path, fault);
    return fault ? NULL : key;
}

struct str record_key_id(const struct record_key *key)
{
    return key->id;
}

bool record_key_sign(struct arena *arena, const struct record_key *key, struct str text, struct str *signature)
{
    return signature_sign(arena, key->key, text, signature);
}

/* ---- public keys ---- */

struct record_keys *record_keys_open(struct arena *arena)
{
    struct record_keys *keys = arena_new(arena, struct record_keys);
    keys->arena = arena;
    return keys;
}

static bool add_file(struct record_keys *keys, const char *path, struct text *faults)
{
    struct str pem;
    const char *fault = file_read(keys->arena, path, PEM_MOST, FILE_PUBLIC, &pem);
    if (!fault && keys->count == KEYS_MOST)
        fault = "is one key too many";
    if (!fault)
        fault = read_key(keys->arena, pem, &keys->of[keys->count]);
    if (fault)
        text_printf(faults, "%s: %s\n", path, fault);
    else
        keys->count++;
    return !fault;
}

bool record_keys_add(struct record_keys *keys, const char *path, struct text *faults)
{
    DIR *directory = opendir(path);
    if (!directory)
        return add_file(keys, path, faults);
    bool good = true;
    for (const struct dirent *entry; (entry = readdir(directory));)
        if (str_ends(str_of(entry->d_name), STR(".pem")))
            good &= add_file(keys, str_printf(keys->arena, "%s/%s", path, entry->d_name).at, faults);
    closedir(directory);
    return good;
}

void record_keys_add_own(struct record_keys *keys, const struct record_key *key)
{
    if (keys->count < KEYS_MOST)
        keys->of[keys->count++] = *key;
}

size_t record_keys_count(const struct record_keys *keys)
{
    return keys->count;
}

enum record_verdict record_keys_verify(const struct record_keys *keys, struct str id, struct str text, struct str signature)
{
    for (size_t i = 0; i < keys->count; i++)
        if (str_equal(keys->of[i].id, id))
            return signature_verify(keys->of[i].key, text, signature) ? RECORD_GOOD : RECORD_FORGED;
    return RECORD_KEY_UNKNOWN;
}
