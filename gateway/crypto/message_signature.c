/* HTTP message signatures: signing a request (RFC 9421 §3.1). */
#include "crypto/message_signature.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_SIZE 16
#define PARAMETERS_MAX 6

struct message_signer {
    struct arena *arena;
    struct message_profile profile;
    struct sf_member covered[2]; /* without and with a body */
};

static const char *parse_components(struct arena *arena, struct str text, struct sf_member *list)
{
    struct sf_members parsed;

    if (!sf_parse_list(arena, text, &parsed) || parsed.count != 1 || !parsed.members[0].is_inner_list ||
        parsed.members[0].item.parameter_count > 0)
        return "the components are no inner list such as (\"@method\" \"@target-uri\")";
    *list = parsed.members[0];
    return NULL;
}

static const char *prepare_components(struct message_signer *signer)
{
    struct sf_member *plain = &signer->covered[0], *body = &signer->covered[1], more = {.is_inner_list = true};
    const char *reason = parse_components(signer->arena, signer->profile.components, plain);

    if (!reason && signer->profile.body_components.at)
        reason = parse_components(signer->arena, signer->profile.body_components, &more);
    if (reason)
        return reason;
    *body = *plain;
    body->item_count += more.item_count;
    body->items = arena_array(signer->arena, struct sf_item, body->item_count + 1);
    for (size_t i = 0; i < body->item_count; i++)
        body->items[i] = i < plain->item_count ? plain->items[i] : more.items[i - plain->item_count];
    return NULL;
}

/* What would make every signature fail is found when the profile is loaded: the label, the key id and the tag are written
 * once for trial. */
static const char *check_profile(struct message_signer *signer)
{
    struct message_profile *profile = &signer->profile;
    struct text trial = text_open(signer->arena, 128);
    struct sf_value key_id = sf_string(profile->key_id), tag = sf_string(profile->tag);
    struct sf_member member = {.key = profile->label, .item.value = sf_integer(1)};
    struct sf_members members = {&member, 1};
    struct str signature;

    if (!sf_write_dictionary(&trial, &members))
        return "the label is no key of a dictionary";
    if (!sf_write_value(&trial, &key_id) || !sf_write_value(&trial, &tag))
        return "the key id or the tag has characters that a field cannot carry";
    if (!signature_sign(signer->arena, profile->key, STR("trial"), &signature))
        return "the key cannot sign: is it a public one?";
    return NULL;
}

/* The two header values share one serialisation of the parameters: the last line of the base ends in it. */
static void write_fields(struct arena *arena, struct str label, struct str params, struct str signature,
                         struct message_signature *out)
{
    struct text input = text_open(arena, label.len + 1 + params.len + 1),
                value = text_open(arena, label.len + signature.len * 2 + 8);

    text_add(&input, label);
    text_add_char(&input, '=');
    text_add(&input, params);
    text_add(&value, label);
    text_add_c(&value, "=:");
    text_add(&value, base64_encode(arena, signature.at, signature.len));
    text_add_char(&value, ':');
    *out = (struct message_signature){text_str(&input), text_str(&value)};
}

static struct str nonce_new(struct arena *arena)
{
    uint8_t nonce[NONCE_SIZE];

    random_bytes(nonce, sizeof(nonce));
    return base64url_encode(arena, nonce, sizeof(nonce));
}

static size_t write_parameters(struct arena *arena, const struct message_profile *profile, int64_t created,
                               struct sf_parameter parameters[PARAMETERS_MAX])
{
    const char *algorithm = signature_algorithm_name(signature_key_algorithm(profile->key));
    size_t n = 0;

    parameters[n++] = (struct sf_parameter){STR("created"), sf_integer(created)};
    if (profile->expires_in > 0)
        parameters[n++] = (struct sf_parameter){STR("expires"), sf_integer(created + profile->expires_in)};
    if (profile->with_nonce)
        parameters[n++] = (struct sf_parameter){STR("nonce"), sf_string(nonce_new(arena))};
    parameters[n++] = (struct sf_parameter){STR("keyid"), sf_string(profile->key_id)};
    if (profile->with_algorithm)
        parameters[n++] = (struct sf_parameter){STR("alg"), sf_string(str_of(algorithm))};
    if (profile->tag.at)
        parameters[n++] = (struct sf_parameter){STR("tag"), sf_string(profile->tag)};
    return n;
}

struct message_signer *message_signer_new(const struct message_profile *profile, const char **reason)
{
    struct message_signer *signer = memory_alloc(sizeof(*signer));
    struct arena *arena = arena_open();

    *signer = (struct message_signer){.arena = arena, .profile = *profile};
    struct str *copied[] = {&signer->profile.label, &signer->profile.components, &signer->profile.body_components,
                            &signer->profile.key_id, &signer->profile.tag};
    for (size_t i = 0; i < COUNT_OF(copied); i++) {
        if (copied[i]->at)
            *copied[i] = str_copy(arena, *copied[i]);
    }
    *reason = prepare_components(signer);
    if (!*reason)
        *reason = check_profile(signer);
    if (!*reason)
        return signer;
    message_signer_free(signer);
    return NULL;
}

void message_signer_free(struct message_signer *signer)
{
    if (!signer)
        return;
    arena_close(signer->arena);
    free(signer);
}

bool message_sign(struct arena *arena, const struct message_signer *signer, const struct message *message, int64_t now,
                  struct message_signature *signature, const char **reason)
{
    const struct message_profile *profile = &signer->profile;
    struct sf_parameter parameters[PARAMETERS_MAX];
    struct sf_member covered = signer->covered[message->body.len > 0];
    struct text base = text_open(arena, 512);
    struct str bytes;

    covered.item.parameters = parameters;
    covered.item.parameter_count = write_parameters(arena, profile, now / seconds(1), parameters);
    if (!message_signature_base(arena, message, &covered, &base, reason))
        return false;
    if (!signature_sign(arena, profile->key, text_str(&base), &bytes)) {
        *reason = "the key cannot sign";
        return false;
    }
    struct str whole = text_str(&base);
    const char *line = memrchr(whole.at, '\n', whole.len);
    size_t params = (line ? (size_t)(line - whole.at) + 1 : 0) + sizeof("\"@signature-params\": ") - 1;
    write_fields(arena, profile->label, str_slice(whole, params, whole.len), bytes, signature);
    return true;
}
