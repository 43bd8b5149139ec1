/* The control API, described by openapi.yaml. */
#include <shimin/clock.h>
#include <shimin/log.h>
#include <string.h>

#include "calls.h"
#include "face.h"
#include "http/server.h"
#include "inputs.h"
#include "messages.h"
#include "stage.h"
#include "stand.h"
#include "twin.h"

extern const char sandbox_contract[];
extern const size_t sandbox_contract_size;

static struct router *router;

/* ---- messages ---- */

static void write_message(struct json_out *out, struct arena *arena, const struct sms *sms)
{
    json_object(out);
    json_field_c(out, "id", sms->id);
    json_field_c(out, "phone_number", sms->phone_number);
    json_field(out, "text", (struct str){sms->text, sms->text_length});
    json_field(out, "sent_at", time_rfc3339_micro(arena, sms->sent_at));
    json_end(out);
}

static size_t limit_of(const struct inputs *inputs)
{
    const struct json *limit = inputs_find(inputs, STR("limit"));
    return limit ? (size_t)limit->integer : 0;
}

static void list_messages(struct request *request, const struct inputs *inputs)
{
    const struct json *asked = inputs_find(inputs, STR("phone_number"));
    struct str number = asked ? asked->string : STR_NONE;
    if (number.len && number.at[0] == ' ') /* a + that was not escaped */
        number = str_printf(request->arena, "+%.*s", STR_ARG(str_slice(number, 1, number.len)));
    struct sms *list;
    size_t count = messages_list(request->arena, number, limit_of(inputs), &list);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++)
        write_message(out, request->arena, &list[i]);
}

static void send_message(struct request *request, const struct inputs *inputs)
{
    struct sms *sms = arena_new(request->arena, struct sms);
    if (messages_keep(request->arena, json_get_string(inputs->body, "phone_number", STR("")),
                      json_get_string(inputs->body, "text", STR("")), sms))
        write_message(reply_json(request, 201), request->arena, sms);
    else
        reply_fault(request, PROBLEM_VALIDATION, BILINGUAL("短信过长", "The message is too long"));
}

static void clear_messages(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    messages_clear();
    reply_empty(request, 204);
}

/* ---- departments ---- */

static void write_department(struct json_out *out, const struct player *player)
{
    bool has_credentials = true;
    for (unsigned i = 0; i < player->operation_count; i++)
        has_credentials &= !verifier_fault(player->operations[i].verifier);
    json_object(out);
    json_field(out, "slug", player->slug);
    json_field_i64(out, "number", player->number);
    json_field(out, "title", player->title);
    json_field_i64(out, "port", player->port);
    json_field_bool(out, "tls", player->tls);
    json_field(out, "security", player_security(player));
    json_field_bool(out, "credentials", has_credentials);
    json_key(out, "operations");
    json_array(out);
    for (unsigned i = 0; i < player->operation_count; i++)
        json_put(out, player->operations[i].operation->id);
    json_end(out);
    json_field_c(out, "behaviour", behaviour_name(behaviour_now(player->behaviour).mode));
    json_end(out);
}

static void list_departments(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (unsigned i = 0; i < stage.count; i++)
        write_department(out, &stage.players[i]);
}

static struct player *player_named(struct request *request, const struct inputs *inputs, struct str parameter)
{
    const struct json *slug = inputs_find(inputs, parameter);
    struct player *player = slug ? stage_player(slug->string) : NULL;
    if (!player)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个部门", "No such department is played"));
    return player;
}

static void get_behaviour(struct request *request, const struct inputs *inputs)
{
    struct player *player = player_named(request, inputs, STR("slug"));
    if (!player)
        return;
    struct behaviour now = behaviour_now(player->behaviour);
    behaviour_write(reply_json(request, 200), &now);
}

static bool has_operation(const struct player *player, const char *id)
{
    bool found = id[0] == '\0';
    for (unsigned i = 0; i < player->operation_count; i++)
        found |= str_is(player->operations[i].operation->id, id);
    return found;
}

static void set_behaviour(struct request *request, const struct inputs *inputs)
{
    struct player *player = player_named(request, inputs, STR("slug"));
    struct behaviour behaviour;
    const char *reason;
    if (!player)
        return;
    bool good = behaviour_read(inputs->body, &behaviour, &reason);
    if (good && !has_operation(player, behaviour.operation)) {
        good = false;
        reason = "the department has no such operation";
    }
    if (!good) {
        reply_fault(request, PROBLEM_VALIDATION, (struct bilingual){.en = str_of(reason)});
        return;
    }
    behaviour_set(player->behaviour, &behaviour);
    log_info("%.*s behaves: %s", STR_ARG(player->slug), behaviour_name(behaviour.mode));
    behaviour_write(reply_json(request, 200), &behaviour);
}

static const struct behaviour normal = {.mode = BEHAVIOUR_NORMAL};

static void reset_behaviour(struct request *request, const struct inputs *inputs)
{
    struct player *player = player_named(request, inputs, STR("slug"));
    if (!player)
        return;
    behaviour_set(player->behaviour, &normal);
    reply_empty(request, 204);
}

static void reset_behaviours(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    for (unsigned i = 0; i < stage.count; i++)
        behaviour_set(stage.players[i].behaviour, &normal);
    reply_empty(request, 204);
}

/* ---- faces ---- */

static void decide_face(struct request *request, const struct inputs *inputs)
{
    struct str id_number = json_get_string(inputs->body, "id_number", STR_NONE),
               sdk_token = json_get_string(inputs->body, "sdk_token", STR_NONE);
    enum face_result result;
    bool known = face_result_named(json_get_string(inputs->body, "result", STR("")), &result); /* the contract has checked it */
    if (known && id_number.at)
        face_decide_person(id_number, result);
    else if (!known || !face_decide(sdk_token, result)) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这次实人认证", "No such face verification was opened"));
        return;
    }
    reply_empty(request, 204);
}

static void forget_faces(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    face_forget_decisions();
    reply_empty(request, 204);
}

/* ---- tokens ---- */

static void set_token_life(struct request *request, const struct inputs *inputs)
{
    tokens_set_life(json_get_integer(inputs->body, "expires_in", tokens_life()));
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field_i64(out, "expires_in", tokens_life());
}

static void revoke_tokens(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    tokens_revoke_all();
    reply_empty(request, 204);
}

/* ---- calls ---- */

static void write_call(struct json_out *out, struct arena *arena, const struct call *call)
{
    json_object(out);
    json_field(out, "at", time_rfc3339_micro(arena, call->at));
    json_field(out, "department", call->player->slug);
    json_field_c(out, "method", call->method);
    json_field(out, "path", call->operation ? call->operation->path : str_of(call->path));
    json_field(out, "operation", call->operation ? call->operation->id : STR(""));
    json_field_i64(out, "status", call->status);
    json_field_c(out, "authenticated_as", call->who);
    json_field_c(out, "signature", call->signature);
    if (call->refused[0])
        json_field(out, "refused_because", str_is_utf8(str_of(call->refused)) ? str_of(call->refused) : STR("(cut)"));
    json_field_c(out, "behaviour", behaviour_name(call->behaviour));
    json_key(out, "duration_ms");
    json_put_double(out, (double)call->duration / 1000);
    json_end(out);
}

static void list_calls(struct request *request, const struct inputs *inputs)
{
    struct player *player = NULL;
    struct call *list;
    if (inputs_find(inputs, STR("department")) && !(player = player_named(request, inputs, STR("department"))))
        return;
    size_t count = calls_list(request->arena, player, limit_of(inputs), &list);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++)
        write_call(out, request->arena, &list[i]);
}

static void clear_calls(struct request *request, const struct inputs *inputs)
{
    (void)inputs;
    calls_clear();
    reply_empty(request, 204);
}

/* ---- twins ---- */

static void raise_twin(struct request *request, const struct inputs *inputs)
{
    struct str reason;
    if (twin_raise(request->arena, inputs_find(inputs, STR("sha256"))->string, request->body_bytes, &reason))
        reply_empty(request, 204);
    else
        reply_fault(request, PROBLEM_VALIDATION, (struct bilingual){.en = reason});
}

/* ---- the table ---- */

static const struct handler {
    const char *operation_id;
    void (*handle)(struct request *request, const struct inputs *inputs);
} handlers[] = {
    {"listMessages", list_messages},     {"sendMessage", send_message},
    {"clearMessages", clear_messages},   {"listDepartments", list_departments},
    {"getBehaviour", get_behaviour},     {"setBehaviour", set_behaviour},
    {"resetBehaviour", reset_behaviour}, {"resetBehaviours", reset_behaviours},
    {"decideFace", decide_face},         {"forgetFaces", forget_faces},
    {"setTokenLife", set_token_life},    {"revokeTokens", revoke_tokens},
    {"listCalls", list_calls},           {"clearCalls", clear_calls},
    {"raiseTwin", raise_twin},           {"listOrders", stand_list},
    {"clearOrders", stand_clear},        {"payOrder", stand_pay},
    {"endRefund", stand_end_refund},     {"sendNotice", stand_notify},
    {"listMoods", stand_list_moods},     {"setMood", stand_set_mood},
    {"resetMoods", stand_reset_moods},
};

void control_prepare(void)
{
    struct arena *arena = arena_open(); /* as long as the process */
    struct contract_faults faults = {0};
    struct str reason, text = {sandbox_contract, sandbox_contract_size};
    const struct contract *contract = contract_load(STR("sandbox/openapi.yaml"), text, arena, &faults);
    if (!contract)
        fatal("sandbox/openapi.yaml: %.*s %.*s", STR_ARG(faults.list[0].pointer), STR_ARG(faults.list[0].reason));
    router = router_new(arena);
    for (size_t i = 0; i < COUNT_OF(handlers); i++) {
        const struct operation *operation = contract_operation(contract, str_of(handlers[i].operation_id));
        if (!operation || !router_add(router, operation, (void *)(uintptr_t)&handlers[i], &reason))
            fatal("sandbox/openapi.yaml: %s has no route", handlers[i].operation_id);
    }
}

void control_handle(struct request *request)
{
    if (twin_handle(request))
        return;
    struct route_match match = {.operation = NULL};
    struct inputs *inputs = arena_new(request->arena, struct inputs);
    struct inputs_fault fault;
    enum http_method method;
    if (method_named(request->method, &method))
        router_match(router, method, request->path, &match);
    if (!match.operation) {
        reply_fault(request, match.found ? PROBLEM_METHOD_NOT_ALLOWED : PROBLEM_NOT_FOUND, (struct bilingual){{0}, {0}});
        return;
    }
    if (!inputs_read(request, match.operation, &match, inputs, &fault)) {
        enum problem_type type = fault.status == 415 ? PROBLEM_UNSUPPORTED_MEDIA_TYPE : PROBLEM_VALIDATION;
        reply_fault(request, type, (struct bilingual){.en = fault.reason});
        return;
    }
    ((const struct handler *)match.target)->handle(request, inputs);
}
