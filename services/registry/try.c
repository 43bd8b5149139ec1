/* Try-out: a version's mapping carried out for a test person, shown from end to end. */
#include "registry.h"

#include <shimin/id.h>

enum { BODY_SHOWN = 64 << 10 };

/* Text that is shown; what is no UTF-8 is not. */
static void field_text(struct json_out *out, const char *name, struct str text)
{
    if (!str_is_utf8(text))
        text = STR("(not UTF-8)");
    size_t len = text.len > BODY_SHOWN ? BODY_SHOWN : text.len;
    while (len < text.len && len && ((unsigned char)text.at[len] & 0xC0) == 0x80)
        len--;
    json_field(out, name, str_slice(text, 0, len));
}

static void write_request(struct json_out *out, const struct department_record *record)
{
    json_key(out, "request");
    if (!record->attempts) {
        json_put_null(out);
        return;
    }
    json_object(out);
    json_field(out, "method", record->method);
    field_text(out, "url", record->url);
    json_field_raw(out, "headers", record->request_headers);
    if (record->request_body.len)
        field_text(out, "body", record->request_body);
    json_end(out);
}

static void write_response(struct json_out *out, const struct department_record *record)
{
    json_key(out, "response");
    if (!record->status) {
        json_put_null(out);
        return;
    }
    json_object(out);
    json_field_i64(out, "status", record->status);
    field_text(out, "content_type", record->content_type.at ? record->content_type : STR(""));
    field_text(out, "body", record->response_body.at ? record->response_body : STR(""));
    json_key(out, "duration_ms");
    json_put_double(out, (double)record->duration / 1000);
    json_end(out);
}

static void write_errors(struct json_out *out, const struct problem_error *errors, size_t count)
{
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        json_field(out, "pointer", errors[i].pointer.at ? errors[i].pointer : STR(""));
        if (errors[i].parameter.at)
            json_field(out, "parameter", errors[i].parameter);
        json_field(out, "detail", errors[i].detail.en);
        json_end(out);
    }
    json_end(out);
}

static void write_violations(struct json_out *out, const struct department_record *record)
{
    json_key(out, "violations");
    if (record->breach_count || !record->breach.at) {
        write_errors(out, record->breaches, record->breach_count);
        return;
    }
    const struct problem_error whole = {.pointer = STR(""), .detail = {record->breach, record->breach}};
    write_errors(out, &whole, 1);
}

static void write_problem(struct json_out *out, const struct problem *problem)
{
    json_key(out, "problem");
    if (!problem) {
        json_put_null(out);
        return;
    }
    json_object(out);
    json_field(out, "type", problem_slug(problem->type));
    json_field(out, "detail", problem->detail.en.at ? problem->detail.en : STR(""));
    json_key(out, "errors");
    write_errors(out, problem->errors, problem->error_count);
    json_end(out);
}

static void write_report(struct request *request, const struct version *version, const struct draft *draft,
                         struct str environment, const struct department_record *record, const struct problem *problem,
                         const struct department_answer *answer)
{
    struct str credentials = draft_credentials_fault(draft);
    bool twin = str_is(environment, "sandbox");
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field_i64(out, "number", version->number);
    json_field(out, "environment", environment);
    write_request(out, record);
    write_response(out, record);
    json_field(out, "outcome", record->outcome.at ? record->outcome : STR("not_sent"));
    write_violations(out, record);
    json_key(out, "items");
    if (problem) {
        json_put_null(out);
    } else {
        json_object(out);
        department_answer_write(out, request_arena(request), draft_service(draft), answer);
        json_end(out);
    }
    write_problem(out, problem);
    json_key(out, "credentials");
    if (credentials.at && !twin)
        json_put(out, credentials);
    else
        json_put_null(out);
}

static void carry_out(struct request *request, const struct version *version, const struct draft *draft, struct str environment)
{
    const struct json *body = request_body(request);
    struct department_record record = {0};
    struct department_answer answer = {0};
    struct department_question question = {
        .arena = request_arena(request),
        .citizen = draft_person(json_get_string(body, "person", STR("zhang-wei"))),
        .values = json_get(body, "parameters"),
        .record = &record,
        .proof = str_is(environment, "sandbox") ? PROOF_NONE : PROOF_PROPER, /* the twin knows no credentials */
        .idempotency_key = id_new(request_arena(request)),                   /* of a write */
        .page_cursor = STR_NONE,
    };
    const struct problem *problem = draft_ask(draft, &question, &answer);
    write_report(request, version, draft, environment, &record, problem, &answer);
}

void try_service(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request);
    struct str environment = json_get_string(body, "environment", STR("test"));
    struct version version;
    struct draft_order order;
    struct draft *draft;
    audit_object(request, "service", request_string(request, "service"));
    if (!version_read(request, request_string(request, "service"), json_get_integer(body, "number", 0), &version))
        return;
    bool twin = str_is(environment, "sandbox");
    if (!version_order(arena, request_snapshot(request), &version, twin ? "sandbox" : "test", &order)) {
        reply_missing(request);
        return;
    }
    struct json_error error;
    if (!twin && !json_get(json_parse(arena, version.backend, &json_limits_request, &error), "test")) {
        reply_fault(
            request, PROBLEM_CONFLICT,
            BILINGUAL("系统没有测试地址；可先对沙箱孪生试调", "The system has no test address; try against the sandbox twin"));
        return;
    }
    const struct problem *problem = twin ? draft_twin_raise(arena, version.sha256, version.contract_bytes) : NULL;
    if (!problem)
        problem = draft_open(arena, &order, &draft);
    if (problem) {
        reply_problem(request, problem);
        return;
    }
    carry_out(request, &version, draft, environment);
    draft_close(draft);
}
