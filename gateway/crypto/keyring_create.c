/* The keys that protect stored fields: writing the first key file. */
#include "crypto/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <shimin/arena.h>
#include <shimin/id.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_arena(struct arena **arena)
{
    arena_close(*arena);
}

static struct str random_key(struct arena *arena)
{
    uint8_t secret[SUITE_KEY_SIZE];

    random_bytes(secret, sizeof(secret));
    struct str encoded = base64_encode(arena, secret, sizeof(secret));
    OPENSSL_cleanse(secret, sizeof(secret));
    return encoded;
}

static bool write_all(int fd, struct str s)
{
    while (s.len > 0) {
        ssize_t done = write(fd, s.at, s.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        s = str_slice(s, (size_t)done, s.len);
    }
    return fsync(fd) == 0;
}

bool keyring_create(const char *path, enum crypto_suite suite, struct text *faults)
{
    CLEANUP(close_arena) struct arena *arena = arena_open();
    const char *name = suite_of(suite)->name;
    struct str key = random_key(arena), blind_index = random_key(arena);
    struct str text =
        str_printf(arena,
                   "# Keep a copy apart from the database's backups: without this file nothing encrypted can be read.\n"
                   "active: k1\n"
                   "keys:\n"
                   "  - {id: k1, suite: %s, key: \"%.*s\"}\n"
                   "blind_index: {id: b1, suite: %s, key: \"%.*s\"}\n",
                   name, STR_ARG(key), name, STR_ARG(blind_index));
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && fchmod(fd, 0600) == 0 && write_all(fd, text);

    if (!good)
        text_printf(faults, "%s:0: cannot be written: %s\n", path, strerror(errno));
    if (fd >= 0 && close(fd) != 0 && good) {
        text_printf(faults, "%s:0: cannot be written: %s\n", path, strerror(errno));
        good = false;
    }
    if (fd >= 0 && !good)
        unlink(path);
    OPENSSL_cleanse((char *)key.at, key.len);
    OPENSSL_cleanse((char *)blind_index.at, blind_index.len);
    OPENSSL_cleanse((char *)text.at, text.len);
    return good;
}
