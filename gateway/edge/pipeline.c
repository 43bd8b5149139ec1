/* The life of a request, from top to bottom. */
#include "edge/pipeline.h"

#include "catalogue/snapshot.h"
#include "edge/access.h"
#include "edge/access_log.h"
#include "edge/audit.h"
#include "edge/idempotency.h"
#include "edge/oauth_error.h"
#include "edge/quota.h"
#include "edge/validate.h"
#include "federation/traffic.h"
#include "http/request_internal.h"

#include <shimin/fiber.h>

static const struct edge_settings *settings;

void pipeline_open(const struct edge_settings *given)
{
    settings = given;
}

static bool find_route(struct exchange *exchange)
{
    struct request *request = exchange->request;
    enum http_method method;
    if (!method_named(request_method(request), &method)) {
        reply_fault(request, PROBLEM_METHOD_UNKNOWN, (struct bilingual){0});
        return false;
    }
    /* RFC 9110 §9.3.7: the asterisk asks about the server as a whole */
    if (str_is(request_path(request), "*"))
        exchange->match = (struct route_match){.found = true, .allowed = ~0U};
    else
        routes_match(settings->routes, method, request_path(request), &exchange->match);
    exchange->route = exchange->match.target;
    request->operation = exchange->match.operation;
    if (exchange->route)
        return true;
    if (!exchange->match.found)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个地址", "There is nothing at this address"));
    else
        reply_allowed(exchange, method == METHOD_OPTIONS);
    return false;
}

static bool find_service(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    struct request *request = exchange->request;
    if (route->service_at < 0)
        return true;
    const struct service *service = snapshot_service(request->snapshot, exchange->match.values[route->service_at]);
    if (!service)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这项服务", "There is no such service"));
    else if (route->archetypes && !(route->archetypes & (1U << service->archetype)))
        reply_fault(request, PROBLEM_NOT_FOUND,
                    BILINGUAL("这项服务没有这种用法", "This service is not of the kind that this address serves"));
    else
        request->service = service;
    return request->service != NULL;
}

static bool limit_deadline(struct exchange *exchange)
{
    request_set_deadline(exchange->request,
                         deadline_in(exchange->route->deadline ? exchange->route->deadline : settings->deadline));
    return true;
}

/* On trial for a share of the citizens, and of guests by their address; and what callers should know of a version that ends. */
static bool choose_version(struct exchange *exchange)
{
    struct request *request = exchange->request;
    if (!request->service)
        return true;
    request->service = service_version_for(request->service, request->citizen ? request->citizen->id : request->client_address);
    const struct service *service = request->service;
    if (service->deprecated_at) /* RFC 9745: a date of structured fields */
        reply_header(request, "deprecation",
                     str_printf(request_arena(request), "@%lld", (long long)(service->deprecated_at / seconds(1))));
    if (service->sunset_at) /* RFC 8594 */
        reply_header(request, "sunset", time_http_date(request_arena(request), service->sunset_at));
    const struct problem *retired = demand_unretired(request, service, exchange->route->act);
    if (retired)
        reply_problem(request, retired);
    if (service->successor.len) /* RFC 5829; a problem would drop a link that was there before */
        reply_header(
            request, "link",
            str_printf(request_arena(request), "</v1/services/%.*s>; rel=\"successor-version\"", STR_ARG(service->successor)));
    return !retired;
}

static bool doubt_token(struct exchange *exchange)
{
    return quota_may_look_up(exchange, settings->limits);
}

static bool keep_limits(struct exchange *exchange)
{
    return quota_spend(exchange, settings->limits);
}

static bool validate(struct exchange *exchange)
{
    return validate_request(exchange->request, exchange->route, &exchange->match);
}

static bool handle(struct exchange *exchange)
{
    /* a client that leaves cancels a read; a write that got this far is carried out */
    bool writes = exchange->route->operation->method != METHOD_GET && exchange->route->operation->method != METHOD_HEAD;
    if (writes)
        fiber_shield();
    fiber_gather(); /* what follows is another part of the program */
    exchange->route->handle(exchange->request);
    if (writes)
        fiber_unshield();
    return true;
}

/* Each step passes the request on, or answers it and ends here. */
static bool (*const steps[])(struct exchange *exchange) = {
    find_route,        /* 404, 405, 501 */
    limit_deadline,    /*               */
    doubt_token,       /* 429           */
    access_actor,      /* 401, 403, 503 */
    find_service,      /* 404           */
    access_session,    /* 401, 503      */
    choose_version,    /* 410           */
    access_level,      /* 401           */
    access_switch,     /* 503           */
    keep_limits,       /* 429           */
    idempotency_begin, /* 400, 409, 422, or the first answer again */
    validate,          /* 400, 406, 415, 422 */
    handle,
};

void pipeline_handle(struct request *request)
{
    struct exchange *exchange = arena_new(request_arena(request), struct exchange);
    exchange->request = request;
    request->edge = exchange;
    access_log_started();
    const struct snapshot *snapshot = request->snapshot = snapshot_pin();
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        if (!steps[i](exchange))
            break;
    if (exchange->guessed)
        quota_count_guess(exchange, settings->limits);
    if (exchange->route && exchange->route->oauth_errors)
        oauth_error(request);
    idempotency_end(exchange);
    if (request->service && exchange->route->act != ACT_DESCRIBE)
        request->traffic = traffic_of_service(request->service);
    if (request->service)
        exchange->service = str_copy(request_arena(request), request->service->slug);
    request->snapshot = NULL;
    request->service = NULL;
    snapshot_unpin(snapshot);
}

static void count_traffic(const struct request *request)
{
    unsigned problem = request->reply.problem ? request->reply.problem - 1 : PROBLEM_TYPES;
    int64_t took = request->reply.kind == REPLY_STREAM ? -1 : clock_steady() - request->started;
    traffic_count_request(request->traffic, request->status, problem, took);
}

void pipeline_finished(struct request *request)
{
    const struct exchange *exchange = request->edge;
    if (exchange)
        audit_record(exchange);
    if (request->traffic)
        count_traffic(request);
    access_log(request, exchange);
}
