/* The keys that protect stored fields: loading, looking up and wiping them. */
#include "crypto/keyring.h"

#include <openssl/crypto.h>
#include <shimin/arena.h>
#include <shimin/file.h>
#include <shimin/id.h>
#include <shimin/json.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536

struct keyring {
    struct arena *arena; /* the ids */
    struct keyring_key *keys;
    size_t count;
    const struct keyring_key *active;
    struct hmac *blind_index;
    struct str blind_index_id;
};

struct loader {
    const char *path;
    struct arena *arena;
    struct text *faults;
    size_t before; /* length of *faults at the start */
};

#define FAULT(loader, line, format, ...)                                                                                       \
    text_printf((loader)->faults, "%s:%u: " format "\n", (loader)->path, line, ##__VA_ARGS__)

static void wipe(struct str s)
{
    if (s.len > 0)
        OPENSSL_cleanse((char *)s.at, s.len); /* memory of this file's own arena */
}

static bool read_file(struct loader *loader, struct str *text)
{
    const char *reason = file_read(loader->arena, loader->path, FILE_MAX, FILE_PRIVATE, text);
    if (reason)
        text_printf(loader->faults, "%s: %s\n", loader->path, reason);
    return !reason;
}

static bool id_is_valid(struct str id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    if (id.len == 0 || id.len > KEYRING_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++) {
        if (!id.at[i] || !strchr(allowed, id.at[i]))
            return false;
    }
    return true;
}

/* One {id, suite, key}; what is wrong is added to the faults. `secret` is the caller's to wipe. */
static bool read_key(struct loader *loader, const struct json *node, struct str *id, enum crypto_suite *suite,
                     uint8_t secret[SUITE_KEY_SIZE])
{
    bool good = true;
    struct str encoded = json_get_string(node, "key", STR_NONE);
    struct str bytes = STR_NONE;

    *id = json_get_string(node, "id", STR_NONE);
    if (!id_is_valid(*id)) {
        FAULT(loader, node->line, "id must have 1 to %d of the characters A-Z a-z 0-9 . _ -", KEYRING_ID_MAX);
        good = false;
    }
    if (!suite_named(json_get_string(node, "suite", STR_NONE), suite)) {
        FAULT(loader, node->line, "suite must be intl or gm");
        good = false;
    }
    if (!encoded.at || !base64_decode(loader->arena, encoded, &bytes) || bytes.len != SUITE_KEY_SIZE) {
        FAULT(loader, node->line, "key must be the base64 of %d bytes", SUITE_KEY_SIZE);
        good = false;
    } else {
        memcpy(secret, bytes.at, SUITE_KEY_SIZE);
    }
    wipe(bytes);
    wipe(encoded);
    return good;
}

static void load_keys(struct loader *loader, struct keyring *keyring, const struct json *keys)
{
    uint8_t secret[SUITE_KEY_SIZE];

    keyring->keys = memory_alloc((size_t)keys->count * sizeof(*keyring->keys));
    for (uint32_t i = 0; i < keys->count; i++) {
        struct keyring_key *key = &keyring->keys[keyring->count];

        if (!read_key(loader, &keys->items[i], &key->id, &key->suite, secret))
            continue;
        if (keyring_find(keyring, key->id)) {
            FAULT(loader, keys->items[i].line, "the id %.*s is given to two keys", STR_ARG(key->id));
            continue;
        }
        key->id = str_copy(keyring->arena, key->id);
        suite_key_set(&key->key, key->suite, secret);
        keyring->count++;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
}

static void load_blind_index(struct loader *loader, struct keyring *keyring, const struct json *node)
{
    uint8_t secret[SUITE_KEY_SIZE];
    enum crypto_suite suite;
    struct str id;

    if (read_key(loader, node, &id, &suite, secret)) {
        keyring->blind_index_id = str_copy(keyring->arena, id);
        keyring->blind_index = hmac_new(suite_of(suite)->digest, (struct str){(const char *)secret, sizeof(secret)});
    }
    OPENSSL_cleanse(secret, sizeof(secret));
}

static void load_members(struct loader *loader, struct keyring *keyring, const struct json *root)
{
    static const char *const known[] = {"active", "keys", "blind_index"};
    const struct json *keys = json_get(root, "keys"), *blind_index = json_get(root, "blind_index");
    struct str active = json_get_string(root, "active", STR_NONE);

    for (uint32_t i = 0; root->type == JSON_OBJECT && i < root->count; i++) {
        bool found = false;
        for (size_t k = 0; k < COUNT_OF(known); k++)
            found |= str_is(root->members[i].name, known[k]);
        if (!found)
            FAULT(loader, root->members[i].value.line, "a key file has the members active, keys and blind_index only");
    }
    if (!keys || keys->type != JSON_ARRAY || keys->count == 0)
        FAULT(loader, root->line, "keys must list at least one key");
    else
        load_keys(loader, keyring, keys);
    if (!blind_index || blind_index->type != JSON_OBJECT)
        FAULT(loader, root->line, "blind_index must be an object with id, suite and key");
    else
        load_blind_index(loader, keyring, blind_index);
    keyring->active = keyring_find(keyring, active);
    if (!keyring->active)
        FAULT(loader, root->line, "active must name one of the keys");
}

struct keyring *keyring_load(const char *path, struct text *faults)
{
    struct loader loader = {path, arena_open(), faults, faults->len};
    struct keyring *keyring = memory_alloc(sizeof(*keyring));
    struct json_error error;
    struct str text = STR_NONE;

    keyring->arena = arena_open();
    if (read_file(&loader, &text)) {
        const struct json *root = yaml_parse(loader.arena, text, &json_limits_document, &error);
        if (root)
            load_members(&loader, keyring, root);
        else
            FAULT(&loader, error.line, "is not YAML: %s", error.reason);
    }
    wipe(text);
    arena_close(loader.arena);
    if (faults->len == loader.before)
        return keyring;
    keyring_free(keyring);
    return NULL;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    for (size_t i = 0; i < keyring->count; i++)
        suite_key_wipe(&keyring->keys[i].key);
    free(keyring->keys);
    hmac_free(keyring->blind_index);
    arena_close(keyring->arena);
    free(keyring);
}

const struct keyring_key *keyring_find(const struct keyring *keyring, struct str id)
{
    for (size_t i = 0; i < keyring->count; i++) {
        if (str_equal(keyring->keys[i].id, id))
            return &keyring->keys[i];
    }
    return NULL;
}

const struct keyring_key *keyring_active(const struct keyring *keyring)
{
    return keyring->active;
}

const struct hmac *keyring_blind_index(const struct keyring *keyring)
{
    return keyring->blind_index;
}

struct str keyring_blind_index_id(const struct keyring *keyring)
{
    return keyring->blind_index_id;
}
