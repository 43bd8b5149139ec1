/* The publish gate: what a version must show against the test address before an administrator looks at it, and what goes on
 * being looked at once it is live. */
#include "registry.h"

#include "look.h"
#include "registry_queries.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>

enum { GATE_SECONDS = 45 }; /* of the 60 that the operation has */

enum check_name {
    CHECK_CREDENTIALS,
    CHECK_REACHABLE,
    CHECK_CONTRACT,
    CHECK_AUTHENTICATION_MISSING,
    CHECK_AUTHENTICATION_WRONG,
    CHECK_ERRORS,
    CHECK_REPLAY,
    CHECK_DEADLINE,
    CHECK_MASKS,
};

enum check_result { CHECK_PASSED, CHECK_FAILED, CHECK_NOT_APPLICABLE };

struct gate {
    struct arena *arena;
    struct draft *draft;
    struct json_out out;
    bool failed;
    int64_t slowest, allowed;
    struct department_record record; /* of the last call */
    struct department_answer answer;
};

typedef void check(struct gate *gate);

static void note(struct gate *gate, enum check_name name, enum check_result result, struct bilingual detail)
{
    static const char *const names[] = {
        [CHECK_CREDENTIALS] = "credentials",
        [CHECK_REACHABLE] = "reachable",
        [CHECK_CONTRACT] = "contract",
        [CHECK_AUTHENTICATION_MISSING] = "authentication_missing",
        [CHECK_AUTHENTICATION_WRONG] = "authentication_wrong",
        [CHECK_ERRORS] = "errors",
        [CHECK_REPLAY] = "replay",
        [CHECK_DEADLINE] = "deadline",
        [CHECK_MASKS] = "masks",
    };
    static const char *const results[] = {"passed", "failed", "not_applicable"};
    json_object(&gate->out);
    json_field_c(&gate->out, "name", names[name]);
    json_field_c(&gate->out, "result", results[result]);
    json_key(&gate->out, "detail");
    json_object(&gate->out);
    json_field(&gate->out, "zh", detail.zh);
    json_field(&gate->out, "en", detail.en);
    json_end(&gate->out);
    if (gate->record.attempts) {
        json_key(&gate->out, "duration_ms");
        json_put_double(&gate->out, (double)gate->record.duration / 1000);
    }
    json_end(&gate->out);
    gate->failed |= result == CHECK_FAILED;
}

/* What the service's parameters are given: their default, the first of their enum, an example of their type. */
static const struct json *example_values(struct gate *gate)
{
    const struct json *list = json_get(draft_service(gate->draft)->definition, "parameters");
    struct json *values = json_make_object(gate->arena);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct json *schema = json_get(&list->items[i], "schema"), *options = json_get(schema, "enum");
        struct str name = json_get_string(&list->items[i], "name", STR("")), type = json_get_string(schema, "type", STR(""));
        const struct json *value = json_get(schema, "default");
        if (!value && options && options->count)
            value = &options->items[0];
        if (!value && !json_get_boolean(&list->items[i], "required", false))
            continue;
        if (!value)
            value = str_is(type, "boolean") ? json_make_boolean(gate->arena, true)
                    : str_is(type, "integer") || str_is(type, "number")
                        ? json_make_integer(gate->arena, json_get_integer(schema, "minimum", 1))
                    : str_is(json_get_string(schema, "format", STR("")), "date")
                        ? json_make_string(gate->arena, STR("2024-01-02"))
                        : json_make_string(gate->arena, STR("1"));
        json_set(gate->arena, values, name, value);
    }
    return values;
}

/* One call; NULL when the answer is one that a citizen would get. */
static const struct problem *call(struct gate *gate, const char *person, enum department_proof proof, struct str target)
{
    gate->record = (struct department_record){0};
    gate->answer = (struct department_answer){0};
    struct department_question question = {
        .arena = gate->arena,
        .citizen = draft_person(str_of(person)),
        .values = example_values(gate),
        .record = &gate->record,
        .proof = proof,
        .target = target,
    };
    const struct problem *problem = draft_ask(gate->draft, &question, &gate->answer);
    if (gate->record.duration > gate->slowest)
        gate->slowest = gate->record.duration;
    return problem;
}

static bool was_refused(const struct gate *gate)
{
    return gate->record.status == 401 || gate->record.status == 403;
}

/* ---- the checks ---- */

static void check_credentials(struct gate *gate)
{
    struct str fault = draft_credentials_fault(gate->draft);
    bool personal = draft_service(gate->draft)->personal || draft_sends_citizen(gate->draft);
    if (fault.at)
        note(gate, CHECK_CREDENTIALS, CHECK_FAILED,
             (struct bilingual){
                 str_printf(gate->arena, "测试凭据无法签名：%.*s", STR_ARG(fault)),
                 str_printf(gate->arena, "Calls cannot be signed with the test credentials: %.*s", STR_ARG(fault))});
    else if (!draft_security(gate->draft).len && personal)
        note(gate, CHECK_CREDENTIALS, CHECK_FAILED,
             BILINGUAL("接口文档没有要求认证，而服务涉及个人信息",
                       "The contract asks for no authentication, and the service is about persons"));
    else
        note(gate, CHECK_CREDENTIALS, CHECK_PASSED, BILINGUAL("凭据可用", "The credentials can be used"));
}

static void check_answers(struct gate *gate)
{
    static const char *const persons[] = {"zhang-wei", "li-xiuying"};
    const struct problem *problem = NULL;
    unsigned answered = 0;
    for (size_t i = 0; i < COUNT_OF(persons) && !problem; i++) {
        problem = call(gate, persons[i], PROOF_PROPER, STR_NONE);
        answered += gate->record.status != 0;
    }
    if (answered)
        note(gate, CHECK_REACHABLE, CHECK_PASSED, BILINGUAL("测试地址有应答", "The test address answers"));
    else
        note(gate, CHECK_REACHABLE, CHECK_FAILED,
             (struct bilingual){
                 str_printf(gate->arena, "测试地址没有应答：%.*s", STR_ARG(gate->record.outcome)),
                 str_printf(gate->arena, "The test address does not answer: %.*s", STR_ARG(gate->record.outcome))});
    if (problem) {
        struct str why = gate->record.breach.at ? gate->record.breach : problem->detail.en;
        note(gate, CHECK_CONTRACT, CHECK_FAILED,
             (struct bilingual){str_printf(gate->arena, "状态 %u：%.*s %.*s", gate->record.status,
                                           STR_ARG(problem_slug(problem->type)), STR_ARG(problem->detail.zh)),
                                str_printf(gate->arena, "status %u: %.*s: %.*s%s%.*s", gate->record.status,
                                           STR_ARG(problem_slug(problem->type)), STR_ARG(why),
                                           gate->record.breach_count ? " at " : "",
                                           STR_ARG(gate->record.breach_count ? gate->record.breaches[0].pointer : STR("")))});
    } else {
        note(gate, CHECK_CONTRACT, CHECK_PASSED, BILINGUAL("应答符合接口文档", "The answers follow the contract"));
    }
}

static void check_proof(struct gate *gate, enum check_name name, enum department_proof proof)
{
    gate->record = (struct department_record){0};
    if (!draft_proof_is_sent(gate->draft)) {
        note(gate, name, CHECK_NOT_APPLICABLE,
             draft_security(gate->draft).len
                 ? BILINGUAL("凭据随连接（双向 TLS），此处不查",
                             "The proof goes with the connection (mutual TLS) and is not looked at here")
                 : BILINGUAL("接口文档没有要求认证", "The contract asks for no authentication"));
        return;
    }
    (void)!call(gate, "zhang-wei", proof, STR_NONE);
    if (was_refused(gate))
        note(gate, name, CHECK_PASSED, BILINGUAL("被拒绝，应当如此", "It was refused, as it should be"));
    else
        note(gate, name, CHECK_FAILED,
             (struct bilingual){
                 str_printf(gate->arena, "应被拒绝（401 或 403），却得到 %u", gate->record.status),
                 str_printf(gate->arena, "It should be refused with 401 or 403, and got %u", gate->record.status)});
}

static void check_proof_missing(struct gate *gate)
{
    check_proof(gate, CHECK_AUTHENTICATION_MISSING, PROOF_NONE);
}

static void check_proof_wrong(struct gate *gate)
{
    check_proof(gate, CHECK_AUTHENTICATION_WRONG, PROOF_WRONG);
}

/* A path that nobody has must not be answered with a success: a page of a portal, or a record of somebody else. */
static void check_errors(struct gate *gate)
{
    (void)!call(gate, "zhang-wei", PROOF_PROPER, STR("/no-such-path-of-the-publish-gate"));
    bool good = gate->record.status >= 400 && gate->record.status < 500;
    note(gate, CHECK_ERRORS, good ? CHECK_PASSED : CHECK_FAILED,
         (struct bilingual){str_printf(gate->arena, "不存在的路径得到 %u%s", gate->record.status, good ? "" : "，应为 4xx"),
                            str_printf(gate->arena, "A path that does not exist got %u%s", gate->record.status,
                                       good ? "" : "; it should be 4xx")});
}

static void check_replay(struct gate *gate)
{
    gate->record = (struct department_record){0};
    if (draft_writes(gate->draft))
        note(gate, CHECK_REPLAY, CHECK_FAILED,
             BILINGUAL("此类服务尚不能写入", "Services of this kind cannot change anything yet"));
    else
        note(gate, CHECK_REPLAY, CHECK_NOT_APPLICABLE, BILINGUAL("服务只读取", "The service only reads"));
}

static void check_deadline(struct gate *gate)
{
    gate->record = (struct department_record){.attempts = 1, .duration = gate->slowest};
    bool good = gate->slowest <= gate->allowed;
    note(gate, CHECK_DEADLINE, good ? CHECK_PASSED : CHECK_FAILED,
         (struct bilingual){str_printf(gate->arena, "最慢 %lld 毫秒，期限 %lld 毫秒", (long long)(gate->slowest / 1000),
                                       (long long)(gate->allowed / 1000)),
                            str_printf(gate->arena, "The slowest took %lld ms, of %lld", (long long)(gate->slowest / 1000),
                                       (long long)(gate->allowed / 1000))});
}

/* What a citizen would be shown is looked through for what looks like a person's, whatever its member is called. */
static void check_masks(struct gate *gate)
{
    static const char *const persons[] = {"zhang-wei", "li-xiuying"};
    struct str pointer = STR_NONE;
    const char *what = NULL;
    for (size_t i = 0; i < COUNT_OF(persons) && !what; i++) {
        if (call(gate, persons[i], PROOF_PROPER, STR_NONE))
            continue;
        struct text text = text_open(gate->arena, 4096);
        struct json_out out = json_write(&text);
        struct json_error error;
        json_object(&out);
        department_answer_write(&out, gate->arena, draft_service(gate->draft), &gate->answer);
        json_end(&out);
        const struct json *shown = json_parse(gate->arena, text_str(&text), &json_limits_answer, &error);
        what = look_for_person(gate->arena, json_get(shown, "items"), &pointer);
    }
    if (what)
        note(gate, CHECK_MASKS, CHECK_FAILED,
             (struct bilingual){str_printf(gate->arena, "%.*s 像是未掩码的个人信息（%s）", STR_ARG(pointer), what),
                                str_printf(gate->arena, "%.*s looks like an unmasked %s", STR_ARG(pointer), what)});
    else
        note(gate, CHECK_MASKS, CHECK_PASSED,
             BILINGUAL("未见未掩码的证件号或手机号", "No unmasked identity or phone number is shown"));
}

static const struct {
    check *run;
    bool harmless; /* may go on for ever: nothing in it looks like an attack, or costs more than a citizen's call */
} checks[] = {
    {check_credentials, true}, {check_answers, true}, {check_proof_missing, false}, {check_proof_wrong, false},
    {check_errors, false},     {check_replay, false}, {check_deadline, true},       {check_masks, true},
};

const struct problem *gate_run(struct arena *arena, const struct draft_order *order, bool harmless,
                               struct gate_outcome *outcome)
{
    struct json_error error;
    struct text text = text_open(arena, 2048);
    struct gate gate = {
        .arena = arena,
        .out = json_write(&text),
        .allowed = milliseconds(
            json_get_integer(json_parse(arena, order->backend, &json_limits_request, &error), "deadline_ms", 3000)),
    };
    const struct problem *problem = draft_open(arena, order, &gate.draft);
    if (problem)
        return problem;
    json_array(&gate.out);
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (checks[i].harmless || !harmless)
            checks[i].run(&gate);
    json_end(&gate.out);
    draft_close(gate.draft);
    *outcome = (struct gate_outcome){.passed = !gate.failed, .checks = text_str(&text)};
    return NULL;
}

/* ---- submitting ---- */

static bool has_test_address(struct arena *arena, const struct version *version)
{
    struct json_error error;
    return json_get(json_parse(arena, version->backend, &json_limits_request, &error), "test") != NULL;
}

/* A backend that answers each call at its very deadline must not cost us the time to write the report down. */
struct gate_job {
    struct arena *arena;
    const struct draft_order *order;
    struct gate_outcome *outcome;
    const struct problem *problem;
};

static void run_job(void *argument)
{
    struct gate_job *job = argument;
    job->problem = gate_run(job->arena, job->order, false, job->outcome);
}

void submit_service(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str service = request_string(request, "service");
    struct version version;
    struct draft_order order;
    struct gate_outcome outcome = {0};
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
    struct gate_job job = {.arena = arena, .order = &order, .outcome = &outcome};
    struct fiber_group group = {0};
    fiber_spawn(&group, run_job, &job);
    (void)fiber_join(&group, deadline_in(seconds(GATE_SECONDS)));
    const struct problem *problem = job.problem;
    if (store_failed(request,
                     pg_query(arena, &sql_end_testing,
                              PG_ARGS(pg_text(service), pg_integer(version.number), pg_integer(edition),
                                      pg_boolean(outcome.passed), pg_text(outcome.checks.at ? outcome.checks : STR("[]"))),
                              &rows)))
        return;
    request_audit(request, str_printf(arena, "service:%.*s", STR_ARG(service)),
                  outcome.passed ? STR("gate passed") : STR("gate failed"));
    if (problem)
        reply_problem(request, problem);
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
