/* What the edge reads off a request before a handler runs, the part by the first byte: cursors, idempotency keys, bearer
 * tokens, parameters and body; and the limits of the configuration.
 *
 * The session store is the target's own: it notes what was asked of it. */
#include "contract/contract.h"
#include "edge/access.h"
#include "edge/cursor.h"
#include "edge/idempotency.h"
#include "edge/validate.h"
#include "http/request_internal.h"

#include <shimin/cursor.h>
#include <shimin/log.h>
#include <shimin/session.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static struct str asked_token;

enum session_outcome session_find(struct arena *arena, struct str token, const struct citizen **citizen)
{
    (void)arena, (void)citizen;
    asked_token = token;
    return SESSION_UNKNOWN;
}

static const char document[] =
    "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths:\n  /a/{id}:\n    post:\n      operationId: a\n      parameters:\n"
    "        - {name: id, in: path, required: true, schema: {type: string, maxLength: 8}}\n"
    "        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 20}}\n"
    "        - {name: tags, in: query, schema: {type: array, items: {type: string}, maxItems: 4}}\n"
    "        - {name: near, in: query, explode: false, schema: {type: array, items: {type: number}}}\n"
    "        - {name: X-Mode, in: header, schema: {enum: [fast, slow]}}\n"
    "      requestBody: {content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: "
    "string,"
    " minLength: 1}, age: {type: integer}}}}}}\n"
    "      responses: {'204': {description: done}}\n";
static const struct operation *operation;
static const struct parameter_source sources[] = {{0, NULL}, {-1, NULL}, {-1, NULL}, {-1, NULL}, {-1, "x-mode"}};

static void load(void)
{
    static const uint8_t key[DIGEST_SIZE] = "the key of the cursors";
    struct arena *arena = arena_open();
    struct contract_faults faults;
    const struct contract *contract = contract_load(STR("fuzz.yaml"), STR(document), arena, &faults);
    if (!contract)
        abort();
    operation = &contract->operations[0];
    cursor_open(key);
    log_set_level(LOG_ERROR + 1);
    arena_close(arena);
}

/* ---- */

static void read_cursor(struct arena *arena, struct str text)
{
    struct str state, made = cursor_make(arena, "fuzz", text);
    if (cursor_read(arena, "fuzz", text, &state)) /* nobody made it */
        abort();
    if (!cursor_read(arena, "fuzz", made, &state) || !str_equal(state, text) || cursor_read(arena, "other", made, &state))
        abort();
}

static void read_limits(struct arena *arena, struct str text)
{
    struct json_error error;
    struct limits limits;
    struct text faults = text_open(arena, 64);
    const struct json *map = yaml_parse(arena, text, &json_limits_request, &error);
    bool good = limits_read(arena, map, &limits, &faults);
    if (good != (faults.len == 0))
        abort();
    for (size_t i = 0; good && i < limits.count; i++) {
        const struct limit_policy *policy = &limits.list[i];
        if (policy->quota < 1 || policy->window < 1 || policy->subject > LIMIT_SERVICE ||
            limits_named(&limits, policy->name) != policy)
            abort();
    }
}

static void read_idempotency_key(struct arena *arena, struct str text)
{
    struct str key = idempotency_key_read(text);
    if (!key.at)
        return;
    if (key.len < 1 || key.len > 255)
        abort();
    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] <= ' ' || key.at[i] > '~' || key.at[i] == '"')
            abort();
    /* quoted or bare, it is the same key */
    if (!str_equal(idempotency_key_read(str_printf(arena, "\"%.*s\"", STR_ARG(key))), key))
        abort();
}

static void read_bearer(struct arena *arena, struct str text)
{
    const struct route route = {.operation = operation, .level = LEVEL_PHONE};
    struct field field = {STR("authorization"), text};
    struct request request = {.arena = arena, .method = STR("GET"), .path = STR("/a/1"), .fields = &field, .field_count = 1};
    struct exchange exchange = {.request = &request, .route = &route};
    asked_token = STR_NONE;
    if (access_session(&exchange) != !asked_token.at)
        abort();
    if (asked_token.at && (!asked_token.len || !str_equal(str_trim(asked_token), asked_token) ||
                           !str_equal_nocase(str_slice(text, 0, 7), STR("bearer "))))
        abort();
}

/* Lines: the path's value, the query, the header; then the body. */
static void read_request(struct arena *arena, struct str text)
{
    const struct route route = {.operation = operation, .sources = sources};
    struct str id = str_cut(&text, '\n'), query = str_cut(&text, '\n'), mode = str_cut(&text, '\n');
    struct field fields[] = {{STR("content-type"), STR("application/json")}, {STR("x-mode"), mode}};
    struct request request = {.arena = arena,
                              .method = STR("POST"),
                              .path = STR("/a/1"),
                              .query = query.at ? query : STR(""),
                              .fields = fields,
                              .field_count = mode.len ? 2 : 1,
                              .body_bytes = text.at ? text : STR("")};
    const struct route_match match = {.operation = operation, .values = {id}, .value_count = 1};
    if (!validate_request(&request, &route, &match)) {
        if (!reply_begun(&request))
            abort();
        return;
    }
    const struct json *limit = request_parameter(&request, "limit"), *name = json_get(request_body(&request), "name");
    int64_t most = request_integer(&request, "limit", -1);
    if (!limit || limit->type != JSON_INTEGER || most != limit->integer || most < 1 || most > 100)
        abort();
    if (request_body(&request) && (!name || name->type != JSON_STRING || !name->string.len))
        abort();
    for (size_t i = 0; i < request.parameter_count; i++)
        if (!request.parameters[i].value)
            abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static void (*const parts[])(struct arena * arena, struct str text) = {read_cursor, read_limits, read_idempotency_key,
                                                                           read_bearer, read_request};
    if (!operation)
        load();
    if (size == 0)
        return 0;
    struct arena *arena = arena_open();
    parts[data[0] % COUNT_OF(parts)](arena, (struct str){(const char *)data + 1, size - 1});
    arena_close(arena);
    return 0;
}
