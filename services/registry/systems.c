/* Systems: where a department's interface is played, and what calls are signed with. */
#include "registry.h"

#include "registry_queries.h"

void list_systems(struct request *request)
{
    const struct pg_result *rows;
    if (!store_failed(request,
                      pg_query(request_arena(request), &sql_list_systems, PG_ARGS(pg_text(department_of(request))), &rows)))
        reply_row(request, 200, rows);
}

/* false after a reply. *rows is empty when there is none of that name. */
static bool find_system(struct request *request, const struct pg_result **rows)
{
    return !store_failed(request,
                         pg_query(request_arena(request), &sql_read_system,
                                  PG_ARGS(pg_text(department_of(request)), pg_text(request_string(request, "system"))), rows));
}

static void reply_system(struct request *request, unsigned status)
{
    const struct pg_result *rows;
    if (!find_system(request, &rows))
        return;
    reply_row(request, status, rows);
    if (pg_rows(rows))
        reply_edition(request, pg_int(rows, 0, 1));
}

void read_system(struct request *request)
{
    reply_system(request, 200);
}

/* The schema has looked at their form; this looks at what the federation makes of them. */
static bool addresses_are_good(struct request *request, const struct json *backend)
{
    static const char *const members[] = {"production", "test"};
    struct arena *arena = request_arena(request);
    struct problem_error *errors = arena_array(arena, struct problem_error, COUNT_OF(members));
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        struct str address = json_get_string(backend, members[i], STR_NONE);
        if (address.at && !draft_address_is_good(address))
            errors[count++] = (struct problem_error){
                .pointer = str_printf(arena, "/%s", members[i]),
                .detail = BILINGUAL("须为 http(s)://主机[:端口][/前缀]", "must be http(s)://host[:port][/base]")};
    }
    if (!count)
        return true;
    struct problem *problem = problem_new(arena, PROBLEM_VALIDATION, (struct bilingual){0});
    problem->errors = errors;
    problem->error_count = count;
    reply_problem(request, problem);
    return false;
}

static struct str with_defaults(struct arena *arena, const struct json *given)
{
    struct json *backend = json_clone(arena, given);
    if (!json_get(backend, "concurrency"))
        json_set(arena, backend, STR("concurrency"), json_make_integer(arena, 16));
    if (!json_get(backend, "deadline_ms"))
        json_set(arena, backend, STR("deadline_ms"), json_make_integer(arena, 3000));
    return json_text(arena, backend);
}

void put_system(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str name = request_string(request, "system");
    const struct pg_result *rows, *made;
    int64_t asked = edition_asked(request);
    audit_object(request, "system", name);
    if (!addresses_are_good(request, request_body(request)))
        return;
    struct pg_value department = pg_text(department_of(request)),
                    backend = pg_text(with_defaults(arena, request_body(request)));
    struct pg_value by = pg_text(label_of(request));
    if (!find_system(request, &rows))
        return;
    bool exists = pg_rows(rows) > 0;
    if (exists && asked < 0) {
        reply_stale(request, asked);
        return;
    }
    enum pg_status status =
        exists ? pg_query(arena, &sql_change_system, PG_ARGS(department, pg_text(name), backend, by, pg_integer(asked)), &made)
               : pg_query(arena, &sql_make_system, PG_ARGS(department, pg_text(name), backend, by), &made);
    if (store_failed(request, status))
        return;
    if (!pg_affected(made) && !exists)
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("部门的系统已达上限", "The department has as many systems as it may have"));
    else if (!pg_affected(made))
        reply_stale(request, asked);
    else
        reply_system(request, exists ? 200 : 201);
}

void put_credential(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str system = request_string(request, "system"), environment = request_string(request, "environment");
    struct draft_credential credential;
    const struct pg_result *rows;
    request_audit(request, str_printf(arena, "credential:%.*s/%.*s", STR_ARG(system), STR_ARG(environment)), STR(""));
    if (!find_system(request, &rows))
        return;
    if (!pg_rows(rows)) {
        reply_missing(request);
        return;
    }
    const struct problem *problem =
        draft_credential_seal(arena, department_of(request), system, environment, request_body(request), &credential);
    if (problem) {
        reply_problem(request, problem);
        return;
    }
    request_audit(request, str_printf(arena, "credential:%.*s/%.*s", STR_ARG(system), STR_ARG(environment)),
                  str_printf(arena, "%.*s %.*s", STR_ARG(credential.kind), STR_ARG(credential.fingerprint)));
    if (!store_failed(request,
                      pg_query(arena, &sql_put_credential,
                               PG_ARGS(pg_text(department_of(request)), pg_text(system), pg_text(environment),
                                       pg_text(credential.kind), pg_text(credential.key_id), pg_text(credential.fingerprint),
                                       pg_bytes(credential.sealed), pg_text(label_of(request))),
                               &rows)))
        reply_row(request, 200, rows);
}

void delete_credential(struct request *request)
{
    struct str system = request_string(request, "system"), environment = request_string(request, "environment");
    const struct pg_result *rows;
    audit_object(request, "credential", str_printf(request_arena(request), "%.*s/%.*s", STR_ARG(system), STR_ARG(environment)));
    if (store_failed(request, pg_query(request_arena(request), &sql_delete_credential,
                                       PG_ARGS(pg_text(department_of(request)), pg_text(system), pg_text(environment)), &rows)))
        return;
    if (pg_affected(rows))
        reply_empty(request, 204);
    else
        reply_missing(request);
}
