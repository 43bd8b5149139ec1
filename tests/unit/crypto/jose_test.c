/* JOSE: the RFCs' tokens and keys, and what must not be taken for either. */
#include "crypto/jose.h"

#include "../suite.h"

/* RFC 7515, appendix A.2 and A.3. */
#define RSA_KEY                                                                                                                \
    "{\"kty\":\"RSA\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Q" \
    "lL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"           \
    "UTo7WTBEMa2"                                                                                                              \
    "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_"                                         \
    "h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWy"                                                                                \
    "uXpoQ\",\"e\":\"AQAB\""
#define EC_KEY                                                                                                                 \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                                 \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
/* RFC 8037, appendix A.2. */
#define OKP_KEY "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define CLAIMS "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RSA_SIGNATURE                                                                                                          \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ" \
    "jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-"          \
    "eOkHWEsqtF"                                                                                                               \
    "ZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define EC_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RSA_TOKEN "eyJhbGciOiJSUzI1NiJ9." CLAIMS "." RSA_SIGNATURE
#define EC_TOKEN "eyJhbGciOiJFUzI1NiJ9." CLAIMS "." EC_SIGNATURE

static const struct json *json(const char *text)
{
    struct json_error error;
    const struct json *value = json_parse(arena, str_of(text), &json_limits_request, &error);
    ck_assert_msg(value != NULL, "%s", text);
    return value;
}

static bool verifies(const char *token, const char *key)
{
    struct jws jws;
    return jws_parse(arena, str_of(token), &jws) && jws_verify(&jws, json(key));
}

START_TEST(the_rfcs_tokens_verify)
{
    ck_assert(verifies(RSA_TOKEN, RSA_KEY "}"));
    ck_assert(verifies(EC_TOKEN, EC_KEY "}"));
    struct jws jws;
    ck_assert(jws_parse(arena, STR(EC_TOKEN), &jws));
    ASSERT_STR(json_get_string(jws.payload, "iss", STR("")), "joe");
    ck_assert_int_eq(json_get_integer(jws.payload, "exp", 0), 1300819380);
    ck_assert(jws_verify_set(&jws, json("{\"keys\":[" RSA_KEY "}," OKP_KEY "}," EC_KEY "}]}")));
    ck_assert(!jws_verify_set(&jws, json("{\"keys\":[" RSA_KEY "}," OKP_KEY "}]}")));
    ck_assert(!jws_verify_set(&jws, json("{\"keys\":{}}")));
    ck_assert(!jws_verify_set(&jws, json("[]")));
}
END_TEST

START_TEST(a_key_of_another_kind_name_or_use_does_not_verify)
{
    ck_assert(!verifies(RSA_TOKEN, EC_KEY "}"));
    ck_assert(!verifies(EC_TOKEN, RSA_KEY "}"));
    ck_assert(!verifies(EC_TOKEN, EC_KEY ",\"alg\":\"RS256\"}"));
    ck_assert(verifies(EC_TOKEN, EC_KEY ",\"alg\":\"ES256\",\"kid\":\"a\"}"));
    ck_assert(!verifies(RSA_TOKEN, RSA_KEY ",\"alg\":\"PS256\"}"));
    ck_assert(!verifies(RSA_TOKEN, RSA_KEY ",\"alg\":7}"));
}
END_TEST

START_TEST(a_token_that_was_changed_does_not_verify)
{
    static const char *const wrong[] = {
        "eyJhbGciOiJFUzI1NiJ9." CLAIMS ".",
        "eyJhbGciOiJFUzI1NiJ9." CLAIMS,
        "eyJhbGciOiJFUzI1NiJ9.e30." EC_SIGNATURE,
        "eyJhbGciOiJub25lIn0." CLAIMS "." EC_SIGNATURE,                      /* none */
        "eyJhbGciOiJIUzI1NiJ9." CLAIMS "." EC_SIGNATURE,                     /* HS256 */
        "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiZXhwIl19." CLAIMS "." EC_SIGNATURE, /* crit */
        "eyJhbGciOiJFUzI1NiJ9." CLAIMS "." EC_SIGNATURE ".",
        "eyJhbGciOiJFUzI1NiJ9." CLAIMS "." EC_SIGNATURE "AA",
        "eyJhbGciOiJFUzI1NiJ9." CLAIMS ".AAAA",
        "..",
        "",
        "W10.W10.AAAA", /* arrays */
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!verifies(wrong[i], EC_KEY "}"), "%s", wrong[i]);
}
END_TEST

START_TEST(keys_that_cannot_verify_have_a_fault)
{
    static const char *const good[] = {RSA_KEY "}", EC_KEY "}", OKP_KEY "}", EC_KEY ",\"use\":\"sig\",\"alg\":\"ES256\"}",
                                       RSA_KEY ",\"alg\":\"PS256\"}"};
    static const char *const wrong[] = {
        "[]",
        "{}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        OKP_KEY ",\"d\":\"AAAA\"}",
        OKP_KEY ",\"use\":\"enc\"}",
        OKP_KEY ",\"alg\":\"ES256\"}",
        OKP_KEY ",\"alg\":\"HS256\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qY\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
        /* not on the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}",
    };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        ck_assert_msg(!jwk_fault(json(good[i])), "%s: %s", good[i], jwk_fault(json(good[i])));
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(jwk_fault(json(wrong[i])) != NULL, "%s", wrong[i]);
    ck_assert(jwk_fault(NULL) != NULL);
}
END_TEST

/* RFC 7638 §3.1 and RFC 8037, appendix A.3. */
START_TEST(thumbprints_are_those_of_the_rfcs)
{
    ASSERT_STR(jwk_thumbprint(arena, json(OKP_KEY ",\"kid\":\"x\"}")), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    ASSERT_STR(
        jwk_thumbprint(
            arena,
            json("{\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuh"
                 "DR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvz"
                 "qY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3X"
                 "PksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\"}")),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}
END_TEST

static bool is_for(const char *claims)
{
    const struct jws jws = {.payload = json(claims)};
    return jws_is_for(&jws, STR("us"));
}

START_TEST(an_audience_is_one_or_one_of_many)
{
    ck_assert(is_for("{\"aud\":\"us\"}"));
    ck_assert(is_for("{\"aud\":[\"them\",\"us\"]}"));
    ck_assert(!is_for("{\"aud\":[]}") && !is_for("{\"aud\":\"them\"}") && !is_for("{}") &&
              !is_for("{\"aud\":{\"us\":\"us\"}}"));
}
END_TEST

RUN_TESTS("jose", the_rfcs_tokens_verify, a_key_of_another_kind_name_or_use_does_not_verify,
          a_token_that_was_changed_does_not_verify, keys_that_cannot_verify_have_a_fault, thumbprints_are_those_of_the_rfcs,
          an_audience_is_one_or_one_of_many)
