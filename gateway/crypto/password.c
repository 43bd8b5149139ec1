/* Passwords: argon2id in PHC strings. */
#include "crypto/password.h"

#include "crypto/digest.h"

#include <shimin/arena.h>
#include <shimin/id.h>
#include <shimin/log.h>

#include <argon2.h>
#include <openssl/crypto.h>

enum { SALT_SIZE = 16, HASH_SIZE = 32, MEMORY_MOST = 1 << 20, PASSES_MOST = 16, LANES_MOST = 16 };

const struct password_cost password_cost_default = {.memory = 65536, .passes = 3, .lanes = 4};

/* What a PHC string says. */
struct phc {
    struct password_cost cost;
    struct str salt, hash;
};

static void compute(struct password_cost cost, struct str salt, struct str password, uint8_t hash[HASH_SIZE])
{
    argon2_context context = {
        .out = hash,
        .outlen = HASH_SIZE,
        .pwd = (uint8_t *)(uintptr_t)password.at,
        .pwdlen = (uint32_t)password.len,
        .salt = (uint8_t *)(uintptr_t)salt.at,
        .saltlen = (uint32_t)salt.len,
        .t_cost = cost.passes,
        .m_cost = cost.memory,
        .lanes = cost.lanes,
        .threads = 1,
        .version = ARGON2_VERSION_13,
        .flags = ARGON2_DEFAULT_FLAGS,
    };
    int status = argon2id_ctx(&context);
    if (status != ARGON2_OK)
        fatal("argon2id failed: %s", argon2_error_message(status));
}

/* Base64 as PHC strings have it: without padding. */
static struct str encode(struct arena *arena, const void *bytes, size_t n)
{
    struct str text = base64_encode(arena, bytes, n);
    while (text.len && text.at[text.len - 1] == '=')
        text.len--;
    return text;
}

static bool decode(struct arena *arena, struct str text, struct str *bytes)
{
    static const char *const padding[] = {"", "===", "==", "="};
    return base64_decode(arena, str_printf(arena, "%.*s%s", STR_ARG(text), padding[text.len % 4]), bytes);
}

static bool read_cost(struct str *rest, const char *name, uint32_t most, uint32_t *value)
{
    struct str part = str_cut(rest, ',');
    int64_t number;
    if (!str_is(str_cut(&part, '='), name) || !part.at || !str_to_i64(part, &number) || number < 1 || number > most)
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool parse(struct arena *arena, struct str text, struct phc *phc)
{
    bool good =
        str_is(str_cut(&text, '$'), "") && str_is(str_cut(&text, '$'), "argon2id") && str_is(str_cut(&text, '$'), "v=19");
    struct str costs = str_cut(&text, '$');
    struct str salt = str_cut(&text, '$');
    return good && text.at && read_cost(&costs, "m", MEMORY_MOST, &phc->cost.memory) &&
           read_cost(&costs, "t", PASSES_MOST, &phc->cost.passes) && read_cost(&costs, "p", LANES_MOST, &phc->cost.lanes) &&
           !costs.at && phc->cost.memory >= 8 * phc->cost.lanes && decode(arena, salt, &phc->salt) &&
           decode(arena, text, &phc->hash) && phc->salt.len >= ARGON2_MIN_SALT_LENGTH && phc->salt.len <= 64 &&
           phc->hash.len == HASH_SIZE;
}

static struct str write(struct arena *arena, struct password_cost cost, const uint8_t salt[SALT_SIZE],
                        const uint8_t hash[HASH_SIZE])
{
    return str_printf(arena, "$argon2id$v=19$m=%u,t=%u,p=%u$%.*s$%.*s", cost.memory, cost.passes, cost.lanes,
                      STR_ARG(encode(arena, salt, SALT_SIZE)), STR_ARG(encode(arena, hash, HASH_SIZE)));
}

struct str password_hash(struct arena *arena, struct password_cost cost, struct str password)
{
    uint8_t salt[SALT_SIZE], hash[HASH_SIZE];
    random_bytes(salt, sizeof salt);
    compute(cost, (struct str){(const char *)salt, sizeof salt}, password, hash);
    return write(arena, cost, salt, hash);
}

bool password_verify(struct str text, struct str password)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    struct phc phc;
    uint8_t hash[HASH_SIZE];
    if (!text.at || !parse(scratch, text, &phc))
        return false;
    compute(phc.cost, phc.salt, password, hash);
    bool same = constant_time_equal(hash, phc.hash.at, HASH_SIZE);
    OPENSSL_cleanse(hash, sizeof hash);
    return same;
}

bool password_is_current(struct str text, struct password_cost cost)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    struct phc phc;
    return text.at && parse(scratch, text, &phc) && phc.cost.memory == cost.memory && phc.cost.passes == cost.passes &&
           phc.cost.lanes == cost.lanes;
}

struct str password_decoy(struct arena *arena, struct password_cost cost)
{
    uint8_t salt[SALT_SIZE], hash[HASH_SIZE];
    random_bytes(salt, sizeof salt);
    random_bytes(hash, sizeof hash);
    return write(arena, cost, salt, hash);
}
