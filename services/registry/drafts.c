/* Drafts of services: definitions bound to a contract version, checked as every snapshot checks them. */
#include "registry.h"

#include "registry_queries.h"

void list_department_services(struct request *request)
{
    const struct pg_result *rows;
    if (!store_failed(request, pg_query(request_arena(request), &sql_list_services, PG_ARGS(owner_of(request)), &rows)))
        reply_row(request, 200, rows);
}

void read_department_service(struct request *request)
{
    const struct pg_result *rows;
    if (!store_failed(request, pg_query(request_arena(request), &sql_read_service,
                                        PG_ARGS(owner_of(request), pg_text(request_string(request, "service"))), &rows)))
        reply_row(request, 200, rows);
}

/* A slug belongs to whoever had it first, and what the city keeps in files is not taken over. */
static bool slug_is_ours(struct request *request, struct str slug)
{
    const struct pg_result *rows;
    if (store_failed(request, pg_query(request_arena(request), &sql_service_owner, PG_ARGS(pg_text(slug)), &rows)))
        return false;
    const struct service *known = snapshot_service(request_snapshot(request), slug);
    bool alias = known && !str_equal(known->slug, slug);
    if (!alias && (!pg_rows(rows) || (str_equal(pg_str(rows, 0, 0), department_of(request)) && pg_bool(rows, 0, 1))))
        return true;
    reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("这个名字已被占用", "This name is taken"));
    return false;
}

/* The contract to bind to, and with it the order to compile. false after a reply. */
static bool make_order(struct request *request, const struct json *body, struct draft_order *order)
{
    struct arena *arena = request_arena(request);
    struct str system = json_get_string(body, "system", STR("")), sha256 = json_get_string(body, "contract", STR_NONE);
    const struct pg_result *rows;
    if (store_failed(request, pg_query(arena, &sql_draft_contract,
                                       PG_ARGS(pg_text(department_of(request)), pg_text(system), pg_text(sha256)), &rows)))
        return false;
    if (!pg_rows(rows)) {
        refuse_member(request, PROBLEM_VALIDATION, sha256.at ? STR("/contract") : STR("/system"),
                      BILINGUAL("这个系统没有登记这样的文档", "No such document is registered for this system"));
        return false;
    }
    *order = (struct draft_order){
        .department = snapshot_department(request_snapshot(request), department_of(request)),
        .system = system,
        .contract_sha256 = pg_str(rows, 0, 0),
        .contract_name = pg_str(rows, 0, 1),
        .contract_bytes = pg_bin(arena, rows, 0, 2),
        .environment = STR("sandbox"),
        .backend = pg_str(rows, 0, 3),
        .definition = json_get(body, "definition"),
    };
    if (!order->department)
        reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("部门不在目录中", "The department is not in the catalogue"));
    return order->department != NULL;
}

/* Pointers lead into the request's body, where the definition is a member. */
static const struct problem *below_definition(struct arena *arena, const struct problem *given)
{
    struct problem *problem = arena_copy(arena, given, sizeof *given);
    struct problem_error *errors = arena_array(arena, struct problem_error, given->error_count + 1);
    for (size_t i = 0; i < given->error_count; i++) {
        errors[i] = given->errors[i];
        if (errors[i].pointer.at)
            errors[i].pointer = str_printf(arena, "/definition%.*s", STR_ARG(errors[i].pointer));
    }
    problem->errors = errors;
    return problem;
}

/* The definition as it was compiled; STR_NONE after a reply. */
static struct str compile(struct request *request, const struct draft_order *order)
{
    struct draft *draft;
    const struct problem *problem = draft_open(request_arena(request), order, &draft);
    if (problem) {
        reply_problem(request, below_definition(request_arena(request), problem));
        return STR_NONE;
    }
    struct str definition = draft_definition(draft);
    draft_close(draft);
    return definition;
}

static void keep(struct request *request, struct str slug, const struct draft_order *order, struct str definition)
{
    struct arena *arena = request_arena(request);
    struct pg_value department = pg_text(department_of(request)), service = pg_text(slug), system = pg_text(order->system);
    struct pg_value sha256 = pg_text(order->contract_sha256), text = pg_text(definition);
    const struct pg_result *at_work, *rows;
    int64_t asked = edition_asked(request);
    if (store_failed(request, pg_query(arena, &sql_version_at_work, PG_ARGS(department, service), &at_work)))
        return;
    bool exists = pg_rows(at_work) > 0;
    if (exists && asked < 0) {
        reply_stale(request, asked);
        return;
    }
    enum pg_status status =
        exists
            ? pg_query(arena, &sql_change_draft, PG_ARGS(department, service, pg_integer(asked), system, sha256, text), &rows)
            : pg_query(arena, &sql_make_draft, PG_ARGS(service, department, system, sha256, text, pg_text(label_of(request))),
                       &rows);
    if (store_failed(request, status))
        return;
    if (!pg_rows(rows)) {
        reply_stale(request, asked);
        return;
    }
    reply_edition(request, pg_int(rows, 0, 1));
    reply_row(request, exists ? 200 : 201, rows);
}

void put_service_draft(struct request *request)
{
    const struct json *body = request_body(request), *definition = json_get(body, "definition");
    struct str slug = request_string(request, "service");
    struct draft_order order;
    audit_object(request, "service", slug);
    if (!str_equal(json_get_string(definition, "slug", STR("")), slug)) {
        refuse_member(request, PROBLEM_VALIDATION, STR("/definition/slug"),
                      BILINGUAL("须与地址中的名字相同", "must be the name in the address"));
        return;
    }
    if (!slug_is_ours(request, slug) || !make_order(request, body, &order))
        return;
    struct str compiled = compile(request, &order);
    if (compiled.at)
        keep(request, slug, &order, compiled);
}
