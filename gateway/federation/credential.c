/* Credentials that departments hand in: checked, named, encrypted. */
#include "crypto/field.h"
#include "federation/registered.h"
#include "federation/secrets.h"
#include "federation/settings.h"
#include <shimin/arena.h>
#include <shimin/draft.h>
#include <shimin/id.h>

/* In the order in which they are looked for: the first whose members are all there. */
static const struct {
    const char *kind;
    size_t needed[2];
} kinds[] = {
    {"mutual_tls", {offsetof(struct secret, certificate), offsetof(struct secret, private_key)}},
    {"private_key", {offsetof(struct secret, key_id), offsetof(struct secret, private_key)}},
    {"hmac", {offsetof(struct secret, key_id), offsetof(struct secret, hmac_key)}},
    {"oauth2", {offsetof(struct secret, client_id), offsetof(struct secret, client_secret)}},
    {"basic", {offsetof(struct secret, username), offsetof(struct secret, password)}},
    {"bearer", {offsetof(struct secret, token), offsetof(struct secret, token)}},
    {"api_key", {offsetof(struct secret, api_key), offsetof(struct secret, api_key)}},
};

static struct str member_of(const struct secret *secret, size_t offset)
{
    return *(const struct str *)((const char *)secret + offset);
}

static const char *kind_of(const struct secret *secret)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (member_of(secret, kinds[i].needed[0]).len && member_of(secret, kinds[i].needed[1]).len)
            return kinds[i].kind;
    return NULL;
}

static struct str fingerprint_of(struct arena *arena, struct str text)
{
    uint8_t digest[DIGEST_SIZE];
    field_blind_index(federation_settings()->keyring, STR(CREDENTIAL_CONTEXT), text, digest);
    return str_slice(hex_encode(arena, digest, sizeof digest), 0, 16);
}

static const struct problem *refuse(struct arena *arena, struct str reason)
{
    struct problem *problem =
        problem_new(arena, PROBLEM_VALIDATION, BILINGUAL("凭据不完整或格式不对", "These are no credentials"));
    struct problem_error *error = arena_new(arena, struct problem_error);
    *error = (struct problem_error){.pointer = STR(""), .detail = {reason, reason}};
    problem->errors = error;
    problem->error_count = 1;
    return problem;
}

static void free_secrets(const struct secrets **secrets)
{
    secrets_free(*secrets);
}

const struct problem *draft_credential_seal(struct arena *arena, struct str department, struct str system,
                                            struct str environment, const struct json *given,
                                            struct draft_credential *credential)
{
    struct str row = credential_row(arena, department, system, environment), text = json_text(arena, given);
    struct text faults = text_open(arena, 128), whole = text_open(arena, text.len + 128);
    struct json_out out = json_write(&whole);
    json_object(&out);
    json_key(&out, "departments");
    json_object(&out);
    json_key_str(&out, row);
    json_put_raw(&out, text);
    json_end_all(&out);
    if (!federation_settings()->keyring)
        return problem_new(arena, PROBLEM_STORE_UNAVAILABLE, BILINGUAL("未配置密钥", "There is no key to encrypt them with"));
    CLEANUP(free_secrets) const struct secrets *secrets = secrets_join(NULL, text_str(&whole), &faults);
    if (!secrets) /* "registered credentials:1: must be PEM text" */
        return refuse(arena, str_slice(text_str(&faults), 0, faults.len - 1));
    const struct secret *secret = secrets_find(secrets, row);
    const char *kind = kind_of(secret);
    if (!kind)
        return refuse(arena, STR("give key_id with hmac_key or private_key, client_id with client_secret, certificate with "
                                 "private_key, username with password, token, or api_key"));
    *credential = (struct draft_credential){
        .kind = str_of(kind),
        .key_id = secret_name(secret).len ? str_copy(arena, secret_name(secret)) : STR_NONE,
        .fingerprint = fingerprint_of(arena, text),
        .sealed = field_encrypt(arena, federation_settings()->keyring, STR(CREDENTIAL_CONTEXT), row, text),
    };
    return NULL;
}
