/* Compiling a department's backend. */
#include "federation/plan.h"
#include "federation/guard.h"
#include "federation/signer.h"
#include <pthread.h>
#include <shimin/clock.h>
#include <string.h>

#define CONCURRENCY_DEFAULT 32
#define CONCURRENCY_MOST 10000
#define DEADLINE_MOST 60000 /* ms */

/* The keys met so far. Snapshots are compiled by one thread, but nothing promises that it is always the same. */
static struct {
    pthread_mutex_t lock;
    char *slugs[PLACES_MAX];
    unsigned count;
} places = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool place_of(struct str slug, unsigned *place)
{
    pthread_mutex_lock(&places.lock);
    for (*place = 0; *place < places.count; (*place)++)
        if (str_is(slug, places.slugs[*place]))
            break;
    bool known = *place < places.count, room = places.count < PLACES_MAX;
    if (!known && room) {
        char *copy = memory_alloc(slug.len + 1); /* kept for the life of the process */
        memcpy(copy, slug.at, slug.len);
        places.slugs[places.count++] = copy;
    }
    pthread_mutex_unlock(&places.lock);
    return known || room;
}

static bool same_security(const struct security *a, const struct security *b)
{
    return a->kind == b->kind && str_equal(a->name, b->name) && str_equal(a->scheme, b->scheme) &&
           str_equal(a->token_url, b->token_url);
}

/* An operation whose scheme is not known can be described but not called; a service that needs it is refused (mapping.c). */
static void compile_securities(struct arena *arena, struct plan *plan)
{
    const struct contract *contract = plan->contract;
    uint8_t *of = arena_array(arena, uint8_t, contract->operation_count + 1);
    for (unsigned i = 0; i < contract->operation_count; i++) {
        const struct security *security = &contract->operations[i].security;
        unsigned at = 0;
        while (at < plan->security_count && !same_security(plan->securities[at], security))
            at++;
        if (at == SECURITIES_MAX || !signer_knows(security)) {
            of[i] = SECURITY_NOT_KNOWN;
            continue;
        }
        if (at == plan->security_count)
            plan->securities[plan->security_count++] = security;
        of[i] = (uint8_t)at;
    }
    plan->security_of = of;
}

static void compile_operations(struct arena *arena, struct plan *plan)
{
    const struct contract *contract = plan->contract;
    const struct template **direct = arena_array(arena, const struct template *, contract->operation_count + 1);
    struct router *router = router_new(arena);
    for (unsigned i = 0; i < contract->operation_count; i++) {
        struct str reason;
        direct[contract->operations[i].index] = template_direct(arena, &contract->operations[i]);
        /* a path that the router cannot tell from others is only out of reach of raw passage */
        (void)!router_add(router, &contract->operations[i], NULL, &reason);
    }
    plan->direct = direct;
    plan->guards = arena_array(arena, const struct guard *, contract->operation_count + 1);
    plan->router = router;
}

static void read_breaker(struct plan *plan, const struct json *source, struct fault_sink *sink)
{
    plan->breaker = breaker_defaults;
    if (!source)
        return;
    const struct json *ratio = json_get(source, "ratio");
    int64_t minimum = json_get_integer(source, "minimum", breaker_defaults.minimum);
    if (ratio)
        plan->breaker.ratio = ratio->type == JSON_INTEGER || ratio->type == JSON_NUMBER ? json_as_double(ratio) : 0;
    plan->breaker.minimum = (unsigned)minimum;
    if (source->type != JSON_OBJECT || plan->breaker.ratio <= 0 || plan->breaker.ratio > 1 || minimum < 1 || minimum > 1000000)
        fault_add(sink, source, STR("/backend/breaker"), "ratio must be above 0 and at most 1, minimum at least 1");
}

/* Credentials are the department's own: named by its slug, or by its slug, a slash and a word of its own. Whoever writes a
 * department's entry cannot sign with another's keys. */
static bool owns_credentials(const struct plan *plan)
{
    struct str rest = plan->credentials, owner = str_cut(&rest, '/');
    return str_equal(owner, plan->slug) && (!rest.at || rest.len);
}

static uint64_t fingerprint(struct arena *arena, const struct plan *plan)
{
    struct text text = text_open(arena, 256);
    text_printf(&text, "%u %.*s %.*s", plan->number, STR_ARG(plan->address), STR_ARG(plan->credentials));
    for (unsigned i = 0; i < plan->security_count; i++)
        text_printf(&text, " %d %.*s %.*s %.*s", plan->securities[i]->kind, STR_ARG(plan->securities[i]->name),
                    STR_ARG(plan->securities[i]->scheme), STR_ARG(plan->securities[i]->token_url));
    return str_hash(text_str(&text));
}

const struct plan *plan_compile(struct arena *arena, const struct department *department, struct fault_sink *sink, bool *good)
{
    const struct json *backend = json_get(department->definition, "backend");
    *good = true;
    if (!backend || backend->type == JSON_NULL || !department->contract)
        return NULL;
    size_t before = sink->count;
    struct plan *plan = arena_new(arena, struct plan);
    struct address address;
    plan->slug = department->slug;
    plan->key = department->system.len ? str_printf(arena, "%.*s/%.*s", STR_ARG(department->slug), STR_ARG(department->system))
                                       : department->slug;
    plan->number = department->number;
    plan->contract = department->contract;
    plan->address = json_get_string(backend, "address", STR("sandbox"));
    plan->credentials = json_get_string(backend, "credentials", department->slug);
    int64_t concurrency = json_get_integer(backend, "concurrency", CONCURRENCY_DEFAULT);
    int64_t deadline = json_get_integer(backend, "deadline_ms", 0);
    if (!str_is(plan->address, "sandbox") && !str_starts(plan->address, STR("sandbox/")) &&
        !address_parse(plan->address, &address))
        fault_add(sink, json_get(backend, "address"), STR("/backend/address"),
                  "must be sandbox or http(s)://host[:port][/base]");
    if (!owns_credentials(plan))
        fault_add(sink, json_get(backend, "credentials"), STR("/backend/credentials"),
                  "%.*s are not this department's: must be %.*s or begin with %.*s/", STR_ARG(plan->credentials),
                  STR_ARG(plan->slug), STR_ARG(plan->slug));
    if (concurrency < 1 || concurrency > CONCURRENCY_MOST)
        fault_add(sink, json_get(backend, "concurrency"), STR("/backend/concurrency"), "must be 1 to %d", CONCURRENCY_MOST);
    if (deadline < 0 || deadline > DEADLINE_MOST)
        fault_add(sink, json_get(backend, "deadline_ms"), STR("/backend/deadline_ms"), "must be at most %d", DEADLINE_MOST);
    if (!place_of(plan->key, &plan->place))
        fault_add(sink, NULL, STR("/slug"), "more than %d backends since the start", PLACES_MAX);
    plan->concurrency = (unsigned)concurrency;
    plan->deadline = milliseconds(deadline);
    read_breaker(plan, json_get(backend, "breaker"), sink);
    compile_securities(arena, plan);
    compile_operations(arena, plan);
    *good = sink->count == before;
    if (*good)
        plan->fingerprint = fingerprint(arena, plan);
    return *good ? plan : NULL;
}

/* ---- what of the citizen's goes by which name ---- */

static void learn(struct arena *arena, struct plan *plan, struct str name, enum source_kind kind)
{
    if (!source_is_personal(kind))
        return;
    for (const struct identity_name *known = plan->identities; known; known = known->next)
        if (str_equal_nocase(known->name, name))
            return;
    struct identity_name *identity = arena_new(arena, struct identity_name);
    *identity = (struct identity_name){.name = name, .kind = kind, .next = plan->identities};
    plan->identities = identity;
}

static void learn_fields(struct arena *arena, struct plan *plan, const struct template_field *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        learn(arena, plan, fields[i].parameter->name, fields[i].source.kind);
}

static void learn_members(struct arena *arena, struct plan *plan, const struct template_member *members)
{
    for (; members; members = members->next) {
        if (members->children)
            learn_members(arena, plan, members->children);
        else
            learn(arena, plan, members->name, members->source.kind);
    }
}

void plan_learn(struct arena *arena, const struct plan *plan, const struct service *service, const struct mapping *mapping)
{
    struct plan *open = (struct plan *)plan; /* not published yet */
    const struct template *template = mapping->template;
    const struct guard **guards = &open->guards[template->operation->index];
    struct guard *guard = arena_new(arena, struct guard);
    *guard = (struct guard){.service = service, .mapping = mapping, .next = *guards};
    *guards = guard;
    learn_fields(arena, open, template->path, template->path_count);
    learn_fields(arena, open, template->query, template->query_count);
    learn_fields(arena, open, template->headers, template->header_count);
    learn_members(arena, open, template->body);
}

bool plan_identity(const struct plan *plan, struct str name, enum source_kind *kind)
{
    for (const struct identity_name *known = plan->identities; known; known = known->next)
        if (str_equal_nocase(known->name, name)) {
            *kind = known->kind;
            return true;
        }
    return source_of_identity(name, kind);
}
