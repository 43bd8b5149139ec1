/* Drafts: one service compiled as a snapshot of its own, by the same code as every snapshot, and asked before anybody else can.
 */
#include <shimin/draft.h>

#include "catalogue/service_schema.h"
#include "catalogue/snapshot.h"
#include "federation/backend.h"
#include "federation/mapping.h"
#include "federation/mistake.h"
#include "federation/plan.h"
#include <shimin/arena.h>
#include <shimin/fiber.h>

struct draft {
    struct snapshot *snapshot;
    const struct service *service;
    struct str definition;
};

struct compilation {
    struct arena *arena;
    const struct draft_order *order;
    const struct snapshot *catalogue; /* for the categories */
    struct str definition;
    struct snapshot *snapshot;
    struct schema_errors errors;
    struct text faults;
};

/* ---- the document ---- */

static void set_text(struct arena *arena, struct json *object, const char *name, struct str value)
{
    json_set(arena, object, str_of(name), json_make_string(arena, value));
}

static struct json *bilingual_json(struct arena *arena, struct bilingual text)
{
    struct json *object = json_make_object(arena);
    set_text(arena, object, "zh", text.zh);
    set_text(arena, object, "en", text.en);
    return object;
}

static struct json *categories_json(struct compilation *work)
{
    struct json *list = json_make_array(work->arena);
    const struct category *categories;
    size_t count = snapshot_categories(work->catalogue, &categories);
    for (size_t i = 0; i < count; i++) {
        struct json *entry = json_make_object(work->arena);
        set_text(work->arena, entry, "slug", categories[i].slug);
        json_set(work->arena, entry, STR("name"), bilingual_json(work->arena, categories[i].name));
        json_append(work->arena, list, entry);
    }
    return list;
}

/* The system with one address in place of all that it has. */
static struct json *backend_json(struct compilation *work)
{
    const struct draft_order *order = work->order;
    struct arena *arena = work->arena;
    struct json_error error;
    const struct json *given = json_parse(arena, order->backend, &json_limits_request, &error);
    struct json *backend = json_make_object(arena);
    static const char *const kept[] = {"concurrency", "deadline_ms", "breaker"};
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (json_get(given, kept[i]))
            json_set(arena, backend, str_of(kept[i]), json_get(given, kept[i]));
    bool twin = str_is(order->environment, "sandbox");
    struct str address = twin ? str_printf(arena, "sandbox/%.*s", STR_ARG(order->contract_sha256))
                              : json_get_string(given, order->environment.at, STR(""));
    set_text(arena, backend, "address", address);
    set_text(arena, backend, "credentials",
             str_printf(arena, "%.*s/%.*s/%s", STR_ARG(order->department->slug), STR_ARG(order->system),
                        str_is(order->environment, "production") ? "production" : "test"));
    return backend;
}

static struct json *system_json(struct compilation *work)
{
    const struct draft_order *order = work->order;
    struct arena *arena = work->arena;
    struct json *system = json_make_object(arena), *contract = json_make_object(arena), *list = json_make_array(arena);
    set_text(arena, contract, "name", order->contract_name);
    set_text(arena, contract, "sha256", order->contract_sha256);
    set_text(arena, system, "department", order->department->slug);
    set_text(arena, system, "key", STR("draft"));
    /* breaker, cap and connections of the test are not those of production */
    set_text(arena, system, "name",
             str_is(order->environment, "production")
                 ? order->system
                 : str_printf(arena, "%.*s/%.*s", STR_ARG(order->system), STR_ARG(order->environment)));
    json_set(arena, system, STR("contract"), contract);
    json_set(arena, system, STR("backend"), backend_json(work));
    json_append(arena, list, system);
    return list;
}

static struct json *departments_json(struct compilation *work)
{
    const struct department *department = work->order->department;
    struct arena *arena = work->arena;
    struct json *entry = json_make_object(arena), *list = json_make_array(arena);
    set_text(arena, entry, "slug", department->slug);
    json_set(arena, entry, STR("number"), json_make_integer(arena, department->number));
    json_set(arena, entry, STR("name"), bilingual_json(arena, department->name));
    set_text(arena, entry, "kind", department->kind);
    json_append(arena, list, entry);
    return list;
}

static const struct json *with_switch(struct arena *arena, const struct json *definition)
{
    if (definition->type != JSON_OBJECT || json_get(definition, "switch"))
        return definition;
    struct json *copy = json_clone(arena, definition), *position = json_make_object(arena);
    set_text(arena, position, "position", STR("open"));
    json_set(arena, copy, STR("switch"), position);
    return copy;
}

static struct str document_of(struct compilation *work, const struct json *definition)
{
    struct arena *arena = work->arena;
    struct json *document = json_make_object(arena), *service = json_clone(arena, definition),
                *services = json_make_array(arena);
    /* these lead out of the draft; draft_open has looked them up */
    json_set(arena, service, STR("area"), &(struct json){.type = JSON_NULL});
    json_set(arena, service, STR("needs"), &(struct json){.type = JSON_NULL});
    set_text(arena, service, "department", work->order->department->slug);
    set_text(arena, service, "system", STR("draft"));
    json_append(arena, services, service);
    json_set(arena, document, STR("categories"), categories_json(work));
    json_set(arena, document, STR("departments"), departments_json(work));
    json_set(arena, document, STR("systems"), system_json(work));
    json_set(arena, document, STR("services"), services);
    return json_text(arena, document);
}

/* ---- compiling ---- */

static _Thread_local const struct draft_order *compiled;

static struct str contract_bytes(struct arena *arena, struct str sha256)
{
    return str_equal(sha256, compiled->contract_sha256) ? str_copy(arena, compiled->contract_bytes) : STR_NONE;
}

/* What the definition names beside its own department. */
static void check_neighbours(struct compilation *work, const struct json *definition)
{
    struct str slug = json_get_string(definition, "slug", STR("")), area = json_get_string(definition, "area", STR_NONE);
    const struct json *needs = json_get(definition, "needs");
    /* an alias that another service has too would have the whole catalogue refused: the city gives them, in its files */
    if (json_get(definition, "aliases"))
        text_printf(&work->faults, "service %.*s: /aliases: a registered service has one name\n", STR_ARG(slug));
    if (area.at && !snapshot_area(work->catalogue, area))
        text_printf(&work->faults, "service %.*s: /area: there is no area %.*s\n", STR_ARG(slug), STR_ARG(area));
    for (uint32_t i = 0; needs && i < needs->count; i++)
        if (!snapshot_service(work->catalogue, needs->items[i].string))
            text_printf(&work->faults, "service %.*s: /needs/%u: there is no service %.*s\n", STR_ARG(slug), i,
                        STR_ARG(needs->items[i].string));
}

static void compile(void *argument)
{
    struct compilation *work = argument;
    const struct json *definition = with_switch(work->arena, work->order->definition);
    if (!service_schema_validate(work->arena, definition, &work->errors))
        return;
    check_neighbours(work, definition);
    if (work->faults.len)
        return;
    work->definition = json_text(work->arena, definition);
    compiled = work->order;
    work->snapshot = snapshot_compile(document_of(work, definition), contract_bytes, &work->faults);
}

/* "service x: /operation/items (line 3): reason" is told by its parts. */
static struct problem_error fault_of(struct arena *arena, struct str line)
{
    ptrdiff_t colon = str_find(line, STR(": "));
    struct str rest = colon < 0 ? line : str_slice(line, (size_t)colon + 2, line.len), pointer = STR("");
    colon = str_find(rest, STR(": "));
    if (rest.len && rest.at[0] == '/' && colon > 0) {
        pointer = str_slice(rest, 0, (size_t)colon);
        rest = str_slice(rest, (size_t)colon + 2, rest.len);
        ptrdiff_t space = str_find(pointer, STR(" "));
        pointer = space < 0 ? pointer : str_slice(pointer, 0, (size_t)space);
    }
    rest = str_copy(arena, rest);
    return (struct problem_error){.pointer = str_copy(arena, pointer), .detail = {rest, rest}};
}

static const struct problem *faulty(struct compilation *work)
{
    struct arena *arena = work->arena;
    struct problem *problem =
        problem_new(arena, PROBLEM_VALIDATION,
                    BILINGUAL("服务定义有误；每一处见 errors", "The definition of the service has faults; errors names each"));
    struct str text = text_str(&work->faults);
    size_t room = work->errors.count + 1;
    for (size_t i = 0; i < text.len; i++)
        room += text.at[i] == '\n';
    struct problem_error *errors = arena_array(arena, struct problem_error, room);
    for (size_t i = 0; i < work->errors.count; i++)
        errors[problem->error_count++] =
            (struct problem_error){.pointer = work->errors.list[i].pointer, .detail = work->errors.list[i].detail};
    while (text.at && text.len) {
        struct str line = str_cut(&text, '\n');
        if (line.len)
            errors[problem->error_count++] = fault_of(arena, line);
    }
    problem->errors = errors;
    return problem;
}

const struct problem *draft_open(struct arena *arena, const struct draft_order *order, struct draft **draft)
{
    const struct snapshot *catalogue = snapshot_pin();
    struct compilation work = {.arena = arena,
                               .order = order,
                               .catalogue = catalogue,
                               .errors = {.arena = arena, .most = 100},
                               .faults = text_open(arena, 256)};
    bool ran = offload(compile, &work);
    snapshot_unpin(catalogue);
    if (!ran) {
        struct problem *problem = problem_new(arena, PROBLEM_OVERLOADED, (struct bilingual){0});
        problem->retry_after = 1;
        return problem;
    }
    if (!work.snapshot)
        return faulty(&work);
    *draft = arena_new(arena, struct draft);
    **draft = (struct draft){.snapshot = work.snapshot, .definition = work.definition};
    (void)!snapshot_services(work.snapshot, &(*draft)->service);
    return NULL;
}

void draft_close(struct draft *draft)
{
    if (draft)
        snapshot_release(draft->snapshot);
}

/* ---- asking ---- */

static const struct mapping *mapping_of(const struct draft *draft)
{
    return draft->service->binding;
}

static const struct operation *operation_of(const struct draft *draft)
{
    return mapping_of(draft) ? mapping_of(draft)->template->operation : NULL;
}

const struct service *draft_service(const struct draft *draft)
{
    return draft->service;
}

struct str draft_definition(const struct draft *draft)
{
    return draft->definition;
}

bool draft_writes(const struct draft *draft)
{
    return mapping_of(draft) && !mapping_of(draft)->template->safe;
}

bool draft_sends_citizen(const struct draft *draft)
{
    return mapping_of(draft) && mapping_of(draft)->template->personal;
}

struct str draft_security(const struct draft *draft)
{
    const struct operation *operation = operation_of(draft);
    return operation && operation->security.kind != SECURITY_NONE ? operation->security.name : STR("");
}

bool draft_proof_is_connection(const struct draft *draft)
{
    const struct operation *operation = operation_of(draft);
    return operation && operation->security.kind == SECURITY_MUTUAL_TLS;
}

enum draft_replay draft_replay(const struct draft *draft)
{
    const struct operation *operation = operation_of(draft);
    if (!operation || operation->method == METHOD_GET || operation->method == METHOD_HEAD)
        return REPLAY_READS;
    if (!draft_writes(draft))
        return REPLAY_ASKS;
    for (unsigned i = 0; i < operation->parameter_count; i++)
        if (operation->parameters[i].place == PARAMETER_HEADER &&
            str_equal_nocase(operation->parameters[i].name, STR("Idempotency-Key")))
            return REPLAY_BY_KEY;
    return operation->method == METHOD_PUT || operation->method == METHOD_DELETE ? REPLAY_BY_METHOD : REPLAY_UNSAFE;
}

bool draft_mistake_is_possible(const struct draft *draft, enum department_mistake mistake)
{
    return mapping_of(draft) && mistake_is_possible(mapping_of(draft)->template, mistake);
}

struct str draft_credentials_fault(const struct draft *draft)
{
    const struct operation *operation = operation_of(draft);
    return operation ? str_of(backend_credentials_fault(draft->service->department->backend, &operation->security)) : STR_NONE;
}

const struct problem *draft_ask(const struct draft *draft, struct department_question *question,
                                struct department_answer *answer)
{
    question->snapshot = draft->snapshot;
    question->service = draft->service;
    return department_ask(question, answer);
}

/* 11010519491231002X and 440524188001010014 are the examples of GB 11643; no message ever goes to these phones. */
const struct citizen *draft_person(struct str name)
{
    static const struct citizen persons[] = {
        {.id = STR("00000000-0000-7000-8000-000000000001"),
         .level = LEVEL_CERTIFICATE,
         .session_id = STR("test"),
         .phone_number = STR("+8613800000001"),
         .name = STR("张伟"),
         .id_number = STR("11010519491231002X")},
        {.id = STR("00000000-0000-7000-8000-000000000002"),
         .level = LEVEL_CERTIFICATE,
         .session_id = STR("test"),
         .phone_number = STR("+8613800000002"),
         .name = STR("李秀英"),
         .id_number = STR("440524188001010014")},
    };
    static const char *const names[] = {"zhang-wei", "li-xiuying"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_is(name, names[i]))
            return &persons[i];
    return NULL;
}

bool draft_address_is_good(struct str address)
{
    struct address parsed;
    return address_parse(address, &parsed);
}
