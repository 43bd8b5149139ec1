/* The registry: how a department brings its interface to citizens. See README.md. */
#include "registry.h"

#include "registry_queries.h"

#include <shimin/module.h>

MODULE_CONTRACT(registry);

enum { STORE_RETRY_SECONDS = 1 };

struct str department_of(const struct request *request)
{
    return request_actor(request)->department;
}

struct pg_value owner_of(const struct request *request)
{
    return pg_text(department_of(request));
}

struct str label_of(struct request *request)
{
    return actor_label(request_arena(request), request_actor(request));
}

void audit_object(struct request *request, const char *kind, struct str name)
{
    request_audit(request, str_printf(request_arena(request), "%s:%.*s", kind, STR_ARG(name)), STR(""));
}

bool store_failed(struct request *request, enum pg_status status)
{
    if (status == PG_OK)
        return false;
    if (status == PG_CONFLICT) {
        reply_fault(
            request, PROBLEM_CONFLICT,
            BILINGUAL("与他人的更改冲突，请重新读取后再试", "Somebody else changed it at the same time; read it again"));
        return true;
    }
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = STORE_RETRY_SECONDS;
    reply_problem(request, problem);
    return true;
}

void reply_missing(struct request *request)
{
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这条记录", "There is no such record"));
}

void reply_row(struct request *request, unsigned status, const struct pg_result *rows)
{
    if (pg_rows(rows))
        reply_bytes(request, status, "application/json", pg_str(rows, 0, 0));
    else
        reply_missing(request);
}

int64_t edition_asked(const struct request *request)
{
    struct str tag = request_header(request, "if-match");
    int64_t edition;
    if (!tag.at)
        return -1;
    bool quoted = tag.len > 2 && tag.at[0] == '"' && tag.at[tag.len - 1] == '"';
    return quoted && str_to_i64(str_slice(tag, 1, tag.len - 1), &edition) && edition > 0 ? edition : -2;
}

void reply_edition(struct request *request, int64_t edition)
{
    reply_header(request, "etag", str_printf(request_arena(request), "\"%lld\"", (long long)edition));
}

void reply_stale(struct request *request, int64_t asked)
{
    if (asked == -1)
        reply_fault(request, PROBLEM_PRECONDITION_REQUIRED,
                    BILINGUAL("记录已存在，请用 If-Match 给出它的 ETag", "It exists already: name its ETag in If-Match"));
    else
        reply_fault(request, PROBLEM_PRECONDITION_FAILED, BILINGUAL("记录已改变", "It has changed meanwhile"));
}

void refuse_member(struct request *request, enum problem_type type, struct str pointer, struct bilingual detail)
{
    struct problem *problem = problem_new(request_arena(request), type, detail);
    struct problem_error *error = arena_new(request_arena(request), struct problem_error);
    *error = (struct problem_error){.pointer = pointer, .detail = detail};
    problem->errors = error;
    problem->error_count = 1;
    reply_problem(request, problem);
}

/* ---- versions ---- */

bool version_order(struct arena *arena, const struct snapshot *snapshot, const struct version *version, const char *environment,
                   struct draft_order *order)
{
    struct json_error error;
    *order = (struct draft_order){
        .department = snapshot ? snapshot_department(snapshot, version->department) : NULL,
        .system = version->system,
        .contract_sha256 = version->sha256,
        .contract_name = version->contract_name,
        .contract_bytes = version->contract_bytes,
        .environment = str_of(environment),
        .backend = version->backend,
        .definition = json_parse(arena, version->definition, &json_limits_request, &error),
    };
    return order->department && order->definition;
}

bool version_read(struct request *request, struct str service, int64_t number, struct version *version)
{
    struct arena *arena = request_arena(request);
    const struct pg_result *rows;
    if (store_failed(request, pg_query(arena, &sql_version_to_try,
                                       PG_ARGS(pg_text(department_of(request)), pg_text(service),
                                               number ? pg_integer(number) : pg_null()),
                                       &rows)))
        return false;
    if (!pg_rows(rows)) {
        reply_missing(request);
        return false;
    }
    *version = (struct version){
        .number = pg_int(rows, 0, 0),
        .state = pg_str(rows, 0, 1),
        .service = service,
        .department = department_of(request),
        .system = pg_str(rows, 0, 2),
        .sha256 = pg_str(rows, 0, 3),
        .definition = pg_str(rows, 0, 4),
        .contract_name = pg_str(rows, 0, 5),
        .contract_bytes = pg_bin(arena, rows, 0, 6),
        .backend = pg_str(rows, 0, 7),
        .edition = pg_int(rows, 0, 8),
    };
    return true;
}

bool version_is_unfit(struct request *request, struct str service, int64_t number)
{
    struct arena *arena = request_arena(request);
    const struct pg_result *rows;
    if (store_failed(request, pg_query(arena, &sql_version_fault, PG_ARGS(pg_text(service), pg_integer(number)), &rows)))
        return true;
    struct str fault = pg_rows(rows) ? pg_str(rows, 0, 0) : STR_NONE;
    if (fault.at)
        reply_fault(request, PROBLEM_CONFLICT,
                    (struct bilingual){str_printf(arena, "尚不能上线，请先处理：%.*s", STR_ARG(fault)),
                                       str_printf(arena, "It cannot be served yet; see to its %.*s", STR_ARG(fault))});
    return fault.at != NULL;
}

const struct module registry_module = {
    .name = "registry",
    .contract = registry_contract,
    .contract_size = &registry_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"listSystems", list_systems},
            {"readSystem", read_system},
            {"putSystem", put_system},
            {"putCredential", put_credential},
            {"deleteCredential", delete_credential},
            {"registerContract", register_contract},
            {"listContracts", list_contracts},
            {"readRegisteredContract", read_contract},
            {"readContractDocument", read_contract_document},
            {"compareContracts", compare_contracts},
            {"listDepartmentServices", list_department_services},
            {"readDepartmentService", read_department_service},
            {"putServiceDraft", put_service_draft},
            {"tryService", try_service},
            {"submitService", submit_service},
            {"readGateReport", read_gate_report},
            {"rollbackService", rollback_service},
            {"listRegisteredServices", list_department_services},
            {"readRegisteredService", read_department_service},
            {"promoteAnyService", promote_service},
            {"shareAnyService", share_service},
            {"rollbackAnyService", rollback_service},
            {"removeService", remove_service},
            {"promoteService", promote_service},
            {"shareService", share_service},
            {"retireServiceVersion", retire_service_version},
            {"readServiceProbe", read_service_probe},
            {"listSubmissions", list_submissions},
            {"readSubmission", read_submission},
            {"compareSubmission", compare_submission},
            {"decideSubmission", decide_submission},
            {0},
        },
    .worker_open = probe_start,
    .worker_close = probe_stop,
};
