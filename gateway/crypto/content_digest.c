/* Content-Digest (RFC 9530): the digest of a message's content, as a field. */
#include "crypto/content_digest.h"

#include "crypto/structured_fields.h"
#include <shimin/id.h>

struct str content_digest(struct arena *arena, enum digest digest, struct str body)
{
    uint8_t bytes[DIGEST_SIZE];

    digest_of(digest, body, bytes);
    return str_printf(arena, "%s=:%.*s:", digest_name(digest), STR_ARG(base64_encode(arena, bytes, sizeof(bytes))));
}

enum content_digest_result content_digest_check(struct arena *arena, struct str field, struct str body)
{
    struct sf_members dictionary;
    enum content_digest_result result = CONTENT_DIGEST_UNKNOWN;
    uint8_t bytes[DIGEST_SIZE];

    if (!sf_parse_dictionary(arena, field, &dictionary) || dictionary.count == 0)
        return CONTENT_DIGEST_MALFORMED;
    for (size_t i = 0; i < dictionary.count; i++) {
        const struct sf_member *member = &dictionary.members[i];
        const struct sf_value *value = &member->item.value;
        enum digest digest;

        if (member->is_inner_list || value->type != SF_BYTES)
            return CONTENT_DIGEST_MALFORMED;
        if (!digest_named(member->key, &digest))
            continue;
        digest_of(digest, body, bytes);
        if (value->text.len != sizeof(bytes) || !constant_time_equal(value->text.at, bytes, sizeof(bytes)))
            return CONTENT_DIGEST_DIFFERS;
        result = CONTENT_DIGEST_MATCHES;
    }
    return result;
}
