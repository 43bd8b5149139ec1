/* Who acts in an operation of staff or of departments' clients, and whether they may. */
#include "edge/access.h"

#include "crypto/digest.h"
#include "http/request_internal.h"

#include <shimin/client.h>
#include <shimin/staff.h>

#define COOKIE "__Host-shimin-staff"

static struct str cookie_token(const struct request *request)
{
    struct str rest = request_header(request, "cookie");
    while (rest.at) { /* HTTP/2 may bring each pair in a field of its own, which are joined by commas */
        struct str pairs = str_cut(&rest, ';');
        while (pairs.at) {
            struct str value = str_trim(str_cut(&pairs, ','));
            if (str_is(str_cut(&value, '='), COOKIE) && value.at)
                return value;
        }
    }
    return STR_NONE;
}

struct str access_token(const struct request *request)
{
    struct str bearer = access_bearer(request);
    return bearer.len ? bearer : cookie_token(request);
}

static bool changes(const struct exchange *exchange)
{
    enum http_method method = exchange->route->operation->method;
    return method != METHOD_GET && method != METHOD_HEAD;
}

/* A page elsewhere can make a browser send the cookie, but cannot read what must come beside it. */
static bool check_origin(struct exchange *exchange, struct str expected)
{
    struct request *request = exchange->request;
    struct str given = request_header(request, "x-csrf-token");
    if (!changes(exchange) || (given.len == expected.len && constant_time_equal(given.at, expected.at, expected.len)))
        return true;
    reply_fault(request, PROBLEM_FORBIDDEN,
                BILINGUAL("缺少或错误的 X-CSRF-Token：登录时与 GET /admin/v1/session 给出",
                          "X-CSRF-Token is missing or wrong: login and GET /admin/v1/session give it"));
    return false;
}

static bool check_staff(struct exchange *exchange, const struct staff_session *session)
{
    struct request *request = exchange->request;
    if (session->setup && !exchange->route->setup) {
        reply_fault(request, PROBLEM_FORBIDDEN,
                    session->setup & STAFF_SETUP_PASSWORD
                        ? BILINGUAL("请先更换密码：PUT /admin/v1/session/password",
                                    "Change the password first: PUT /admin/v1/session/password")
                        : BILINGUAL("请先绑定第二因素：POST /admin/v1/session/second-factor",
                                    "Enrol a second factor first: POST /admin/v1/session/second-factor"));
        return false;
    }
    if (session->actor.roles & exchange->route->roles)
        return true;
    reply_fault(request, PROBLEM_FORBIDDEN, BILINGUAL("您的角色没有这项权限", "None of your roles may do this"));
    return false;
}

/* A token that was issued over mutual TLS is good together with the same certificate only. */
static enum session_outcome find_client(struct request *request, struct str token)
{
    struct request_certificate shown = {0};
    (void)!request_certificate(request, &shown);
    return client_token_find(request_arena(request), token, shown.digest, &request->actor);
}

static bool check_client(struct exchange *exchange)
{
    if (exchange->request->actor->scopes & exchange->route->scopes)
        return true;
    reply_header(exchange->request, "www-authenticate", STR("Bearer error=\"insufficient_scope\""));
    reply_fault(exchange->request, PROBLEM_FORBIDDEN,
                BILINGUAL("令牌没有这项权限范围", "The token does not have the scope for this"));
    return false;
}

bool access_actor(struct exchange *exchange)
{
    struct request *request = exchange->request;
    if (!exchange->route->roles && !exchange->route->scopes)
        return true;
    struct str bearer = access_bearer(request), token = access_token(request);
    if (!token.len) {
        reply_fault(request, PROBLEM_UNAUTHENTICATED, (struct bilingual){0});
        return false;
    }
    const struct staff_session *session = NULL;
    enum session_outcome outcome = SESSION_UNKNOWN;
    if (exchange->route->roles)
        outcome = staff_session_find(request_arena(request), token, &session);
    if (outcome == SESSION_FOUND)
        request->actor = &session->actor;
    else if (outcome == SESSION_UNKNOWN && exchange->route->scopes && bearer.len)
        outcome = find_client(request, token);
    if (outcome == SESSION_UNAVAILABLE)
        return access_unavailable(request);
    if (outcome == SESSION_UNKNOWN)
        return access_unknown(exchange);
    if (request->actor->kind == ACTOR_CLIENT)
        return check_client(exchange);
    return (bearer.len || check_origin(exchange, session->csrf)) && check_staff(exchange, session);
}
