/* HTTP message signatures: verifying a request (RFC 9421 §3.2). */
#include "crypto/message_signature.h"

#include "crypto/content_digest.h"
#include <shimin/arena.h>
#include <shimin/clock.h>

struct verification {
    struct arena *arena;
    const struct message *message;
    const struct message_policy *policy;
    int64_t now; /* seconds */
    int64_t expires;
    struct message_verdict *verdict;
    struct str signature;
    struct str algorithm;
};

/* A string parameter; STR_NONE if it is absent. false if it has another type. */
static bool string_parameter(const struct sf_item *item, const char *name, struct str *text)
{
    const struct sf_value *value = sf_parameter(item, name);

    *text = value && value->type == SF_STRING ? value->text : STR_NONE;
    return !value || value->type == SF_STRING;
}

static bool integer_parameter(const struct sf_item *item, const char *name, int64_t fallback, int64_t *integer)
{
    const struct sf_value *value = sf_parameter(item, name);

    *integer = value && value->type == SF_INTEGER ? value->integer : fallback;
    return !value || value->type == SF_INTEGER;
}

static bool is_wanted(const struct sf_member *member, const struct message_policy *policy)
{
    struct str tag;

    if (policy->label.at)
        return str_equal(member->key, policy->label);
    return !policy->tag.at || (string_parameter(&member->item, "tag", &tag) && str_equal(tag, policy->tag));
}

static const char *choose(struct verification *v)
{
    struct str input = message_field_value(v->arena, v->message, STR("signature-input"));
    struct str signature = message_field_value(v->arena, v->message, STR("signature"));
    struct sf_members inputs, signatures;

    if (!input.at || !signature.at)
        return "the request has no signature";
    if (!sf_parse_dictionary(v->arena, input, &inputs) || !sf_parse_dictionary(v->arena, signature, &signatures))
        return "Signature-Input or Signature is no dictionary";
    v->verdict->covered = NULL;
    for (size_t i = 0; i < inputs.count && !v->verdict->covered; i++) {
        if (is_wanted(&inputs.members[i], v->policy))
            v->verdict->covered = &inputs.members[i];
    }
    if (!v->verdict->covered)
        return "the request has no signature of the wanted label or tag";
    v->verdict->label = v->verdict->covered->key;
    for (size_t i = 0; i < signatures.count; i++) {
        const struct sf_member *member = &signatures.members[i];
        if (str_equal(member->key, v->verdict->label) && !member->is_inner_list && member->item.value.type == SF_BYTES) {
            v->signature = member->item.value.text;
            return v->verdict->covered->is_inner_list ? NULL : "Signature-Input holds no list of components";
        }
    }
    return "Signature holds no bytes for the label in Signature-Input";
}

static const char *read_parameters(struct verification *v)
{
    struct message_verdict *verdict = v->verdict;
    const struct sf_item *item = &verdict->covered->item;

    if (!string_parameter(item, "keyid", &verdict->key_id) || !string_parameter(item, "nonce", &verdict->nonce) ||
        !string_parameter(item, "tag", &verdict->tag) || !string_parameter(item, "alg", &v->algorithm) ||
        !integer_parameter(item, "created", 0, &verdict->created) ||
        !integer_parameter(item, "expires", INT64_MAX, &v->expires))
        return "a signature parameter is of a wrong type";
    if (!sf_parameter(item, "created"))
        return "the signature does not say when it was created";
    if (!verdict->key_id.at)
        return "the signature does not name its key";
    if (v->policy->tag.at && !str_equal(verdict->tag, v->policy->tag))
        return "the signature has another tag";
    if (v->policy->nonce_required && verdict->nonce.len == 0)
        return "the signature has no nonce";
    return NULL;
}

static const char *check_times(struct verification *v)
{
    int64_t created = v->verdict->created;

    if (created > v->now + v->policy->tolerance)
        return "the signature was created in the future";
    if (created < v->now - v->policy->tolerance)
        return "the signature is too old";
    if (v->expires <= v->now || v->expires < created)
        return "the signature has expired";
    return NULL;
}

static bool is_covered(const struct sf_member *covered, struct str name)
{
    for (size_t i = 0; i < covered->item_count; i++) {
        const struct sf_item *item = &covered->items[i];
        if (item->value.type == SF_STRING && item->parameter_count == 0 && str_equal(item->value.text, name))
            return true;
    }
    return false;
}

static const char *check_covered(struct verification *v, struct str required)
{
    struct sf_members list;

    if (!required.at)
        return NULL;
    if (!sf_parse_list(v->arena, required, &list) || list.count != 1 || !list.members[0].is_inner_list)
        return "the policy's components are no inner list";
    for (size_t i = 0; i < list.members[0].item_count; i++) {
        const struct sf_value *name = &list.members[0].items[i].value;
        if (name->type != SF_STRING || !is_covered(v->verdict->covered, name->text))
            return "the signature does not cover all that is required";
    }
    return NULL;
}

static const char *check_digest(struct verification *v)
{
    bool has_body = v->message->body.len > 0;

    if (!is_covered(v->verdict->covered, STR("content-digest")))
        return has_body ? "the signature does not cover the content's digest" : NULL;
    struct str field = message_field_value(v->arena, v->message, STR("content-digest"));
    switch (content_digest_check(v->arena, field, v->message->body)) {
    case CONTENT_DIGEST_MATCHES:
        return NULL;
    case CONTENT_DIGEST_DIFFERS:
        return "Content-Digest is not the content's digest";
    case CONTENT_DIGEST_UNKNOWN:
        return "Content-Digest has no algorithm that is known here (sha-256, sha-512, sm3)";
    case CONTENT_DIGEST_MALFORMED:
        break;
    }
    return "Content-Digest is malformed";
}

static const char *check_signature(struct verification *v)
{
    const struct signature_key *key = v->policy->find_key(v->policy->user, v->verdict->key_id);
    struct text base = text_open(v->arena, 512);
    const char *reason;

    if (!key)
        return "the signature's key is not known";
    v->verdict->key = key;
    /* The key decides on the algorithm; `alg` may only agree (§3.2 step 6). */
    if (v->algorithm.at && !str_is(v->algorithm, signature_algorithm_name(signature_key_algorithm(key))))
        return "the signature's algorithm is not its key's";
    if (!message_signature_base(v->arena, v->message, v->verdict->covered, &base, &reason))
        return reason;
    return signature_verify(key, text_str(&base), v->signature) ? NULL : "the signature does not fit the request";
}

static const char *check_nonce(struct verification *v)
{
    struct message_verdict *verdict = v->verdict;
    int64_t until = verdict->created + v->policy->tolerance + 1;

    if (!v->policy->nonce_is_new || !verdict->nonce.at)
        return NULL;
    return v->policy->nonce_is_new(v->policy->user, verdict->key_id, verdict->nonce, seconds(until))
               ? NULL
               : "the signature's nonce was used before";
}

static const char *verify(struct verification *v)
{
    const char *reason = choose(v);

    /* Cheap checks first; the digest of a body that nobody signed is not worth computing. */
    if (!reason)
        reason = read_parameters(v);
    if (!reason)
        reason = check_times(v);
    if (!reason)
        reason = check_covered(v, v->policy->components);
    if (!reason && v->message->body.len > 0)
        reason = check_covered(v, v->policy->body_components);
    if (!reason)
        reason = check_signature(v);
    if (!reason)
        reason = check_digest(v);
    return reason ? reason : check_nonce(v);
}

bool message_verify(struct arena *arena, const struct message *message, const struct message_policy *policy, int64_t now,
                    struct message_verdict *verdict, const char **reason)
{
    struct verification v = {.arena = arena, .message = message, .policy = policy, .now = now / seconds(1), .verdict = verdict};

    *verdict = (struct message_verdict){.key = NULL};
    *reason = verify(&v);
    return !*reason;
}
