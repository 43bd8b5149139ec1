/* A call to a department, from first to last: how it behaves, who calls, what is asked, what is answered. */
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <stdio.h>

#include "cache.h"
#include "calls.h"
#include "face.h"
#include "generate.h"
#include "http/server.h"
#include "misbehave.h"
#include "person.h"
#include "stage.h"
#include "twin.h"

/* What is known of a call until it is over; request->edge points to it. */
struct visit {
    struct call call;
    struct player *player;
    struct twin *twin; /* whose player it is; NULL: a department's */
    struct behaviour behaviour;
};

static void refuse(struct request *request, const struct envelope *envelopes, unsigned status, struct str reason)
{
    struct visit *visit = request->edge;
    snprintf(visit->call.refused, sizeof visit->call.refused, "%.*s", STR_ARG(reason));
    envelope_reply(request, envelopes, status, reason);
}

/* The 404 of any operation: a path that is unknown has none of its own. */
static const struct envelope *any_envelopes(const struct player *player, unsigned status)
{
    for (unsigned i = 0; i < player->operation_count; i++)
        if (envelope_find(player->operations[i].envelopes, status))
            return player->operations[i].envelopes;
    return status == 400 ? NULL : any_envelopes(player, 400);
}

static void refuse_route(struct request *request, const struct player *player, const struct route_match *match)
{
    if (!match->found) {
        refuse(request, any_envelopes(player, 404), 404, STR("the contract has no such path"));
        return;
    }
    struct text allow = text_open(request->arena, 64);
    for (int method = 0; method < METHODS; method++)
        if (match->allowed & (1u << method))
            text_printf(&allow, "%s%s", allow.len ? ", " : "", method_name((enum http_method)method));
    reply_header(request, "allow", text_str(&allow));
    refuse(request, any_envelopes(player, 400), 405, STR("the contract has this path, but not with this method"));
}

static bool authenticate(struct request *request, const struct played_operation *played)
{
    struct call *call = &((struct visit *)request->edge)->call;
    struct str who = STR_NONE;
    const char *reason = NULL;
    bool good = verifier_check(played->verifier, request, &who, &reason);
    snprintf(call->who, sizeof call->who, "%.*s", STR_ARG(who));
    call->signature = !good ? reason : who.len ? "fine" : "none";
    if (!good)
        refuse(request, played->envelopes, 401, str_of(reason));
    return good;
}

/* A department has no records of an identity number that cannot exist. */
static bool is_nobody(const struct played_operation *played, const struct inputs *inputs)
{
    struct str id_number = inputs_id_number(inputs);
    return id_number.at && !played->answer.rules && !cn_id_is_valid(id_number) && envelope_find(played->envelopes, 404);
}

static struct str quoted(struct arena *arena, struct str text)
{
    return json_text(arena, json_make_string(arena, text));
}

/* What the answer's rules say; why there is no answer, or NULL. */
static const char *tell(struct request *request, const struct played_operation *played, const struct inputs *inputs,
                        struct str told[SHAPE_RULES])
{
    unsigned rules = played->answer.rules;
    struct str id_number = inputs_id_number(inputs);
    bool opens_face = rules & 1u << RULE_FACE_SERIAL, reads_face = rules & 1u << RULE_FACE_RESULT;
    if (!opens_face && !reads_face) {
        if (rules & 1u << RULE_PERSON_MATCH)
            told[RULE_PERSON_MATCH] = person_matches(id_number, inputs_person_name(inputs)) ? STR("true") : STR("false");
        return NULL;
    }
    if (opens_face && !person_matches(id_number, inputs_person_name(inputs)))
        return "no such person: name and identity number do not belong together";
    if (opens_face) {
        struct face_opened opened;
        face_open(request->arena, id_number, &opened);
        told[RULE_FACE_SERIAL] = quoted(request->arena, opened.serial);
        told[RULE_FACE_TOKEN] = quoted(request->arena, opened.sdk_token);
        return NULL;
    }
    const struct json *serial = inputs_find(inputs, STR("serial"));
    enum face_result result;
    if (!serial || serial->type != JSON_STRING || !face_read(serial->string, id_number, &result))
        return "no face verification of this person has this serial";
    told[RULE_FACE_RESULT] = quoted(request->arena, str_of(face_result_name(result)));
    return NULL;
}

static void answer(struct request *request, const struct played_operation *played, const struct route_match *match)
{
    struct visit *visit = request->edge;
    struct str kept = cache_find(played, request);
    if (kept.at) {
        misbehave_reply(&visit->behaviour, request, played, str_copy(request->arena, kept));
        return;
    }
    struct inputs *inputs = arena_new(request->arena, struct inputs);
    struct inputs_fault fault;
    if (!inputs_read(request, played->operation, match, inputs, &fault)) {
        refuse(request, played->envelopes, fault.status, fault.reason);
        return;
    }
    if (is_nobody(played, inputs)) {
        refuse(request, played->envelopes, 404, STR("no record: the check digit of the identity number is wrong"));
        return;
    }
    struct generate_order order = {
        .department = played->player->slug,
        .operation = played->operation,
        .answer = &played->answer,
        .inputs = inputs,
        .now = clock_wall(),
    };
    const char *reason = tell(request, played, inputs, order.told);
    if (reason) {
        refuse(request, played->envelopes, 404, str_of(reason));
        return;
    }
    struct str made = generate_answer(request->arena, &order);
    cache_keep(played, request, made);
    misbehave_reply(&visit->behaviour, request, played, made);
}

static bool is_for_tokens(const struct player *player, struct str path)
{
    return player->token_verifier && str_equal(path, verifier_token_path(player->token_verifier));
}

static void play(struct request *request, struct player *player, struct twin *twin, struct str path)
{
    struct visit *visit = arena_new(request->arena, struct visit);
    struct route_match match = {.operation = NULL};
    enum http_method method;
    visit->player = player;
    visit->twin = twin;
    visit->call = (struct call){.at = clock_wall(), .player = player, .method = "", .path = "", .signature = "none"};
    request->edge = visit;
    if (method_named(request->method, &method)) {
        visit->call.method = method_name(method);
        router_match(player->router, method, path, &match);
    }
    const struct played_operation *played = match.operation ? match.target : NULL;
    bool token = !played && is_for_tokens(player, path);
    visit->call.operation = match.operation;
    visit->call.path = token ? "(token)" : "";
    visit->behaviour = behaviour_draw(player->behaviour, match.operation ? match.operation->id : STR(""));
    visit->call.behaviour = visit->behaviour.mode;
    if (misbehave_before(&visit->behaviour, request, played ? played->envelopes : NULL))
        return;
    if (token)
        verifier_answer_token(player->token_verifier, request);
    else if (!played)
        refuse_route(request, player, &match);
    else if (played->unplayable.at)
        refuse(request, NULL, 501, played->unplayable);
    else if (authenticate(request, played))
        answer(request, played, &match);
}

void play_handle(struct request *request)
{
    play(request, &stage.players[request->listener - stage.listeners], NULL, request->path);
}

void play_twin(struct request *request, struct player *player, struct twin *twin, struct str path)
{
    play(request, player, twin, path);
}

void play_finished(struct request *request)
{
    struct visit *visit = request->edge;
    if (!visit)
        return;
    if (visit->twin) { /* its calls are shown to who made them, and it may be gone when they are listed */
        twin_release(visit->twin);
        return;
    }
    struct call *call = &visit->call;
    struct str path = call->operation ? call->operation->path : str_of(call->path);
    bool unanswered = call->behaviour == BEHAVIOUR_HANGING || call->behaviour == BEHAVIOUR_RESETTING ||
                      call->behaviour == BEHAVIOUR_GARBAGE || call->behaviour == BEHAVIOUR_DOWN;
    call->status = unanswered ? 0 : request->status;
    call->duration = clock_steady() - request->started;
    calls_keep(call);
    log_debug("%.*s %s %.*s %u %s%s%s", STR_ARG(visit->player->slug), call->method, STR_ARG(path), call->status,
              behaviour_name(call->behaviour), call->refused[0] ? ": " : "", call->refused);
}

bool play_admit(const struct http_listener *listener)
{
    return behaviour_now(stage.players[listener - stage.listeners].behaviour).mode != BEHAVIOUR_DOWN;
}
