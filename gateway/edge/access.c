/* Session, level and switch. */
#include "edge/access.h"

#include "catalogue/demand.h"
#include "http/request_internal.h"

#include <shimin/session.h>

enum { STORE_RETRY_SECONDS = 2 };

static enum level level_needed(const struct exchange *exchange)
{
    const struct route *route = exchange->route;
    return route->level_of_service && exchange->request->service ? exchange->request->service->level : route->level;
}

static bool pass_or_reply(struct request *request, const struct problem *problem)
{
    if (problem)
        reply_problem(request, problem);
    return !problem;
}

struct str access_bearer(const struct request *request)
{
    struct str field = request_header(request, "authorization");
    struct str scheme = str_slice(field, 0, 7);
    return str_equal_nocase(scheme, STR("bearer ")) ? str_trim(str_slice(field, 7, field.len)) : STR_NONE;
}

bool access_unknown(struct exchange *exchange)
{
    struct request *request = exchange->request;
    exchange->guessed = true;
    reply_header(request, "www-authenticate", STR("Bearer error=\"invalid_token\""));
    reply_fault(request, PROBLEM_UNAUTHENTICATED, BILINGUAL("会话已失效，请重新登录", "The session has ended; log in again"));
    return false;
}

bool access_unavailable(struct request *request)
{
    struct problem *problem =
        problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE,
                    BILINGUAL("会话暂时无法核对，请稍后再试", "Sessions cannot be checked for the moment; try again soon"));
    problem->retry_after = STORE_RETRY_SECONDS;
    reply_problem(request, problem);
    return false;
}

bool access_session(struct exchange *exchange)
{
    struct request *request = exchange->request;
    struct str token = access_bearer(request);
    if (!token.len || request->actor)
        return true;
    switch (session_find(request_arena(request), token, &request->citizen)) {
    case SESSION_FOUND:
        return true;
    case SESSION_UNKNOWN:
        return access_unknown(exchange);
    case SESSION_UNAVAILABLE:
        break;
    }
    return level_needed(exchange) == LEVEL_GUEST || access_unavailable(request);
}

bool access_level(struct exchange *exchange)
{
    struct request *request = exchange->request;
    enum level proved = request->citizen ? request->citizen->level : LEVEL_GUEST;
    return pass_or_reply(request, demand_level(request, proved, level_needed(exchange)));
}

bool access_switch(struct exchange *exchange)
{
    struct request *request = exchange->request;
    return !request->service ||
           pass_or_reply(request, demand_switch(request, request->snapshot, request->service, exchange->route->act));
}
