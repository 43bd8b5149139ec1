/* Preparing a player, so that all that can be wrong with a contract is said at the start. */
#include "player.h"

#include <shimin/clock.h>
#include <string.h>

#include "generate.h"
#include "person.h"

enum { TRIES = 3 };

static const char *const *header_names(struct arena *arena, const struct operation *operation)
{
    const char **names = arena_array(arena, const char *, operation->parameter_count + 1);
    unsigned count = 0;
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        if (operation->parameters[i].place != PARAMETER_HEADER)
            continue;
        char *name = str_to_c(arena, operation->parameters[i].name);
        for (char *at = name; *at; at++)
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + 'a' - 'A' : *at);
        names[count++] = name;
    }
    return names;
}

static void blame(struct text *faults, const struct player *player, const struct operation *operation, struct str reason)
{
    text_printf(faults, "%.*s: %s %.*s (%.*s): %.*s\n", STR_ARG(player->contract->name), method_name(operation->method),
                STR_ARG(operation->path), STR_ARG(operation->id), STR_ARG(reason));
}

/* Whether what we would answer is what the contract says: a schema may ask for what we cannot make. */
static bool try_answer(struct player *player, const struct played_operation *played, struct text *faults)
{
    struct arena *arena CLEANUP(arena_close_at) = arena_open();
    const struct answer_shape *answer = &played->answer;
    for (int64_t i = 0; answer->shape && answer->media->schema && i < TRIES; i++) {
        struct inputs inputs = {.count = 1, .list = {{STR("try"), json_make_integer(arena, i), true}}};
        const struct generate_order order = {.department = player->slug,
                                             .operation = played->operation,
                                             .answer = answer,
                                             .inputs = &inputs,
                                             .now = clock_wall()};
        struct schema_errors errors = {.arena = arena, .most = 1};
        struct json_error error;
        const struct json *value = json_parse(arena, generate_answer(arena, &order), &json_limits_answer, &error);
        if (value && schema_validate(answer->media->schema, value, &errors))
            continue;
        struct str reason = value ? str_printf(arena, "the sandbox cannot make a valid answer: %.*s %.*s",
                                               STR_ARG(errors.list[0].pointer), STR_ARG(errors.list[0].detail.en))
                                  : str_printf(arena, "the sandbox cannot make an answer: %s", error.reason);
        blame(faults, player, played->operation, reason);
        return false;
    }
    return true;
}

/* One verifier for each security scheme that the contract uses. */
static const struct verifier *verifier_of(struct player *player, struct arena *arena, const struct operation *operation,
                                          const struct secrets *secrets, bool secrets_given)
{
    for (unsigned i = 0; i < player->operation_count; i++) {
        const struct security *other = &player->operations[i].operation->security;
        if (other->kind == operation->security.kind && str_equal(other->name, operation->security.name))
            return player->operations[i].verifier;
    }
    return verifier_open(arena, &operation->security, player->slug, secrets_find(secrets, player->credentials), secrets_given);
}

bool player_prepare(struct player *player, struct arena *arena, const struct contract *contract, const struct secrets *secrets,
                    bool secrets_given, struct text *faults)
{
    struct shape_compiler *compiler = shape_compiler_new(arena, contract);
    bool good = true;
    player->contract = contract;
    player->router = router_new(arena);
    player->behaviour = behaviour_slot_new(arena);
    player->operations = arena_array(arena, struct played_operation, contract->operation_count);
    for (unsigned i = 0; i < contract->operation_count; i++) {
        const struct operation *operation = &contract->operations[i];
        struct played_operation *played = &player->operations[player->operation_count];
        struct str reason;
        *played =
            (struct played_operation){.operation = operation, .player = player, .header_names = header_names(arena, operation)};
        played->verifier = verifier_of(player, arena, operation, secrets, secrets_given);
        if (!router_add(player->router, operation, played, &reason) ||
            !shape_answer(compiler, operation, &played->answer, &reason)) {
            if (player->is_twin) {
                played->unplayable = reason;
                player->operation_count++;
                continue;
            }
            blame(faults, player, operation, reason);
            good = false;
            continue;
        }
        played->type = played->answer.media ? str_to_c(arena, played->answer.media->type) : NULL;
        if (played->type && strchr(played->type, '*'))
            played->type = "application/json";
        played->envelopes = envelopes_of(arena, compiler, operation);
        if (verifier_token_path(played->verifier).at)
            player->token_verifier = played->verifier;
        player->tls |= operation->security.kind == SECURITY_MUTUAL_TLS;
        player->operation_count++;
        size_t before = faults->len;
        bool fine = try_answer(player, played, faults);
        if (!fine && player->is_twin)
            played->unplayable = str_copy(arena, str_slice(text_str(faults), before, faults->len));
        good &= fine || player->is_twin;
    }
    return good;
}

struct str player_security(const struct player *player)
{
    static const char *const kinds[] = {
        [SECURITY_NONE] = "none",     [SECURITY_API_KEY] = "apiKey",       [SECURITY_HTTP] = "http",
        [SECURITY_OAUTH2] = "oauth2", [SECURITY_OPENID] = "openIdConnect", [SECURITY_MUTUAL_TLS] = "mutualTLS"};
    const struct security *strictest = NULL;
    for (unsigned i = 0; i < player->operation_count; i++)
        if (!strictest || strictest->kind == SECURITY_NONE)
            strictest = &player->operations[i].operation->security;
    if (!strictest)
        return STR("none");
    return strictest->kind == SECURITY_HTTP ? strictest->scheme : str_of(kinds[strictest->kind]);
}
