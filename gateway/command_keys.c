/* shimin keys: make the file of the keys that encrypt personal fields. */
#include "command.h"

#include "crypto/keyring.h"
#include "crypto/record_key.h"

#include <stdio.h>
#include <string.h>

static int create(const char *path, const char *suite_name)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text faults = text_open(arena, 256);
    enum crypto_suite suite;
    if (!suite_named(str_of(suite_name ? suite_name : "intl"), &suite))
        return usage_fault(&command_keys, "the suite must be intl or gm");
    if (!keyring_create(path, suite, &faults)) {
        fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
        return EXIT_FAILED;
    }
    printf("%s: made; keep a copy apart from the database's backups\n", path);
    return EXIT_DONE;
}

static int create_signing(const char *path, const char *directory, const char *suite_name)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text faults = text_open(arena, 256);
    enum crypto_suite suite;
    struct str id;
    if (!suite_named(str_of(suite_name ? suite_name : "intl"), &suite))
        return usage_fault(&command_keys, "the suite must be intl or gm");
    if (!record_key_create(arena, path, directory, suite, &id, &faults)) {
        fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
        return EXIT_FAILED;
    }
    printf("%s: made; its id is %.*s, its public key stands in %s\n", path, STR_ARG(id), directory);
    return EXIT_DONE;
}

static int keys(int argc, char **argv)
{
    const char *suite = option_take(&argc, argv, "--suite");
    if (argc == 3 && strcmp(argv[0], "signing") == 0)
        return create_signing(argv[1], argv[2], suite);
    if (argc != 2 || strcmp(argv[0], "create") != 0)
        return usage_fault(&command_keys, "say create and the name of the new file");
    return create(argv[1], suite);
}

const struct command command_keys = {
    .name = "keys",
    .usage = "create [--suite intl|gm] FILE\n       shimin keys signing [--suite intl|gm] FILE DIRECTORY",
    .summary = "Make the keys that encrypt personal fields, or the one that signs the audit.",
    .help =
        "\nWrites one random key and one random blind index key with mode 0600; a file that exists is never overwritten.\n"
        "intl (the default) is AES-256-GCM with SHA-256; gm is SM4 with SM3.\n"
        "signing makes the private key that signs the audit (Ed25519, or SM2), mode 0600, and puts its public key into the\n"
        "directory, under its id; to rotate it, make a new one beside the old and restart: old public keys stay there.\n",
    .run = keys,
};
