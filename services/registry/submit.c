/* Submitting a version: the publish gate runs against the test address, and its report is kept. */
#include "gate.h"
#include "registry.h"

#include "registry_queries.h"

#include <shimin/fiber.h>

enum { GATE_SECONDS = 45 }; /* of the 60 that the operation has */

static bool has_test_address(struct arena *arena, const struct version *version)
{
    struct json_error error;
    return json_get(json_parse(arena, version->backend, &json_limits_request, &error), "test") != NULL;
}

/* A backend that answers each call at its very deadline must not cost us the time to write the report down. */
struct gate_job {
    struct arena *arena;
    const struct draft_order *order;
    struct text checks; /* a JSON array */
    bool passed;
    const struct problem *problem;
};

static void run_job(void *argument)
{
    struct gate_job *job = argument;
    struct json_out out = json_write(&job->checks);
    bool passed = true;
    json_array(&out);
    job->problem = gate_run(job->arena, job->order, false, &out, &passed);
    json_end(&out);
    job->passed = passed && !job->problem;
}

void submit_service(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str service = request_string(request, "service");
    struct version version;
    struct draft_order order;
    const struct pg_result *rows;
    audit_object(request, "service", service);
    if (!version_read(request, service, 0, &version))
        return;
    if (!has_test_address(arena, &version) || !version_order(arena, request_snapshot(request), &version, "test", &order)) {
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("送审前须登记系统的测试地址", "Register the test address of the system before you submit"));
        return;
    }
    if (store_failed(request, pg_query(arena, &sql_begin_testing,
                                       PG_ARGS(pg_text(version.department), pg_text(service), pg_integer(version.number),
                                               pg_text(label_of(request))),
                                       &rows)))
        return;
    if (!pg_rows(rows)) {
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("没有可送审的草稿，或正在检查", "There is no draft to submit, or it is being tested"));
        return;
    }
    int64_t edition = pg_int(rows, 0, 0);
    struct gate_job job = {.arena = arena, .order = &order, .checks = text_open(arena, 2048)};
    struct fiber_group group = {0};
    fiber_spawn(&group, run_job, &job);
    (void)fiber_join(&group, deadline_in(seconds(GATE_SECONDS)));
    if (store_failed(request, pg_query(arena, &sql_end_testing,
                                       PG_ARGS(pg_text(service), pg_integer(version.number), pg_integer(edition),
                                               pg_boolean(job.passed), pg_text(text_str(&job.checks))),
                                       &rows)))
        return;
    request_audit(request, str_printf(arena, "service:%.*s", STR_ARG(service)),
                  job.passed ? STR("gate passed") : STR("gate failed"));
    if (job.problem)
        reply_problem(request, job.problem);
    else
        reply_row(request, 200, rows);
}

void read_gate_report(struct request *request)
{
    const struct pg_result *rows;
    if (!store_failed(request, pg_query(request_arena(request), &sql_read_gate,
                                        PG_ARGS(pg_text(department_of(request)), pg_text(request_string(request, "service")),
                                                pg_integer(request_integer(request, "number", 0))),
                                        &rows)))
        reply_row(request, 200, rows);
}
