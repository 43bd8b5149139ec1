/* Asking a department: parameters, request, cache, call, answer. */
#include "federation/answer.h"
#include "federation/backend.h"
#include "federation/cache.h"
#include "federation/call.h"
#include "federation/crowd.h"
#include "federation/federation.h"
#include "federation/flight.h"
#include "federation/mapping.h"
#include "federation/metrics.h"
#include "federation/mistake.h"
#include "federation/settings.h"
#include "federation/traffic.h"
#include <shimin/arena.h>
#include <shimin/fiber.h>
#include <shimin/request.h>

struct asking {
    struct arena *arena;
    const struct department_question *question;
    const struct plan *plan;
    const struct mapping *mapping; /* NULL without a service */
    struct traffic_cell *traffic;  /* NULL without a service */
    struct filled filled;
    struct answer_wanted wanted;
    const struct tuning *tuning; /* what is set for the service; none without one */
    int64_t fresh, stale;        /* microseconds that an answer is served from the cache */
    struct cached old;           /* what may be served stale */
    bool has_old;
};

static const struct problem *no_operation(struct arena *arena)
{
    return problem_new(arena, PROBLEM_NOT_FOUND,
                       BILINGUAL("该服务没有可在线调用的部门接口", "No department operation stands behind this"));
}

static void count_cache(const struct asking *asking, enum traffic_cache result)
{
    traffic_count_cache(asking->traffic, result);
    metric_count(federation_metrics.cache, asking->plan->slug, str_of(traffic_cache_name(result)));
}

/* What is set for the service goes before what is set for its department, and that before the catalogue. */
static void find_tuning(struct asking *asking, const struct service *service)
{
    const struct tuning *of_service = asking->tuning = snapshot_service_tuning(asking->question->snapshot, service);
    const struct tuning *of_department = snapshot_department_tuning(asking->question->snapshot, asking->plan->slug);
    const struct tuning *caching = of_service->caches ? of_service : of_department;
    asking->fresh = caching->caches ? caching->fresh : asking->mapping->fresh;
    asking->stale = caching->caches ? caching->stale : asking->mapping->stale;
}

/* ---- the request ---- */

static const struct problem *fill_mapped(struct asking *asking, const struct service *service)
{
    const struct department_question *question = asking->question;
    const struct mapping *mapping = asking->mapping = service->binding;
    asking->plan = service->department ? service->department->backend : NULL;
    if (!mapping || !asking->plan)
        return no_operation(asking->arena);
    find_tuning(asking, service);
    const struct json **query = arena_array(asking->arena, const struct json *, mapping->parameters.count + 1);
    struct str text = question->request ? request_query(question->request) : STR_NONE;
    const struct problem *problem = parameters_read(asking->arena, &mapping->parameters, text, question->values, query);
    if (problem)
        return problem;
    const struct source_inputs inputs = {
        .citizen = question->citizen, .query = query, .values = question->values, .page = question->page_cursor};
    asking->wanted = (struct answer_wanted){
        .operation = mapping->template->operation,
        .department = asking->plan->slug,
        .items = mapping->items,
        .turns = &backend_of(asking->plan)->turns,
        .not_found_empty = mapping->not_found_empty,
        .inputs_are_asked = mapping->inputs_are_asked,
    };
    problem = template_fill(mapping->template, asking->arena, &inputs, &asking->filled);
    if (!problem)
        mistake_make(asking->arena, mapping->template, question->mistake, &asking->filled);
    return problem;
}

static const struct problem *fill_direct(struct asking *asking)
{
    const struct department_question *question = asking->question;
    asking->plan = question->department ? question->department->backend : NULL;
    const struct operation *operation =
        asking->plan ? contract_operation(asking->plan->contract, question->operation_id) : NULL;
    if (!operation)
        return no_operation(asking->arena);
    const struct source_inputs inputs = {
        .citizen = question->citizen, .values = question->values, .page = question->page_cursor};
    asking->wanted = (struct answer_wanted){
        .operation = operation,
        .department = asking->plan->slug,
        .turns = &backend_of(asking->plan)->turns,
        .inputs_are_asked = question->values != NULL,
    };
    return template_fill(asking->plan->direct[operation->index], asking->arena, &inputs, &asking->filled);
}

/* ---- the answer ---- */

static const struct problem *crowded(const struct asking *asking)
{
    struct problem *problem =
        department_problem(asking->arena, PROBLEM_DEPARTMENT_UNAVAILABLE,
                           BILINGUAL("该服务请求过多，请稍后再试", "Too many ask for this service at once; try again soon"),
                           asking->plan->slug, asking->wanted.operation);
    problem->retry_after = 1;
    return problem;
}

static const struct problem *fetch(struct asking *asking, struct department_answer *answer, struct cached *fresh)
{
    const struct call call = {
        .plan = asking->plan,
        .filled = &asking->filled,
        .deadline = asking->tuning ? asking->tuning->deadline : 0,
        .request = asking->question->request,
        .idempotency_key = asking->question->idempotency_key,
        .traffic = asking->traffic,
        .record = asking->question->record,
        .proof = asking->question->proof,
    };
    struct answer_message message;
    unsigned most = asking->tuning ? asking->tuning->concurrency : 0;
    if (most && !crowd_enter(asking->question->service->slug, most))
        return crowded(asking);
    const struct problem *problem = call_department(asking->arena, &call, &message);
    if (most)
        crowd_leave(asking->question->service->slug);
    fiber_gather(); /* answers are judged one after another */
    if (!problem)
        problem = answer_judge(asking->arena, &asking->wanted, &message, answer);
    if (!problem)
        *fresh = (struct cached){.body = answer->body ? message.body : STR_NONE, .as_of = answer->as_of};
    return problem;
}

static bool use(struct asking *asking, const struct cached *cached, bool stale, struct department_answer *answer)
{
    if (!answer_reread(asking->arena, &asking->wanted, cached->body, answer))
        return false;
    answer->as_of = cached->as_of;
    answer->stale = stale;
    return true;
}

/* Problems that mean "the department has no usable answer now", as against those that are its answer. */
static bool is_outage(const struct problem *problem)
{
    return problem->type == PROBLEM_DEPARTMENT_FAILED || problem->type == PROBLEM_DEPARTMENT_UNAVAILABLE ||
           problem->type == PROBLEM_DEPARTMENT_CONTRACT || problem->type == PROBLEM_DEADLINE;
}

static const struct problem *stale_or(struct asking *asking, const struct problem *problem, struct department_answer *answer)
{
    if (!asking->has_old || !is_outage(problem) || !use(asking, &asking->old, true, answer))
        return problem;
    count_cache(asking, TRAFFIC_CACHE_STALE);
    return NULL;
}

static const struct problem *lead(struct asking *asking, struct flight *flight, const struct cache_key *key,
                                  struct department_answer *answer)
{
    const struct keyring *keyring = federation_settings()->keyring;
    const struct mapping *mapping = asking->mapping;
    struct cached fresh;
    const struct problem *problem = fetch(asking, answer, &fresh);
    bool worth_sharing = !problem || (!fiber_cancelled() && problem->type != PROBLEM_DEADLINE);
    flight_land(flight, problem ? NULL : &fresh, worth_sharing ? problem : NULL);
    if (problem)
        return stale_or(asking, problem, answer);
    count_cache(asking, TRAFFIC_CACHE_MISS);
    cache_put(keyring, key, mapping->personal, &fresh, asking->fresh + asking->stale);
    return NULL;
}

static const struct problem *ask_cached(struct asking *asking, struct department_answer *answer)
{
    const struct keyring *keyring = federation_settings()->keyring;
    const struct mapping *mapping = asking->mapping;
    struct cache_key key = cache_key_of(keyring, asking->plan->slug, &asking->filled);
    asking->has_old = cache_get(asking->arena, keyring, &key, mapping->personal, &asking->old);
    if (asking->has_old) {
        int64_t age = clock_wall() - asking->old.as_of;
        if (age < asking->fresh && use(asking, &asking->old, false, answer)) {
            count_cache(asking, TRAFFIC_CACHE_HIT);
            return NULL;
        }
        asking->has_old = age < asking->fresh + asking->stale;
    }
    struct flight *flight;
    struct cached shared;
    const struct problem *problem;
    switch (flight_board(asking->arena, &key, &flight, &shared, &problem)) {
    case FLIGHT_LEADER:
        return lead(asking, flight, &key, answer);
    case FLIGHT_LANDED:
        if (!problem && !use(asking, &shared, false, answer))
            problem = answer_refused(asking->arena, &asking->wanted, ANSWER_LATE, NULL);
        break;
    case FLIGHT_DEADLINE:
        problem = department_problem(asking->arena, PROBLEM_DEADLINE,
                                     BILINGUAL("部门系统未能及时答复", "The department did not answer in time"),
                                     asking->plan->slug, asking->wanted.operation);
        break;
    }
    if (problem)
        return stale_or(asking, problem, answer);
    count_cache(asking, TRAFFIC_CACHE_SHARED);
    return NULL;
}

static bool is_cacheable(const struct asking *asking)
{
    const struct mapping *mapping = asking->mapping;
    return federation_settings()->cache && !asking->question->record && mapping && mapping->template->safe &&
           asking->fresh > 0 && (!mapping->personal || federation_settings()->keyring);
}

const struct problem *department_ask(const struct department_question *question, struct department_answer *answer)
{
    struct asking asking = {.arena = question->arena, .question = question};
    asking.traffic = question->service && !question->record ? traffic_of_service(question->service) : NULL;
    struct cached ignored;
    *answer = (struct department_answer){0};
    const struct problem *problem = question->service ? fill_mapped(&asking, question->service) : fill_direct(&asking);
    if (problem)
        return problem;
    asking.wanted.record = question->record;
    return is_cacheable(&asking) ? ask_cached(&asking, answer) : fetch(&asking, answer, &ignored);
}

const struct problem *department_parameters_check(struct request *request, const struct service *service)
{
    const struct mapping *mapping = service->binding;
    if (!mapping)
        return NULL;
    const struct json **values = arena_array(request_arena(request), const struct json *, mapping->parameters.count + 1);
    return parameters_read(request_arena(request), &mapping->parameters, request_query(request), NULL, values);
}

void department_answer_write(struct json_out *out, struct arena *arena, const struct service *service,
                             const struct department_answer *answer)
{
    const struct mapping *mapping = service ? service->binding : NULL;
    const struct masks none = {0}, *masks = mapping ? &mapping->masks : &none;
    const struct json *items = answer->items;
    json_key(out, "items");
    if (items && items->type == JSON_ARRAY && !masks->count) {
        json_put_value(out, items);
    } else {
        json_array(out);
        for (uint32_t i = 0; items && items->type == JSON_ARRAY && i < items->count; i++)
            masks_write(out, arena, masks, &items->items[i]);
        if (items && items->type == JSON_OBJECT)
            masks_write(out, arena, masks, items);
        json_end(out);
    }
    json_field(out, "as_of", time_rfc3339(arena, answer->as_of));
    json_field(out, "source", answer->source);
    json_field_bool(out, "stale", answer->stale);
}
