/* Content-Digest (RFC 9530): the digest of a message's content, as a field. */
#include "crypto/content_digest.h"

#include "crypto/algorithms.h"
#include "crypto/structured_fields.h"
#include <shimin/id.h>

struct str content_digest(struct arena *arena, enum digest digest, struct str body)
{
    uint8_t bytes[DIGEST_SIZE];

    digest_of(digest, body, bytes);
    return str_printf(arena, "%s=:%.*s:", digest_name(digest), STR_ARG(base64_encode(arena, bytes, sizeof(bytes))));
}

/* The body's digest under the name, as many bytes as it has; 0 for a name that we do not know. SHA-512 is only ever checked:
 * RFC 9530 §5 lists it beside SHA-256, and several libraries send nothing else. */
static size_t digest_under(struct str name, struct str body, uint8_t out[EVP_MAX_MD_SIZE])
{
    enum digest digest;
    unsigned len = 0;

    if (digest_named(name, &digest)) {
        digest_of(digest, body, out);
        return DIGEST_SIZE;
    }
    if (str_is(name, "sha-512"))
        crypto_must(EVP_Digest(body.at, body.len, out, &len, crypto_algorithms()->sha512, NULL) == 1, "digest");
    return len;
}

enum content_digest_result content_digest_check(struct arena *arena, struct str field, struct str body)
{
    struct sf_members dictionary;
    enum content_digest_result result = CONTENT_DIGEST_UNKNOWN;
    uint8_t bytes[EVP_MAX_MD_SIZE];

    if (!sf_parse_dictionary(arena, field, &dictionary) || dictionary.count == 0)
        return CONTENT_DIGEST_MALFORMED;
    for (size_t i = 0; i < dictionary.count; i++) {
        const struct sf_member *member = &dictionary.members[i];
        const struct sf_value *value = &member->item.value;

        if (member->is_inner_list || value->type != SF_BYTES)
            return CONTENT_DIGEST_MALFORMED;
        size_t len = digest_under(member->key, body, bytes);
        if (len == 0)
            continue;
        if (value->text.len != len || !constant_time_equal(value->text.at, bytes, len))
            return CONTENT_DIGEST_DIFFERS;
        result = CONTENT_DIGEST_MATCHES;
    }
    return result;
}
