/* Contracts that are handed in: loaded aside, and each operation judged by whether a service can be made of it. */
#include "contract/contract.h"
#include "contract/contract_diff.h"
#include "crypto/digest.h"
#include "federation/federation.h"
#include "federation/settings.h"
#include "federation/signer.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/draft.h>
#include <shimin/fiber.h>
#include <shimin/id.h>

struct draft_quota draft_quota(void)
{
    const struct federation_settings *settings = federation_settings();
    return (struct draft_quota){.bytes_a_day = settings->contract_bytes_a_day, .bytes = settings->contract_bytes};
}

/* ---- which operations a service can be made of ---- */

static bool is_json(struct str type)
{
    return str_is(type, "application/json") || str_ends(type, STR("+json")) || str_is(type, "*/*") ||
           str_is(type, "application/*");
}

static bool has_json(const struct media *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (is_json(list[i].type))
            return true;
    return false;
}

static bool answers_json(const struct operation *operation)
{
    for (unsigned i = 0; i < operation->response_count; i++) {
        const struct response *response = &operation->responses[i];
        if ((response->status / 100 == 2 || response->status == 2 || response->status == 0) &&
            has_json(response->media, response->media_count))
            return true;
    }
    return false;
}

static void write_reasons(struct json_out *out, struct arena *arena, const struct operation *operation, bool *usable)
{
    size_t before = out->text->len;
    if (!signer_knows(&operation->security))
        json_put(out, str_printf(arena, "the security scheme %.*s is not known here", STR_ARG(operation->security.name)));
    if (operation->body_required && !has_json(operation->bodies, operation->body_count))
        json_put_c(out, "it needs a body that is not JSON");
    if (!answers_json(operation))
        json_put_c(out, "it describes no JSON answer");
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        if (parameter->required && parameter->unsupported)
            json_put(out,
                     str_printf(arena, "the required parameter %.*s: %s", STR_ARG(parameter->name), parameter->unsupported));
        else if (parameter->required && parameter->place == PARAMETER_COOKIE)
            json_put(out, str_printf(arena, "the required parameter %.*s is a cookie", STR_ARG(parameter->name)));
    }
    *usable = out->text->len == before;
}

static void write_operation(struct json_out *out, struct arena *arena, const struct operation *operation)
{
    bool usable;
    json_object(out);
    json_field(out, "id", operation->id);
    json_field_c(out, "method", method_name(operation->method));
    json_field(out, "path", operation->path);
    json_field(out, "summary", json_get_string(operation->source, "summary", STR("")));
    json_field(out, "security", operation->security.name.at ? operation->security.name : STR(""));
    json_key(out, "reasons");
    json_array(out);
    write_reasons(out, arena, operation, &usable);
    json_end(out);
    json_field_bool(out, "usable", usable);
    json_end(out);
}

static struct str operations_json(struct arena *arena, const struct contract *contract)
{
    struct text text = text_open(arena, 4096);
    struct json_out out = json_write(&text);
    json_array(&out);
    for (unsigned i = 0; i < contract->operation_count; i++)
        write_operation(&out, arena, &contract->operations[i]);
    json_end(&out);
    return text_str(&text);
}

/* ---- loading ---- */

struct loading {
    struct arena *arena;
    struct str system, bytes;
    struct draft_contract *contract;
    struct contract_faults faults;
    bool good;
};

static void load(void *argument)
{
    struct loading *loading = argument;
    struct draft_contract *out = loading->contract;
    uint8_t digest[DIGEST_SIZE];
    struct str start = str_trim(loading->bytes);
    digest_sha256(loading->bytes, digest);
    out->sha256 = hex_encode(loading->arena, digest, sizeof digest);
    out->name =
        str_printf(loading->arena, "%.*s.%s", STR_ARG(loading->system), start.len && start.at[0] == '{' ? "json" : "yaml");
    const struct contract *contract = contract_load(out->name, loading->bytes, loading->arena, &loading->faults);
    if (!contract)
        return;
    out->title = str_copy(loading->arena, contract->title);
    out->version = str_copy(loading->arena, contract->version);
    out->operation_count = contract->operation_count;
    out->operations = operations_json(loading->arena, contract);
    loading->good = true;
    contract_free(contract);
}

static const struct problem *faulty(struct arena *arena, const struct contract_faults *faults)
{
    struct problem *problem = problem_new(
        arena, PROBLEM_VALIDATION,
        BILINGUAL("文档有误，未登记；每一处见 errors", "The document has faults and was not taken; errors names each"));
    struct problem_error *errors = arena_array(arena, struct problem_error, faults->count + 1);
    for (size_t i = 0; i < faults->count; i++) {
        const struct contract_fault *fault = &faults->list[i];
        errors[i] = (struct problem_error){
            .pointer = fault->pointer,
            .detail = {str_printf(arena, "第 %u 行：%.*s", fault->line, STR_ARG(fault->reason)),
                       str_printf(arena, "line %u: %.*s", fault->line, STR_ARG(fault->reason))},
        };
    }
    problem->errors = errors;
    problem->error_count = faults->count;
    return problem;
}

static const struct problem *busy(struct arena *arena)
{
    struct problem *problem = problem_new(arena, PROBLEM_OVERLOADED, (struct bilingual){0});
    problem->retry_after = 1;
    return problem;
}

const struct problem *draft_contract_check(struct arena *arena, struct str system, struct str bytes,
                                           struct draft_contract *contract)
{
    *contract = (struct draft_contract){0};
    struct loading loading = {.arena = arena, .system = system, .bytes = bytes, .contract = contract};
    if (!str_is_utf8(bytes))
        return problem_new(arena, PROBLEM_BAD_REQUEST, BILINGUAL("文档必须是 UTF-8", "The document must be UTF-8"));
    if (!offload(load, &loading))
        return busy(arena);
    return loading.good ? NULL : faulty(arena, &loading.faults);
}

/* ---- comparing ---- */

struct comparing {
    struct arena *arena;
    struct str before, after, json;
};

static void compare(void *argument)
{
    struct comparing *comparing = argument;
    struct contract_faults faults;
    const struct contract *before = contract_load(STR("before"), comparing->before, comparing->arena, &faults);
    const struct contract *after = contract_load(STR("after"), comparing->after, comparing->arena, &faults);
    if (before && after)
        comparing->json = contract_diff_json(comparing->arena, before, after);
    contract_free(before);
    contract_free(after);
}

const struct problem *draft_contract_compare(struct arena *arena, struct str before, struct str after, struct str *json)
{
    struct comparing comparing = {.arena = arena, .before = before, .after = after};
    if (!offload(compare, &comparing))
        return busy(arena);
    *json = comparing.json;
    return json->at ? NULL
                    : problem_new(arena, PROBLEM_CONFLICT,
                                  BILINGUAL("文档已无法读取", "One of the documents can no longer be read"));
}
