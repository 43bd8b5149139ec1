/* Login of staff, and their sessions. */
#include "handlers.h"

#include <shimin/clock.h>

#define COOKIE "__Host-shimin-staff"
#define COOKIE_PLACE "Path=/; Secure; HttpOnly; SameSite=Strict"

enum { BUSY_RETRY_SECONDS = 2, WAIT_RETRY_SECONDS = 30 };

static void reply_retry(struct request *request, enum problem_type type, struct bilingual detail, int64_t retry_after)
{
    struct problem *problem = problem_new(request_arena(request), type, detail);
    problem->retry_after = retry_after;
    reply_problem(request, problem);
}

void staff_reply_unavailable(struct request *request)
{
    reply_retry(request, PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0}, BUSY_RETRY_SECONDS);
}

void staff_reply_outcome(struct request *request, enum staff_outcome outcome)
{
    if (outcome == STAFF_BUSY)
        reply_retry(request, PROBLEM_OVERLOADED, (struct bilingual){0}, BUSY_RETRY_SECONDS);
    else if (outcome == STAFF_ABSENT)
        reply_fault(request, PROBLEM_NOT_FOUND, (struct bilingual){0});
    else if (outcome == STAFF_WAIT)
        reply_retry(request, PROBLEM_TOO_MANY_REQUESTS, BILINGUAL("失败次数过多，请稍后再试", "Too many failures; try later"),
                    WAIT_RETRY_SECONDS);
    else
        staff_reply_unavailable(request);
}

void staff_reply_password(struct request *request, unsigned status, struct str id, struct str password)
{
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field(out, "id", id);
    json_field(out, "password", password);
    if (status == 201)
        reply_header(request, "location",
                     str_printf(request_arena(request), "%.*s/%.*s", STR_ARG(request_path(request)), STR_ARG(id)));
}

static void write_setup(struct json_out *out, unsigned setup)
{
    json_key(out, "setup");
    json_array(out);
    if (setup & STAFF_SETUP_PASSWORD)
        json_put_c(out, "password");
    if (setup & STAFF_SETUP_SECOND_FACTOR)
        json_put_c(out, "second_factor");
    json_end(out);
}

void staff_reply_session(struct request *request, unsigned status, const struct staff_session_new *made, bool cookie)
{
    struct arena *arena = request_arena(request);
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field(out, "id", made->id);
    if (!cookie)
        json_field(out, "token", made->token);
    json_field(out, "csrf_token", made->csrf);
    write_setup(out, made->setup);
    json_field(out, "expires_at", time_rfc3339(arena, made->expires_at));
    reply_header(request, "location", str_printf(arena, "/admin/v1/sessions/%.*s", STR_ARG(made->id)));
    if (cookie)
        reply_header(request, "set-cookie", str_printf(arena, COOKIE "=%.*s; " COOKIE_PLACE, STR_ARG(made->token)));
}

/* Whose account was tried, refused as well; what could be no name (a password in the wrong field) is not written down. */
static void audit_login(struct request *request, struct str name)
{
    bool could_be = name.len && name.len <= 32;
    for (size_t i = 0; i < name.len && could_be; i++)
        could_be =
            (name.at[i] >= 'a' && name.at[i] <= 'z') ||
            (i && ((name.at[i] >= '0' && name.at[i] <= '9') || (name.at[i] == '.' || name.at[i] == '_' || name.at[i] == '-')));
    if (could_be)
        request_audit(request, str_printf(request_arena(request), "staff:%.*s", STR_ARG(name)), STR_NONE);
}

void open_staff_session(struct request *request)
{
    const struct json *body = request_body(request);
    const struct staff_login login = {
        .name = json_get_string(body, "name", STR("")),
        .password = json_get_string(body, "password", STR("")),
        .code = json_get_string(body, "code", STR("")),
        .device = request_header(request, "user-agent"),
        .address = request_client_address(request),
    };
    struct staff_session_new made;
    int64_t retry_after = 0;
    audit_login(request, login.name);
    enum staff_outcome outcome = staff_log_in(request_arena(request), &login, &made, &retry_after);
    switch (outcome) {
    case STAFF_DONE:
        staff_reply_session(request, 201, &made, json_get_boolean(body, "cookie", false));
        return;
    case STAFF_WAIT:
        reply_retry(request, PROBLEM_TOO_MANY_REQUESTS,
                    BILINGUAL("登录失败次数过多，请稍后再试", "Too many failed logins; wait as long as Retry-After says"),
                    retry_after);
        return;
    case STAFF_REJECTED:
        reply_fault(request, PROBLEM_CREDENTIALS_REJECTED,
                    BILINGUAL("用户名、密码或验证码有误，或账号不可用",
                              "Name, password or code is wrong, or the account cannot be used"));
        return;
    default:
        staff_reply_outcome(request, outcome);
    }
}

static void put_optional(struct json_out *out, const char *name, struct str value)
{
    json_key(out, name);
    if (value.at)
        json_put(out, value);
    else
        json_put_null(out);
}

void read_staff_session(struct request *request)
{
    const struct actor *actor = request_actor(request);
    const struct staff_session *session = staff_session_of(actor);
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "id", actor->session_id);
    json_field(out, "name", actor->name);
    json_key(out, "roles");
    json_array(out);
    for (int role = 0; role < ROLES; role++)
        if (actor_may(actor, (enum role)role))
            json_put_c(out, role_name((enum role)role));
    json_end(out);
    put_optional(out, "department", actor->department);
    put_optional(out, "area", actor->area);
    json_field(out, "csrf_token", session->csrf);
    write_setup(out, session->setup);
    json_field(out, "expires_at", time_rfc3339(request_arena(request), session->expires_at));
}

void staff_reply_sessions(struct request *request, struct str staff_id)
{
    struct arena *arena = request_arena(request);
    const struct actor *actor = request_actor(request);
    const struct staff_session_entry *entries;
    size_t count;
    if (staff_session_list(arena, staff_id, &entries, &count) != SESSION_FOUND) {
        staff_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        json_field(out, "id", entries[i].id);
        json_field(out, "device", entries[i].device);
        json_field(out, "address", entries[i].address);
        json_field(out, "opened_at", time_rfc3339(arena, entries[i].opened_at));
        json_field(out, "expires_at", time_rfc3339(arena, entries[i].expires_at));
        json_field_bool(out, "current", str_equal(entries[i].id, actor->session_id));
        json_end(out);
    }
}

void list_staff_sessions(struct request *request)
{
    staff_reply_sessions(request, request_actor(request)->id);
}

static void reply_revoked(struct request *request, enum session_outcome outcome)
{
    if (outcome == SESSION_FOUND)
        reply_empty(request, 204);
    else if (outcome == SESSION_UNKNOWN)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("您没有这个会话", "You have no such session"));
    else
        staff_reply_unavailable(request);
}

void revoke_staff_session(struct request *request)
{
    reply_revoked(request,
                  staff_session_revoke(request_arena(request), request_actor(request)->id, request_string(request, "id")));
}

void close_staff_session(struct request *request)
{
    const struct actor *actor = request_actor(request);
    reply_revoked(request, staff_session_revoke(request_arena(request), actor->id, actor->session_id));
    reply_header(request, "set-cookie", STR(COOKIE "=; Max-Age=0; " COOKIE_PLACE));
}

void revoke_staff_sessions(struct request *request)
{
    reply_revoked(request, staff_session_revoke_all(request_arena(request), request_actor(request)->id));
}
