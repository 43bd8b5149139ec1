/* What the federation reads of credentials and places, the kind by the first byte: the secrets file, the answer of a token
 * endpoint, the address of a backend. No fault may quote a secret, and no token may break a header. */
#include "federation/plan.h"
#include "federation/reach.h"
#include "federation/secrets.h"
#include "federation/token.h"

#include <netinet/in.h>
#include <shimin/log.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* Keys and certificates are named by path in the file; the fuzzer must not open what it makes up. */
static bool names_a_file(struct str text)
{
    return str_find(text, STR("private_key")) >= 0 && str_find(text, STR("-----BEGIN")) < 0;
}

static void read_secrets(struct arena *arena, struct str text)
{
    static const char marker[] = "hunter2";
    if (names_a_file(text))
        return;
    struct text faults = text_open(arena, 64);
    const struct secrets *secrets = secrets_parse(text, "secrets.yaml", &faults);
    if (secrets ? faults.len != 0 : !str_starts(text_str(&faults), STR("secrets.yaml:")))
        abort();
    if (str_find(text_str(&faults), STR(marker)) >= 0)
        abort();
    const struct secret *secret = secrets_find(secrets, STR("tax"));
    if (secret && secret->certificate.at && !secret->certificate.len)
        abort();
    secrets_free(secrets);
    /* what departments hand in: no path in it is followed */
    struct text others = text_open(arena, 64);
    secrets = secrets_join(NULL, text, &others);
    if (secrets ? others.len != 0 : !str_starts(text_str(&others), STR("registered credentials:")))
        abort();
    secret = secrets_find(secrets, STR("tax"));
    if (secret &&
        (secret->private_key_path.at || (secret->certificate.at && !str_starts(secret->certificate, STR("-----BEGIN ")))))
        abort();
    secrets_free(secrets);
}

static enum signing fetch(void *context, struct arena *arena, struct str path, struct str authorization, struct str form,
                          struct str *answer)
{
    (void)arena;
    if (!str_is(path, "/oauth/token") || !str_starts(authorization, STR("Basic ")) ||
        !str_starts(form, STR("grant_type=client_credentials")))
        abort();
    *answer = *(const struct str *)context;
    return SIGNING_DONE;
}

static void read_token(struct arena *arena, struct str answer)
{
    const struct security security = {.token_url = STR("https://sso.example/oauth/token")};
    const struct secret secret = {.client_id = STR("city"), .client_secret = STR("a secret"), .scope = STR("read")};
    const struct token_fetch fetched = {fetch, &answer};
    struct token *token = token_open(&security, &secret, &fetched);
    struct str value, again;
    if (token_get(token, arena, &value) == SIGNING_DONE) {
        if (!value.len || token_get(token, arena, &again) != SIGNING_DONE || !str_equal(value, again))
            abort();
        for (size_t i = 0; i < value.len; i++)
            if (value.at[i] <= ' ' || value.at[i] > '~')
                abort();
    }
    token_close(token);
}

static bool is_clean(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7f)
            return false;
    return true;
}

/* A range that is accepted opens its own first address, but for one that stands for an IPv4 address (NAT64). */
static void read_range(struct str text)
{
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    struct range range;
    const char *reason = NULL;
    if (!range_parse(text, &range, &reason)) {
        if (!reason)
            abort();
        return;
    }
    const struct reach reach = {.opened = &range, .count = 1, .public_closed = true};
    struct sockaddr_in6 first = {.sin6_family = AF_INET6};
    memcpy(&first.sin6_addr, range.base, sizeof range.base);
    if (range.bits > 128 || (memcmp(range.base, nat64, sizeof nat64) != 0 && reach_refusal(&reach, (struct sockaddr *)&first)))
        abort();
}

static void read_address(struct arena *arena, struct str text)
{
    struct address address;
    (void)arena;
    read_range(text);
    if (!address_parse(text, &address))
        return;
    if (!address.host.len || address.port == 0 || str_find(address.host, STR("@")) >= 0 || !is_clean(address.host))
        abort();
    if (address.base.len && (address.base.at[0] != '/' || str_ends(address.base, STR("/")) || !is_clean(address.base)))
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static void (*const kinds[])(struct arena * arena, struct str text) = {read_secrets, read_token, read_address};
    if (size == 0)
        return 0;
    log_set_level(LOG_ERROR + 1);
    struct arena *arena = arena_open();
    kinds[data[0] % COUNT_OF(kinds)](arena, (struct str){(const char *)data + 1, size - 1});
    arena_close(arena);
    return 0;
}
