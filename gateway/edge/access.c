/* Session, level and switch. */
#include "edge/access.h"

#include "http/request_internal.h"
#include <shimin/session.h>

#include <shimin/clock.h>

/* Offered as Retry-After when a switch has no end. */
enum { RETRY_SECONDS = 600, STORE_RETRY_SECONDS = 2 };

static enum level level_needed(const struct exchange *exchange)
{
    const struct route *route = exchange->route;
    return route->level_of_service && exchange->request->service ? exchange->request->service->level : route->level;
}

static struct str bearer_token(const struct request *request)
{
    struct str field = request_header(request, "authorization");
    struct str scheme = str_slice(field, 0, 7);
    return str_equal_nocase(scheme, STR("bearer ")) ? str_trim(str_slice(field, 7, field.len)) : STR_NONE;
}

bool access_session(struct exchange *exchange)
{
    struct request *request = exchange->request;
    struct str token = bearer_token(request);
    if (!token.len)
        return true;
    switch (session_find(request_arena(request), token, &request->citizen)) {
    case SESSION_FOUND:
        return true;
    case SESSION_UNKNOWN:
        reply_header(request, "www-authenticate", STR("Bearer error=\"invalid_token\""));
        reply_fault(request, PROBLEM_UNAUTHENTICATED,
                    BILINGUAL("会话已失效，请重新登录", "The session has ended; log in again"));
        return false;
    case SESSION_UNAVAILABLE:
        break;
    }
    if (level_needed(exchange) == LEVEL_GUEST)
        return true;
    struct problem *problem =
        problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE,
                    BILINGUAL("会话暂时无法核对，请稍后再试", "Sessions cannot be checked for the moment; try again soon"));
    problem->retry_after = STORE_RETRY_SECONDS;
    reply_problem(request, problem);
    return false;
}

bool access_level(struct exchange *exchange)
{
    static const struct bilingual how[LEVELS] = {
        [LEVEL_PHONE] = {STR("请用手机号登录"), STR("Log in with your phone number")},
        [LEVEL_REAL_NAME] = {STR("请先实名：POST /v1/me/identity"), STR("Verify your real name first: POST /v1/me/identity")},
        [LEVEL_LIVE_FACE] = {STR("请先完成实人认证"), STR("Prove that it is you by a live face check first")},
        [LEVEL_CERTIFICATE] = {STR("请用数字证书，或到窗口办理"), STR("Use a digital certificate, or a service counter")},
    };
    struct request *request = exchange->request;
    enum level needed = level_needed(exchange);
    enum level proved = request->citizen ? request->citizen->level : LEVEL_GUEST;
    if (proved >= needed)
        return true;
    if (!request->citizen) {
        reply_fault(request, PROBLEM_UNAUTHENTICATED, how[LEVEL_PHONE]);
        return false;
    }
    reply_header(request, "www-authenticate",
                 str_printf(request_arena(request),
                            "Bearer error=\"insufficient_user_authentication\", acr_values=\"urn:city:loa:%d\"", (int)needed));
    reply_fault(request, PROBLEM_STEP_UP, how[needed]);
    return false;
}

/* Which acts a position allows. */
static const unsigned allowed_acts[SWITCH_POSITIONS] = {
    [SWITCH_OPEN] = 1U << ACT_DESCRIBE | 1U << ACT_READ | 1U << ACT_CONTINUE | 1U << ACT_SUBMIT,
    [SWITCH_NO_NEW] = 1U << ACT_DESCRIBE | 1U << ACT_READ | 1U << ACT_CONTINUE,
    [SWITCH_READ_ONLY] = 1U << ACT_DESCRIBE | 1U << ACT_READ,
    [SWITCH_OFF] = 1U << ACT_DESCRIBE,
};

static struct str window_members(struct arena *arena, const struct service *service, struct switch_state state)
{
    struct text text = text_open(arena, 160);
    text_printf(&text, "\"service\":\"%.*s\",\"position\":\"%s\"", STR_ARG(service->slug),
                switch_position_name(state.position));
    if (state.from)
        text_printf(&text, ",\"from\":\"%.*s\"", STR_ARG(time_rfc3339(arena, state.from)));
    if (state.until)
        text_printf(&text, ",\"until\":\"%.*s\"", STR_ARG(time_rfc3339(arena, state.until)));
    return text_str(&text);
}

bool access_switch(struct exchange *exchange)
{
    struct request *request = exchange->request;
    if (!request->service)
        return true;
    struct switch_state state = snapshot_switch(request->snapshot, request->service);
    if (allowed_acts[state.position] & (1U << exchange->route->act))
        return true;
    struct problem *problem = problem_new(request_arena(request), PROBLEM_SERVICE_SWITCHED, state.reason);
    int64_t left = state.until ? (state.until - clock_wall()) / seconds(1) : RETRY_SECONDS;
    problem->retry_after = left > 0 ? left : 1;
    problem->extension = window_members(request_arena(request), request->service, state);
    reply_problem(request, problem);
    return false;
}
