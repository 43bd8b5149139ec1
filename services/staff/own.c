/* What staff do with their own password and second factor. */
#include "handlers.h"

static struct staff_login where(const struct request *request)
{
    return (struct staff_login){
        .device = request_header(request, "user-agent"),
        .address = request_client_address(request),
    };
}

static void reply_invalid(struct request *request, struct bilingual fault)
{
    struct problem_error *error = arena_new(request_arena(request), struct problem_error);
    *error = (struct problem_error){.pointer = STR("/password"), .detail = fault};
    struct problem *problem = problem_new(request_arena(request), PROBLEM_VALIDATION, (struct bilingual){0});
    problem->errors = error;
    problem->error_count = 1;
    reply_problem(request, problem);
}

/* The new session goes where the old one was: into the cookie if that is what came. */
static void reply_renewed(struct request *request, enum staff_outcome outcome, const struct staff_session_new *made)
{
    bool cookie = !request_header(request, "authorization").len;
    if (outcome == STAFF_DONE)
        staff_reply_session(request, 200, made, cookie);
    else if (outcome == STAFF_REJECTED)
        reply_fault(request, PROBLEM_CREDENTIALS_REJECTED, BILINGUAL("密码或验证码有误", "The password or the code is wrong"));
    else
        staff_reply_outcome(request, outcome);
}

void change_staff_password(struct request *request)
{
    const struct json *body = request_body(request);
    const struct staff_login login = where(request);
    struct staff_session_new made;
    struct bilingual fault = {0};
    enum staff_outcome outcome =
        staff_change_password(request_arena(request), request_actor(request), json_get_string(body, "current", STR("")),
                              json_get_string(body, "password", STR("")), &login, &made, &fault);
    if (outcome == STAFF_INVALID)
        reply_invalid(request, fault);
    else
        reply_renewed(request, outcome, &made);
}

void enrol_second_factor(struct request *request)
{
    struct str uri;
    enum staff_outcome outcome = staff_enrol(request_arena(request), request_actor(request), &uri);
    if (outcome == STAFF_CONFLICT) {
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("已绑定第二因素；若已丢失，请安全管理员重置",
                              "There is a second factor; who lost it asks a security administrator for a reset"));
        return;
    }
    if (outcome != STAFF_DONE) {
        staff_reply_outcome(request, outcome);
        return;
    }
    struct json_out *out = reply_json(request, 201);
    json_object(out);
    json_field(out, "uri", uri);
}

void confirm_second_factor(struct request *request)
{
    struct staff_login login = where(request);
    struct staff_session_new made;
    login.code = json_get_string(request_body(request), "code", STR(""));
    reply_renewed(request, staff_confirm(request_arena(request), request_actor(request), &login, &made), &made);
}
