/* The publish gate: what a version must show against the test address before an administrator looks at it, and what goes on
 * being looked at once it is live. */
#include "gate.h"

#include "look.h"

#include <shimin/clock.h>
#include <shimin/id.h>

/* A test address is idle: what takes it nearly all the time that it may take, citizens will wait for in vain. */
enum { DEADLINE_PERCENT = 80 };

void gate_note(struct gate *gate, enum check_name name, enum check_result result, struct bilingual detail)
{
    static const char *const names[] = {
        [CHECK_CREDENTIALS] = "credentials",
        [CHECK_REACHABLE] = "reachable",
        [CHECK_CONTRACT] = "contract",
        [CHECK_AUTHENTICATION_MISSING] = "authentication_missing",
        [CHECK_AUTHENTICATION_WRONG] = "authentication_wrong",
        [CHECK_ERRORS] = "errors",
        [CHECK_ERRORS_PARAMETER] = "errors_parameter",
        [CHECK_ERRORS_RESOURCE] = "errors_resource",
        [CHECK_REPLAY] = "replay",
        [CHECK_DEADLINE] = "deadline",
        [CHECK_MASKS] = "masks",
    };
    static const char *const results[] = {"passed", "failed", "not_applicable"};
    json_object(gate->out);
    json_field_c(gate->out, "name", names[name]);
    json_field(gate->out, "environment", gate->environment);
    json_field_c(gate->out, "result", results[result]);
    json_key(gate->out, "detail");
    json_object(gate->out);
    json_field(gate->out, "zh", detail.zh);
    json_field(gate->out, "en", detail.en);
    json_end(gate->out);
    if (gate->record.attempts) {
        json_key(gate->out, "duration_ms");
        json_put_double(gate->out, (double)gate->record.duration / 1000);
    }
    json_end(gate->out);
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

const struct problem *gate_call(struct gate *gate, const struct gate_call *call)
{
    gate->record = (struct department_record){0};
    gate->answer = (struct department_answer){0};
    struct department_question question = {
        .arena = gate->arena,
        .citizen = draft_person(str_of(call->person)),
        .values = example_values(gate),
        .record = &gate->record,
        .proof = call->proof,
        .mistake = call->mistake,
        .idempotency_key = call->idempotency_key.at ? call->idempotency_key : id_new(gate->arena),
    };
    const struct problem *problem = draft_ask(gate->draft, &question, &gate->answer);
    if (gate->record.duration > gate->slowest)
        gate->slowest = gate->record.duration;
    return problem;
}

static void note(struct gate *gate, enum check_name name, enum check_result result, struct bilingual detail)
{
    gate_note(gate, name, result, detail);
}

/* Under mutual TLS whoever is nobody may be turned away before there is HTTP; servers that let him in to say so use 400
 * (nginx). */
static bool was_refused(const struct gate *gate)
{
    unsigned status = gate->record.status;
    if (status == 401 || status == 403)
        return true;
    return draft_proof_is_connection(gate->draft) && gate->answered &&
           (status == 400 || str_is(gate->record.outcome, "connect_failed") || str_is(gate->record.outcome, "reset"));
}

/* ---- the checks ---- */

static void check_credentials(struct gate *gate)
{
    struct str fault = draft_credentials_fault(gate->draft);
    bool personal = draft_service(gate->draft)->personal || draft_sends_citizen(gate->draft);
    if (fault.at)
        note(gate, CHECK_CREDENTIALS, CHECK_FAILED,
             (struct bilingual){str_printf(gate->arena, "凭据无法签名：%.*s", STR_ARG(fault)),
                                str_printf(gate->arena, "Calls cannot be signed with the credentials: %.*s", STR_ARG(fault))});
    else if (!draft_security(gate->draft).len && personal)
        note(gate, CHECK_CREDENTIALS, CHECK_FAILED,
             BILINGUAL("接口文档没有要求认证，而服务涉及个人信息",
                       "The contract asks for no authentication, and the service is about persons"));
    else
        note(gate, CHECK_CREDENTIALS, CHECK_PASSED, BILINGUAL("凭据可用", "The credentials can be used"));
}

static void note_reachable(struct gate *gate)
{
    if (gate->answered)
        note(gate, CHECK_REACHABLE, CHECK_PASSED, BILINGUAL("地址有应答", "The address answers"));
    else
        note(gate, CHECK_REACHABLE, CHECK_FAILED,
             (struct bilingual){str_printf(gate->arena, "地址没有应答：%.*s", STR_ARG(gate->record.outcome)),
                                str_printf(gate->arena, "The address does not answer: %.*s", STR_ARG(gate->record.outcome))});
}

/* Refusals that the contract describes are answers: test data may be used up by earlier writes, and production does not know
 * the examples. */
static bool is_answer(const struct gate *gate, const struct problem *problem)
{
    if (!problem)
        return true;
    bool refusal = problem->type == PROBLEM_NOT_FOUND || problem->type == PROBLEM_VALIDATION;
    return (gate->production && refusal) || (draft_writes(gate->draft) && problem->type == PROBLEM_CONFLICT);
}

static void check_answers(struct gate *gate)
{
    static const char *const persons[] = {"zhang-wei", "li-xiuying"};
    const struct problem *problem = NULL;
    for (size_t i = 0; i < COUNT_OF(persons) && is_answer(gate, problem); i++) {
        problem = gate_call(gate, &(struct gate_call){.person = persons[i]});
        gate->answered |= gate->record.status != 0;
    }
    note_reachable(gate);
    if (is_answer(gate, problem)) {
        note(gate, CHECK_CONTRACT, CHECK_PASSED, BILINGUAL("应答符合接口文档", "The answers follow the contract"));
        return;
    }
    struct str why = gate->record.breach.at ? gate->record.breach : problem->detail.en;
    note(gate, CHECK_CONTRACT, CHECK_FAILED,
         (struct bilingual){str_printf(gate->arena, "状态 %u：%.*s %.*s", gate->record.status,
                                       STR_ARG(problem_slug(problem->type)), STR_ARG(problem->detail.zh)),
                            str_printf(gate->arena, "status %u: %.*s: %.*s%s%.*s", gate->record.status,
                                       STR_ARG(problem_slug(problem->type)), STR_ARG(why),
                                       gate->record.breach_count ? " at " : "",
                                       STR_ARG(gate->record.breach_count ? gate->record.breaches[0].pointer : STR("")))});
}

/* A path that nobody has, asked with a proper proof and nothing of the mapping: it changes nothing and is about nobody. */
static void check_knock(struct gate *gate)
{
    (void)!gate_call(gate, &(struct gate_call){.person = "zhang-wei", .mistake = MISTAKE_PATH});
    gate->answered = gate->record.status != 0;
    if (gate->answered && (gate->record.status >= 500 || gate->record.status == 401 || gate->record.status == 403))
        note(gate, CHECK_REACHABLE, CHECK_FAILED,
             (struct bilingual){str_printf(gate->arena, "地址以 %u 作答", gate->record.status),
                                str_printf(gate->arena, "The address answers with %u", gate->record.status)});
    else
        note_reachable(gate);
}

static void check_proof(struct gate *gate, enum check_name name, enum department_proof proof)
{
    gate->record = (struct department_record){0};
    if (!draft_security(gate->draft).len) {
        note(gate, name, CHECK_NOT_APPLICABLE, BILINGUAL("接口文档没有要求认证", "The contract asks for no authentication"));
        return;
    }
    (void)!gate_call(gate, &(struct gate_call){.person = "zhang-wei", .proof = proof});
    if (was_refused(gate))
        note(gate, name, CHECK_PASSED, BILINGUAL("被拒绝，应当如此", "It was refused, as it should be"));
    else if (gate->record.status)
        note(gate, name, CHECK_FAILED,
             (struct bilingual){
                 str_printf(gate->arena, "应被拒绝（401 或 403），却得到 %u", gate->record.status),
                 str_printf(gate->arena, "It should be refused with 401 or 403, and got %u", gate->record.status)});
    else
        note(gate, name, CHECK_FAILED,
             (struct bilingual){
                 str_printf(gate->arena, "应被拒绝（401 或 403），却没有应答：%.*s", STR_ARG(gate->record.outcome)),
                 str_printf(gate->arena, "It should be refused with 401 or 403, and got no answer: %.*s",
                            STR_ARG(gate->record.outcome))});
}

static void check_proof_missing(struct gate *gate)
{
    check_proof(gate, CHECK_AUTHENTICATION_MISSING, PROOF_NONE);
}

static void check_proof_wrong(struct gate *gate)
{
    check_proof(gate, CHECK_AUTHENTICATION_WRONG, PROOF_WRONG);
}

/* What was asked wrongly must not be answered with a success: a page of a portal, or a record of somebody else. */
static void check_mistake(struct gate *gate, enum check_name name, enum department_mistake mistake, struct bilingual what)
{
    gate->record = (struct department_record){0};
    if (!draft_mistake_is_possible(gate->draft, mistake)) {
        note(gate, name, CHECK_NOT_APPLICABLE, BILINGUAL("此操作无从这样出错", "The operation leaves no room for it"));
        return;
    }
    const struct problem *problem = gate_call(gate, &(struct gate_call){.person = "zhang-wei", .mistake = mistake});
    const struct json *items = problem ? NULL : gate->answer.items;
    unsigned status = gate->record.status;
    /* an empty list is an honest answer of a resource that does not exist */
    bool nothing = mistake == MISTAKE_RESOURCE && !problem && (!items || items->count == 0);
    bool good = (status >= 400 && status < 500) || nothing;
    note(gate, name, good ? CHECK_PASSED : CHECK_FAILED,
         (struct bilingual){
             str_printf(gate->arena, "%.*s得到 %u%s", STR_ARG(what.zh), status, good ? "" : "，应为 4xx"),
             str_printf(gate->arena, "%.*s got %u%s", STR_ARG(what.en), status, good ? "" : "; it should be 4xx")});
}

static void check_errors(struct gate *gate)
{
    check_mistake(gate, CHECK_ERRORS, MISTAKE_PATH, BILINGUAL("不存在的路径", "A path that does not exist"));
}

static void check_errors_parameter(struct gate *gate)
{
    check_mistake(gate, CHECK_ERRORS_PARAMETER, MISTAKE_PARAMETER,
                  BILINGUAL("缺少必需的参数，", "A call without a required parameter"));
}

static void check_errors_resource(struct gate *gate)
{
    check_mistake(gate, CHECK_ERRORS_RESOURCE, MISTAKE_RESOURCE, BILINGUAL("不存在的资源", "A resource that does not exist"));
}

static void check_deadline(struct gate *gate)
{
    gate->record = (struct department_record){.attempts = 1, .duration = gate->slowest};
    bool good = gate->slowest <= gate->allowed / 100 * DEADLINE_PERCENT;
    long long slowest = gate->slowest / 1000, allowed = gate->allowed / 1000;
    note(gate, CHECK_DEADLINE, good ? CHECK_PASSED : CHECK_FAILED,
         (struct bilingual){
             str_printf(gate->arena, "最慢 %lld 毫秒，期限 %lld 毫秒%s", slowest, allowed, good ? "" : "：离期限太近"),
             str_printf(gate->arena, "The slowest took %lld ms, of %lld%s", slowest, allowed, good ? "" : ": too near")});
}

/* What a citizen would be shown is looked through for what looks like a person's, whatever its member is called. */
static void check_masks(struct gate *gate)
{
    static const char *const persons[] = {"zhang-wei", "li-xiuying"};
    struct str pointer = STR_NONE;
    const char *what = NULL;
    for (size_t i = 0; i < COUNT_OF(persons) && !what; i++) {
        if (gate_call(gate, &(struct gate_call){.person = persons[i]}))
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

/* When a check is run. What may go on for ever neither looks like an attack nor costs more than a citizen's call; where such a
 * call would write, or be about a person in production, the address is only knocked at. */
enum { IN_GATE = 1, IN_PROBE = 2, IN_KNOCK = 4 };

static const struct {
    void (*run)(struct gate *gate);
    unsigned when;
} checks[] = {
    {check_credentials, IN_GATE | IN_PROBE | IN_KNOCK},
    {check_answers, IN_GATE | IN_PROBE},
    {check_knock, IN_KNOCK},
    {check_proof_missing, IN_GATE},
    {check_proof_wrong, IN_GATE},
    {check_errors, IN_GATE},
    {check_errors_parameter, IN_GATE},
    {check_errors_resource, IN_GATE},
    {gate_check_replay, IN_GATE},
    {check_masks, IN_GATE | IN_PROBE},
    {check_deadline, IN_GATE | IN_PROBE | IN_KNOCK}, /* of all calls before it */
};

const struct problem *gate_run(struct arena *arena, const struct draft_order *order, bool harmless, struct json_out *out,
                               bool *passed)
{
    struct json_error error;
    struct gate gate = {
        .arena = arena,
        .out = out,
        .environment = order->environment,
        .production = str_is(order->environment, "production"),
        .allowed = milliseconds(
            json_get_integer(json_parse(arena, order->backend, &json_limits_request, &error), "deadline_ms", 3000)),
    };
    const struct problem *problem = draft_open(arena, order, &gate.draft);
    if (problem)
        return problem;
    bool knock = draft_writes(gate.draft) || (gate.production && draft_sends_citizen(gate.draft));
    unsigned when = !harmless ? IN_GATE : knock ? IN_KNOCK : IN_PROBE;
    for (size_t i = 0; i < COUNT_OF(checks); i++)
        if (checks[i].when & when)
            checks[i].run(&gate);
    draft_close(gate.draft);
    *passed &= !gate.failed;
    return NULL;
}
