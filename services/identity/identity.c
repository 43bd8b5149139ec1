/* Login, sessions and real names. */
#include "identity.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/one_time_code.h>
#include <shimin/session.h>

MODULE_CONTRACT(identity);

enum { STORE_RETRY_SECONDS = 2 };

void identity_reply_unavailable(struct request *request)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = STORE_RETRY_SECONDS;
    reply_problem(request, problem);
}

/* The contract has checked the form; this gives the one form in which numbers are kept. */
static struct str phone_number_of(struct request *request)
{
    struct str e164 = STR("");
    return cn_mobile_normalise(request_arena(request), json_get_string(request_body(request), "phone_number", STR("")), &e164)
               ? e164
               : STR("");
}

static void send_code(struct request *request)
{
    int64_t retry_after = 0;
    struct problem *problem;
    switch (code_send(request_arena(request), phone_number_of(request), &retry_after)) {
    case CODE_DONE: {
        struct json_out *out = reply_json(request, 202);
        json_object(out);
        json_field_i64(out, "expires_in", CODE_LIFETIME_SECONDS);
        json_field_i64(out, "resend_after", CODE_RESEND_SECONDS);
        return;
    }
    case CODE_WAIT:
        problem = problem_new(request_arena(request), PROBLEM_TOO_MANY_REQUESTS,
                              BILINGUAL("验证码发送过于频繁", "A code was asked for too soon or too often"));
        problem->retry_after = retry_after;
        reply_problem(request, problem);
        return;
    default:
        identity_reply_unavailable(request);
    }
}

/* How a level is proved (RFC 8176): what was shown before holds as well. */
static void write_methods(struct json_out *out, enum level level)
{
    json_key(out, "amr");
    json_array(out);
    json_put(out, STR("sms"));
    if (level >= LEVEL_LIVE_FACE)
        json_put(out, STR("face"));
    json_end(out);
}

static void write_session(struct request *request, unsigned status, const struct citizen *citizen,
                          const struct session_new *session)
{
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field(out, "id", session->id);
    json_field(out, "token", session->token);
    json_field_c(out, "level", level_name(citizen->level));
    write_methods(out, citizen->level);
    json_field(out, "expires_at", time_rfc3339(request_arena(request), session->expires_at));
}

/* A session proves the phone now; what the account has proved before holds as well, since the phone is its key. */
static void open_session(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str phone_number = phone_number_of(request);
    enum code_outcome outcome = code_check(arena, phone_number, json_get_string(request_body(request), "code", STR("")));
    if (outcome == CODE_REJECTED) {
        reply_fault(request, PROBLEM_CODE_REJECTED, BILINGUAL("验证码错误或已失效", "The code is wrong or no longer valid"));
        return;
    }
    struct citizen citizen;
    struct session_new session;
    if (outcome != CODE_DONE || account_of_phone(arena, phone_number, &citizen) != PG_OK ||
        session_open(arena, &citizen, request_header(request, "user-agent"), &session) != SESSION_FOUND) {
        identity_reply_unavailable(request);
        return;
    }
    write_session(request, 201, &citizen, &session);
    reply_header(request, "location", str_printf(arena, "/v1/sessions/%.*s", STR_ARG(session.id)));
}

static void list_sessions(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct citizen *citizen = request_citizen(request);
    const struct session_entry *entries;
    size_t count;
    if (session_list(arena, citizen->id, &entries, &count) != SESSION_FOUND) {
        identity_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        json_field(out, "id", entries[i].id);
        json_field_c(out, "level", level_name(entries[i].level));
        write_methods(out, entries[i].level);
        json_field(out, "device", entries[i].device);
        json_field(out, "opened_at", time_rfc3339(arena, entries[i].opened_at));
        json_field(out, "expires_at", time_rfc3339(arena, entries[i].expires_at));
        json_field_bool(out, "current", str_equal(entries[i].id, citizen->session_id));
        json_end(out);
    }
}

static void reply_revoked(struct request *request, enum session_outcome outcome)
{
    if (outcome == SESSION_FOUND)
        reply_empty(request, 204);
    else if (outcome == SESSION_UNKNOWN)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("您没有这个会话", "You have no such session"));
    else
        identity_reply_unavailable(request);
}

static void revoke_session(struct request *request)
{
    reply_revoked(request, session_revoke(request_arena(request), request_citizen(request)->id, request_string(request, "id")));
}

static void revoke_sessions(struct request *request)
{
    reply_revoked(request, session_revoke_all(request_arena(request), request_citizen(request)->id));
}

static void put_masked(struct json_out *out, struct arena *arena, const char *name, enum mask_rule rule, struct str value)
{
    json_key(out, name);
    if (value.len)
        json_put(out, mask_apply(arena, rule, value));
    else
        json_put_null(out);
}

static void read_me(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct citizen account;
    int64_t verified_at;
    if (account_read(arena, request_citizen(request)->id, &account, &verified_at) != PG_OK) {
        identity_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "id", account.id);
    json_field_c(out, "level", level_name(request_citizen(request)->level));
    put_masked(out, arena, "phone_number", MASK_PHONE_NUMBER, account.phone_number);
    put_masked(out, arena, "name", MASK_NAME, account.name);
    put_masked(out, arena, "id_number", MASK_ID_NUMBER, account.id_number);
    json_key(out, "verified_at");
    if (verified_at)
        json_put(out, time_rfc3339(arena, verified_at));
    else
        json_put_null(out);
}

/* The number in the one form in which it is kept: X in upper case. */
static struct str id_number_of(struct request *request)
{
    struct str number = str_copy(request_arena(request), json_get_string(request_body(request), "id_number", STR("")));
    if (number.len && number.at[number.len - 1] == 'x')
        number = str_printf(request_arena(request), "%.*sX", (int)number.len - 1, number.at);
    return number;
}

const struct problem *identity_ask(struct request *request, struct str operation, const struct json *values,
                                   struct department_answer *answer)
{
    struct arena *arena = request_arena(request);
    const struct department_question question = {
        .arena = arena,
        .snapshot = request_snapshot(request),
        .department = snapshot_department(request_snapshot(request), account_verifier().department),
        .operation_id = operation,
        .request = request,
        .values = values,
    };
    return question.department
               ? department_ask(&question, answer)
               : problem_new(arena, PROBLEM_DEPARTMENT_UNAVAILABLE,
                             BILINGUAL("没有可以核实身份的部门", "There is no department that could verify an identity"));
}

static const struct problem *ask_verifier(struct request *request, struct str name, struct str id_number, bool *matched)
{
    struct arena *arena = request_arena(request);
    struct json *values = json_make_object(arena);
    struct department_answer answer;
    json_set(arena, values, STR("name"), json_make_string(arena, name));
    json_set(arena, values, STR("id_number"), json_make_string(arena, id_number));
    const struct problem *problem = identity_ask(request, account_verifier().operation, values, &answer);
    if (!problem)
        *matched = json_get_boolean(answer.body, "match", false);
    return problem;
}

/* The old token ends with the old level; the new one proves the new level. */
void identity_replace_session(struct request *request, const struct citizen *citizen)
{
    struct arena *arena = request_arena(request);
    struct session_new session;
    if (session_open(arena, citizen, request_header(request, "user-agent"), &session) != SESSION_FOUND) {
        identity_reply_unavailable(request);
        return;
    }
    /* if this fails the old session goes on at its old level until it expires: nothing is gained by it */
    (void)!session_revoke(arena, citizen->id, request_citizen(request)->session_id);
    write_session(request, 200, citizen, &session);
}

static void verify_identity(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct citizen citizen = *request_citizen(request);
    struct str name = json_get_string(request_body(request), "name", STR("")), id_number = id_number_of(request);
    bool matched = false;
    const struct problem *problem = ask_verifier(request, name, id_number, &matched);
    enum verification outcome = problem ? VERIFICATION_FAILED : matched ? VERIFICATION_MATCHED : VERIFICATION_REFUSED;
    enum pg_status status = account_verify(arena, &citizen, outcome, name, id_number);
    if (problem)
        reply_problem(request, problem);
    else if (!matched && status == PG_OK)
        reply_fault(request, PROBLEM_IDENTITY_REJECTED,
                    BILINGUAL("姓名与身份证号码不符", "The name and the identity number do not belong together"));
    else if (status == PG_CONFLICT)
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("该身份已绑定另一个账号，或本账号已绑定另一身份：请用原手机号登录，或到窗口办理变更",
                              "This identity belongs to another account, or this account to another identity: log in with the "
                              "other phone number, or have it changed at a service counter"));
    else if (status != PG_OK)
        identity_reply_unavailable(request);
    else
        identity_replace_session(request, &citizen);
}

const struct module identity_module = {
    .name = "identity",
    .contract = identity_contract,
    .contract_size = &identity_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"sendLoginCode", send_code},
            {"openSession", open_session},
            {"listSessions", list_sessions},
            {"revokeSession", revoke_session},
            {"revokeSessions", revoke_sessions},
            {"readMe", read_me},
            {"verifyMyIdentity", verify_identity},
            {"startMyFaceVerification", start_face_verification},
            {"completeMyFaceVerification", complete_face_verification},
            {0},
        },
};
