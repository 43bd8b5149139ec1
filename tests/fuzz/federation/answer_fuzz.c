/* Answers of any kind, judged, selected and masked: what is written is JSON, and what is masked does not show. */
#include "federation/answer.h"
#include "federation/mask.h"
#include "federation/metrics.h"

#include <shimin/arena.h>
#include <shimin/log.h>
#include <stdlib.h>

static const char contract_yaml[] =
    "openapi: 3.1.0\n"
    "info: {title: Test, version: '1'}\n"
    "paths:\n"
    "  /v1/cards:\n"
    "    get:\n"
    "      operationId: listCards\n"
    "      responses: {'200': {description: ok, content: {application/json: {schema: {type: object}}}}}\n";

static const struct operation *operation;

static void load(void)
{
    struct arena *arena = arena_open();
    struct contract_faults faults;
    const struct contract *contract = contract_load(STR("fuzz.yaml"), str_of(contract_yaml), arena, &faults);
    if (!contract)
        abort();
    operation = contract_operation(contract, STR("listCards"));
    federation_metrics_register();
    log_set_level(LOG_ERROR + 1);
    arena_close(arena);
}

static void write_masked(struct arena *arena, const struct json *item)
{
    static const struct str card[] = {{"card", 4}}, inner[] = {{"people", 6}, {"*", 1}, {"name", 4}}, whole[] = {{"people", 6}};
    static const struct mask list[] = {{card, 1, MASK_BANK_CARD}, {inner, 3, MASK_NAME}, {whole, 1, MASK_NAME}};
    const struct masks masks = {list, COUNT_OF(list)};
    struct text text = text_open(arena, 64);
    struct json_out out = json_write(&text);
    struct json_error error;
    masks_write(&out, arena, &masks, item);
    const struct json *again = json_parse(arena, text_str(&text), &json_limits_answer, &error);
    const struct json *people = json_get(again, "people"), *shown = json_get(again, "card");
    if (!again || (shown && shown->type != JSON_STRING && shown->type != JSON_NULL) ||
        (people && people->type != JSON_STRING && people->type != JSON_NULL))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!operation)
        load();
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct answer_wanted wanted = {.operation = operation, .department = STR("fuzz"), .items = STR("/data")};
    const struct answer_message message = {
        .status = 200, .content_type = STR("application/json"), .body = {(const char *)data, size}};
    struct department_answer answer;
    if (answer_judge(arena, &wanted, &message, &answer))
        return 0;
    write_masked(arena, answer.body);
    for (uint32_t i = 0; answer.items && answer.items->type == JSON_ARRAY && i < answer.items->count; i++)
        write_masked(arena, &answer.items->items[i]);
    return 0;
}
