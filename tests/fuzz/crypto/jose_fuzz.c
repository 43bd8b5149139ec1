/* What clients and identity providers send to prove themselves, the kind by the first byte: a signed token, a public key, a
 * certificate, a stored password. Nothing that was not signed by the corpus' key may verify. */
#include "crypto/certificate.h"
#include "crypto/jose.h"
#include "crypto/password.h"

#include <shimin/arena.h>
#include <shimin/log.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* RFC 7515, appendix A.3: the one text that this key is known to have signed. */
static const char key[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                          "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static const char claims[] = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

static const struct json *parse(struct arena *arena, struct str text)
{
    struct json_error error;
    return json_parse(arena, text, &json_limits_request, &error);
}

static void read_token(struct arena *arena, struct str text)
{
    struct jws jws;
    if (!jws_parse(arena, text, &jws))
        return;
    if (jws.header->type != JSON_OBJECT || jws.payload->type != JSON_OBJECT || !jws.signature.len || jws.input.len >= text.len)
        fatal("a token was taken that is none");
    if (jws_verify(&jws, parse(arena, str_of(key))) && str_find(text, str_of(claims)) < 0)
        fatal("a token verifies that its key has not signed");
    (void)jws_is_for(&jws, STR("us"));
}

static void read_key(struct arena *arena, struct str text)
{
    const struct json *jwk = parse(arena, text);
    if (jwk && !jwk_fault(jwk) && jwk_thumbprint(arena, jwk).len != 43)
        fatal("a good key has no thumbprint");
}

static void read_certificate(struct arena *arena, struct str text)
{
    struct str digest;
    if (certificate_thumbprint(arena, text, &digest) && digest.len != 43)
        fatal("a certificate has no digest");
}

static void read_password(struct arena *arena, struct str text)
{
    (void)arena;
    (void)password_is_current(text, password_cost_default);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(struct arena *, struct str) = {read_token, read_key, read_certificate, read_password};
    if (!size)
        return 0;
    struct arena *arena = arena_open();
    kinds[data[0] % COUNT_OF(kinds)](arena, (struct str){(const char *)data + 1, size - 1});
    arena_close(arena);
    return 0;
}
