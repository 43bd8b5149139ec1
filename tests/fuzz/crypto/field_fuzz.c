/* Any bytes as an encrypted field, under keys of both suites: only what the keys made may open. The first byte chooses whether
 * the rest is taken as it is, or is encrypted and then changed in one place. */
#include "crypto/field.h"

#include <fcntl.h>
#include <shimin/arena.h>
#include <shimin/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct keyring *keyring_make(const char *active)
{
    static const char zero[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    struct arena *arena = arena_open();
    struct text faults = text_open(arena, 64);
    char path[] = "/tmp/shimin-fuzz-XXXXXX";
    int fd = mkstemp(path);

    if (fd < 0 || dprintf(fd,
                          "active: %s\nkeys: [{id: i, suite: intl, key: \"%s\"}, {id: g, suite: gm, key: \"%s\"}]\n"
                          "blind_index: {id: b, suite: gm, key: \"%s\"}\n",
                          active, zero, zero, zero) < 0)
        fatal("cannot write a key file");
    close(fd);
    struct keyring *keyring = keyring_load(path, &faults);
    unlink(path);
    if (!keyring)
        fatal("%.*s", STR_ARG(text_str(&faults)));
    arena_close(arena);
    return keyring;
}

static void change_one_byte(struct arena *arena, const struct keyring *keyring, struct str plain, size_t place, uint8_t by)
{
    struct str sealed = field_encrypt(arena, keyring, STR("c"), STR("r"), plain), back;

    if (!field_decrypt(arena, keyring, STR("c"), STR("r"), sealed, &back) || !str_equal(back, plain))
        fatal("a field does not come back");
    char *changed = arena_copy(arena, sealed.at, sealed.len);
    changed[place % sealed.len] = (char)(changed[place % sealed.len] ^ (by | 1));
    if (field_decrypt(arena, keyring, STR("c"), STR("r"), (struct str){changed, sealed.len}, &back))
        fatal("a changed field opens");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keyring *keyrings[2];
    struct arena *arena = arena_open();
    struct str back;

    if (!keyrings[0]) {
        keyrings[0] = keyring_make("i");
        keyrings[1] = keyring_make("g");
    }
    if (size > 3) {
        const struct keyring *keyring = keyrings[data[0] & 1];
        struct str rest = {(const char *)data + 3, size - 3};

        if (data[0] & 2)
            change_one_byte(arena, keyring, rest, data[1], data[2]);
        else if (field_decrypt(arena, keyring, STR("c"), STR("r"), rest, &back))
            fatal("bytes that no key made open");
        (void)field_is_current(keyring, rest);
    }
    arena_close(arena);
    return 0;
}
