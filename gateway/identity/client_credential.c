/* A new credential of a client, as its department sends it. */
#include "identity/client.h"

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "crypto/jose.h"
#include "crypto/token.h"

static bool refuse(struct client_credential *credential, struct str pointer, struct bilingual fault)
{
    credential->pointer = pointer;
    credential->fault = fault;
    return false;
}

static bool read_secret(struct arena *arena, const struct json *body, struct client_credential *credential)
{
    (void)body;
    uint8_t *digest = arena_alloc(arena, DIGEST_SIZE);
    credential->secret = token_new(arena);
    digest_sha256(credential->secret, digest);
    credential->secret_sha256 = (struct str){(const char *)digest, DIGEST_SIZE};
    return true;
}

static bool read_key(struct arena *arena, const struct json *body, struct client_credential *credential)
{
    const struct json *jwk = json_get(body, "jwk");
    const char *fault = jwk_fault(jwk);
    if (fault)
        return refuse(credential, STR("/jwk"),
                      (struct bilingual){str_printf(arena, "公钥 JWK 不可用：%s", fault), str_of(fault)});
    credential->jwk = json_text(arena, jwk);
    return true;
}

static bool read_certificate(struct arena *arena, const struct json *body, struct client_credential *credential)
{
    if (certificate_thumbprint(arena, json_get_string(body, "certificate", STR("")), &credential->certificate))
        return true;
    return refuse(credential, STR("/certificate"), BILINGUAL("必须是一张 PEM 证书", "It must be one certificate in PEM"));
}

static bool read_subject(struct arena *arena, const struct json *body, struct client_credential *credential)
{
    (void)arena;
    credential->subject = json_get_string(body, "subject", STR(""));
    return credential->subject.len ||
           refuse(credential, STR("/subject"),
                  BILINGUAL("请给出证书主题（RFC 4514），如 CN=metro,O=Metro,C=CN",
                            "Give the certificate's subject (RFC 4514), such as CN=metro,O=Metro,C=CN"));
}

static bool (*const readers[CLIENT_METHODS])(struct arena *arena, const struct json *body,
                                             struct client_credential *credential) = {
    [CLIENT_SECRET] = read_secret,
    [CLIENT_KEY] = read_key,
    [CLIENT_SELF_SIGNED] = read_certificate,
    [CLIENT_SUBJECT] = read_subject,
};

bool client_credential_read(struct arena *arena, const struct json *body, struct client_credential *credential)
{
    *credential = (struct client_credential){.pointer = STR_NONE};
    if (!client_method_named(json_get_string(body, "method", STR("")), &credential->method))
        return refuse(credential, STR("/method"), BILINGUAL("没有这种方式", "There is no such method"));
    return readers[credential->method](arena, body, credential);
}
