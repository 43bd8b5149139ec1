/* Any Signature-Input, Signature, query and field of a request: verified with a key of each kind, never accepted unless it is
 * signed, and whatever components a list names, a base either is built or is refused. The input's lines are the parts. */
#include "crypto/message_signature.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/log.h>

static struct signature_key *the_key;

static const struct signature_key *find_key(void *user, struct str key_id)
{
    (void)user;
    return key_id.len > 0 ? the_key : NULL;
}

/* Signs a request whose covered components come from the input, and verifies it: what we sign must be good. */
static void sign_and_verify(struct arena *arena, struct message message, struct str components, struct message_policy policy)
{
    struct message_profile profile = {.label = STR("s"), .components = components, .key = the_key, .key_id = STR("k")};
    struct message_field fields[4] = {message.fields[0], message.fields[1]};
    struct message_signature made;
    struct message_verdict verdict;
    const char *reason;
    struct message_signer *signer = message_signer_new(&profile, &reason);

    message.fields = fields;
    if (signer && message_sign(arena, signer, &message, seconds(1000), &made, &reason)) {
        fields[message.field_count++] = (struct message_field){STR("signature-input"), made.input};
        fields[message.field_count++] = (struct message_field){STR("signature"), made.signature};
        if (!message_verify(arena, &message, &policy, seconds(1000), &verdict, &reason) &&
            !str_starts(str_of(reason), STR("Content-Digest")))
            fatal("what was signed is refused: %s", reason);
    }
    message_signer_free(signer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, lines[5];
    struct message_verdict verdict;
    const char *reason;

    if (size == 0)
        return 0;
    if (!the_key)
        the_key = signature_key_from_secret(SIGNATURE_HMAC_SHA256, STR("0123456789abcdef"), &reason);
    for (size_t i = 0; i < COUNT_OF(lines); i++)
        lines[i] = rest.at ? str_cut(&rest, '\n') : STR("");
    struct message_field fields[] = {
        {STR("content-digest"), lines[3]},
        {STR("X-Field"), lines[4]},
        {STR("Signature-Input"), lines[0]},
        {STR("Signature"), lines[1]},
    };
    struct message message = {.method = STR("GET"),
                              .scheme = STR("https"),
                              .authority = STR("a.example"),
                              .path = STR("/"),
                              .query = lines[2],
                              .fields = fields,
                              .field_count = 4};
    struct message_policy policy = {.tolerance = INT64_C(1) << 40, .find_key = find_key};
    struct arena *arena = arena_open();
    if (message_verify(arena, &message, &policy, seconds(1000), &verdict, &reason))
        fatal("a request that nobody signed is believed");
    message.field_count = 2;
    sign_and_verify(arena, message, lines[0], policy);
    arena_close(arena);
    return 0;
}
