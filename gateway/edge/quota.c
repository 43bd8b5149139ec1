/* Which limits a request counts against, and the RateLimit fields (draft-ietf-httpapi-ratelimit-headers). */
#include "edge/quota.h"

#include "edge/access.h"
#include "http/request_internal.h"

#include <shimin/session.h>

#include <arpa/inet.h>
#include <string.h>

enum { POLICIES_MOST = ROUTE_LIMITS + 3, NETWORK_BYTES = 8 };

/* One subscriber has a whole /64 of IPv6 (RFC 6177), and could else be as many as they please. */
static struct str network_of(struct arena *arena, struct str address)
{
    struct in6_addr parsed;
    if (address.len >= INET6_ADDRSTRLEN || str_find(address, STR(":")) < 0)
        return address;
    if (inet_pton(AF_INET6, str_to_c(arena, address), &parsed) != 1 || IN6_IS_ADDR_V4MAPPED(&parsed))
        return address;
    memset(&parsed.s6_addr[NETWORK_BYTES], 0, sizeof parsed - NETWORK_BYTES);
    return str_of(inet_ntop(AF_INET6, &parsed, arena_alloc(arena, INET6_ADDRSTRLEN), INET6_ADDRSTRLEN));
}

static struct str subject_of(const struct exchange *exchange, enum limit_subject subject)
{
    struct request *request = exchange->request;
    switch (subject) {
    case LIMIT_CITIZEN:
        return request->citizen ? request->citizen->id : STR_NONE;
    case LIMIT_SERVICE:
        return request->service ? request->service->slug : STR_NONE;
    case LIMIT_DEPARTMENT:
        return request->service ? request->service->department->slug : STR_NONE;
    case LIMIT_ADDRESS:
        break;
    }
    return network_of(request_arena(request), request_client_address(request));
}

/* What administrators have set; it takes the place of `otherwise`, which may be NULL. */
static const struct limit_policy *tuned(struct arena *arena, const struct tuning *tuning, enum limit_subject subject,
                                        struct str name, const struct limit_policy *otherwise)
{
    if (!tuning->requests)
        return otherwise;
    struct limit_policy *policy = arena_new(arena, struct limit_policy);
    *policy = (struct limit_policy){.name = name, .subject = subject, .quota = tuning->requests, .window = tuning->window};
    return policy;
}

static size_t policies_of_service(const struct exchange *exchange, const struct limits *limits,
                                  const struct limit_policy **list)
{
    const struct request *request = exchange->request;
    size_t count = 0;
    const struct limit_policy *service = tuned(request->arena, snapshot_service_tuning(request->snapshot, request->service),
                                               LIMIT_SERVICE, STR("service"), limits_named(limits, STR("service")));
    const struct limit_policy *department =
        tuned(request->arena, snapshot_department_tuning(request->snapshot, request->service->department->slug),
              LIMIT_DEPARTMENT, STR("department"), NULL);
    if (service)
        list[count++] = service;
    if (department)
        list[count++] = department;
    return count;
}

static size_t policies_of(const struct exchange *exchange, const struct limits *limits, const struct limit_policy **list)
{
    size_t count = 0;
    const struct limit_policy *general = limits_named(limits, exchange->request->citizen ? STR("citizen") : STR("address"));
    if (general)
        list[count++] = general;
    if (exchange->request->service)
        count += policies_of_service(exchange, limits, &list[count]);
    for (unsigned i = 0; i < exchange->route->limit_count; i++)
        list[count++] = exchange->route->limits[i];
    return count;
}

/* An item of a list with two parameters (RFC 9651). Printed by hand: text_printf took 2 % of a query's instructions here. */
static void add_item(struct text *list, struct str name, const char *first, int64_t a, const char *second, int64_t b)
{
    text_add_c(list, list->len ? ", \"" : "\"");
    text_add(list, name);
    text_add_c(list, first);
    text_add_i64(list, a);
    text_add_c(list, second);
    text_add_i64(list, b);
}

static void add_policy(struct text *policies, struct text *states, const struct limit_policy *policy, struct limit_state state)
{
    add_item(policies, policy->name, "\";q=", policy->quota, ";w=", policy->window);
    add_item(states, policy->name, "\";r=", state.remaining, ";t=", state.resets_in);
}

static void refuse(struct request *request, const struct limit_policy *policy, struct limit_state state)
{
    struct problem *problem =
        problem_new(request_arena(request), PROBLEM_TOO_MANY_REQUESTS,
                    BILINGUAL("请求过于频繁，请稍后再试", "Too many requests; wait as long as Retry-After says"));
    problem->retry_after = state.resets_in;
    problem->extension = str_printf(request_arena(request), "\"violated-policies\":[\"%.*s\"]", STR_ARG(policy->name));
    reply_problem(request, problem);
}

bool quota_spend(struct exchange *exchange, const struct limits *limits)
{
    struct request *request = exchange->request;
    struct arena *arena = request_arena(request);
    const struct limit_policy *list[POLICIES_MOST];
    size_t count = policies_of(exchange, limits, list);
    struct text policies = text_open(arena, 96), states = text_open(arena, 96);
    bool allowed = true;
    for (size_t i = 0; i < count && allowed; i++) {
        struct str subject = subject_of(exchange, list[i]->subject);
        if (!subject.at)
            continue;
        struct limit_state state = limit_spend(arena, list[i], subject);
        add_policy(&policies, &states, list[i], state);
        allowed = state.allowed;
        if (!allowed)
            refuse(request, list[i], state);
    }
    if (policies.len) {
        reply_header(request, "ratelimit-policy", text_str(&policies));
        reply_header(request, "ratelimit", text_str(&states));
    }
    return allowed;
}

/* Counted apart from what guests of the address ask, so that these do not keep out who has a session. */
static bool guesses_of(const struct limits *limits, struct limit_policy *policy)
{
    const struct limit_policy *address = limits_named(limits, STR("address"));
    if (!address)
        return false;
    *policy = *address;
    policy->name = STR("unknown-tokens");
    return true;
}

bool quota_may_look_up(struct exchange *exchange, const struct limits *limits)
{
    struct request *request = exchange->request;
    struct limit_policy policy;
    struct limit_state state;
    bool theirs = exchange->route->roles || exchange->route->scopes;
    struct str token = theirs ? access_token(request) : access_bearer(request);
    if (!token.len || !guesses_of(limits, &policy) || !limit_is_spent(&policy, subject_of(exchange, LIMIT_ADDRESS), &state) ||
        session_is_near(token))
        return true;
    refuse(request, &policy, state);
    return false;
}

void quota_count_guess(struct exchange *exchange, const struct limits *limits)
{
    struct limit_policy policy;
    if (guesses_of(limits, &policy))
        limit_spend(request_arena(exchange->request), &policy, subject_of(exchange, LIMIT_ADDRESS));
}
