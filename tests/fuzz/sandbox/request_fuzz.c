/* Requests to the sandbox: to a department that it plays (first byte even) and to its control API (odd). The rest is the
 * request: "METHOD target", fields, an empty line, the body. Every one is answered, with JSON where it says so; and whatever
 * behaviour is set, it can be read back. */
#include "contract/contract.h"
#include "http/request_internal.h"
#include "http/server.h"
#include "stage.h"

#include <shimin/log.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { FIELDS_MOST = 8 };

static const char document[] =
    "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths:\n"
    "  /v1/people/{id}:\n    get:\n      operationId: getPerson\n      parameters:\n"
    "        - {name: id, in: path, required: true, schema: {type: string}}\n"
    "        - {name: year, in: query, schema: {type: array, items: {type: integer}, maxItems: 3}}\n"
    "        - {name: X-Mode, in: header, schema: {enum: [fast, slow]}}\n"
    "        - {name: lang, in: cookie, schema: {type: string, maxLength: 5}}\n"
    "      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, required: [name],\n"
    "        properties: {name: {type: string, x-sandbox: {echo: id}}, born: {type: string, format: date}}}}}},\n"
    "        '404': {description: none}}\n"
    "  /v1/search:\n    post:\n      operationId: search\n"
    "      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [who], properties: {\n"
    "        who: {type: object, properties: {idNumber: {type: string}, xm: {type: string}}}, page: {type: integer}}}}}}\n"
    "      responses: {'201': {description: made, content: {application/json: {schema: {type: array, items: {type: number,\n"
    "        minimum: 0, maximum: 100, multipleOf: 0.01}}}}}, '422': {description: faulty}}\n";

static void load(void)
{
    static struct http_listener listeners[2];
    static struct player player = {.slug = STR("fuzz"), .title = STR("fuzz"), .number = 1, .port = 1};
    struct arena *arena = arena_open(); /* as long as the process, as in the sandbox */
    struct text faults = text_open(arena, 64);
    struct contract_faults contract_faults;
    const struct contract *contract = contract_load(STR("fuzz.yaml"), STR(document), arena, &contract_faults);
    if (!contract || !player_prepare(&player, arena, contract, NULL, false, &faults))
        abort();
    stage = (struct stage){.players = &player, .count = 1, .listeners = listeners};
    control_prepare();
    log_set_level(LOG_ERROR + 1);
}

static char *lower(struct arena *arena, struct str name)
{
    char *text = str_to_c(arena, name);
    for (char *at = text; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at + 'a' - 'A');
    return text;
}

static void read_request(struct arena *arena, struct str text, struct request *request)
{
    struct str target = str_cut(&text, '\n');
    *request = (struct request){.arena = arena, .listener = stage.listeners, .client_address = STR("127.0.0.1")};
    request->method = str_cut(&target, ' ');
    request->path = target.at ? str_cut(&target, '?') : STR("/");
    request->query = target.at ? target : STR("");
    request->fields = arena_array(arena, struct field, FIELDS_MOST);
    while (text.at) {
        struct str value = str_cut(&text, '\n');
        if (!value.len)
            break;
        struct str name = str_cut(&value, ':');
        if (value.at && request->field_count < FIELDS_MOST)
            request->fields[request->field_count++] = (struct field){str_of(lower(arena, name)), str_trim(value)};
    }
    request->body_bytes = text.at ? text : STR("");
}

static void check_answer(struct request *request)
{
    struct reply *reply = &request->reply;
    if (!reply_begun(request) || reply->status < 200 || reply->status > 599)
        abort();
    struct str body = reply->body;
    if (reply->kind == REPLY_JSON) {
        json_end_all(&reply->json);
        body = text_str(&reply->text);
    }
    struct json_error error;
    bool is_json = reply->kind == REPLY_JSON || (reply->type && str_find(str_of(reply->type), STR("json")) >= 0);
    if (is_json && body.len && !json_parse(request->arena, body, &json_limits_document, &error))
        abort();
}

static void check_behaviour(struct arena *arena)
{
    static const struct behaviour normal = {.mode = BEHAVIOUR_NORMAL};
    struct behaviour now = behaviour_now(stage.players[0].behaviour), again;
    struct text text = text_open(arena, 128);
    struct json_out out = json_write(&text);
    struct json_error error;
    const char *reason;
    behaviour_write(&out, &now);
    const struct json *written = json_parse(arena, text_str(&text), &json_limits_request, &error);
    if (!written || !behaviour_read(written, &again, &reason) || again.mode != now.mode || again.delay != now.delay ||
        strcmp(again.operation, now.operation) != 0 || (now.mode == BEHAVIOUR_FAILING && again.status != now.status))
        abort();
    behaviour_set(stage.players[0].behaviour, &normal); /* a call to one that hangs would */
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (!stage.count)
        load();
    if (size == 0)
        return 0;
    struct arena *arena = arena_open();
    struct request request;
    read_request(arena, (struct str){(const char *)data + 1, size - 1}, &request);
    if (data[0] % 2) {
        control_handle(&request);
        check_behaviour(arena);
    } else {
        play_handle(&request);
    }
    check_answer(&request);
    arena_close(arena);
    return 0;
}
