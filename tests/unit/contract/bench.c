/* Measures what stands on the request path: validating a typical answer of 1 KB, a refused one, and finding a route. */
#include "contract/router.h"

#include <shimin/clock.h>

#include <stdio.h>
#include <stdlib.h>

static const char document[] =
    "openapi: 3.1.1\n"
    "info: {title: Fund, version: '1'}\n"
    "paths:\n"
    "  /v1/accounts/{id}:\n"
    "    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"
    "    get: {operationId: readAccount, responses: {'200': {description: d, content: {application/json: {schema: {$ref: "
    "'#/components/schemas/Accounts'}}}}}}\n"
    "components:\n"
    "  schemas:\n"
    "    Accounts:\n"
    "      type: object\n"
    "      required: [items, total]\n"
    "      properties:\n"
    "        items: {type: array, items: {$ref: '#/components/schemas/Account'}, maxItems: 100}\n"
    "        total: {type: integer, minimum: 0}\n"
    "        next_cursor: {type: [string, 'null']}\n"
    "    Account:\n"
    "      type: object\n"
    "      required: [account_id, owner, id_number, status, opened_on, balance, updated_at]\n"
    "      properties:\n"
    "        account_id: {type: string, pattern: '^[0-9]{12}$'}\n"
    "        owner: {type: string, minLength: 1, maxLength: 50}\n"
    "        id_number: {type: string, minLength: 18, maxLength: 18}\n"
    "        status: {type: string, enum: [active, frozen, closed]}\n"
    "        opened_on: {type: string, format: date}\n"
    "        balance: {type: number, minimum: 0, multipleOf: 0.01}\n"
    "        employer: {type: [string, 'null'], maxLength: 100}\n"
    "        monthly: {type: object, properties: {own: {type: number}, employer: {type: number}}, additionalProperties: "
    "false}\n"
    "        updated_at: {type: string, format: date-time}\n";

#define ACCOUNT                                                                                                                \
    "{\"account_id\":\"510104000123\",\"owner\":\"张伟\",\"id_number\":\"11010519491231002X\",\"status\":\"active\","        \
    "\"opened_on\":\"2015-07-01\",\"balance\":58213.07,\"employer\":\"成都某某科技有限公司\","                       \
    "\"monthly\":{\"own\":1200.5,\"employer\":1200.5},\"updated_at\":\"2026-03-31T08:30:00+08:00\"}"
static const char answer[] = "{\"items\":[" ACCOUNT "," ACCOUNT "," ACCOUNT "],\"total\":3,\"next_cursor\":null}";
static const char refused[] = "{\"items\":[" ACCOUNT "," ACCOUNT "," ACCOUNT "],\"total\":-1,\"next_cursor\":null}";

#define ROUNDS 200000

static void report(const char *what, int64_t started)
{
    printf("%-40s %6.0f ns\n", what, (double)(clock_steady() - started) * 1000.0 / ROUNDS);
}

int main(void)
{
    struct arena *arena = arena_open();
    struct contract_faults faults;
    struct json_error error;
    const struct contract *contract = contract_load(STR("bench"), STR(document), arena, &faults);
    const struct json *good = json_parse(arena, str_of(answer), &json_limits_answer, &error);
    const struct json *bad = json_parse(arena, str_of(refused), &json_limits_answer, &error);
    if (!contract || !good || !bad)
        return EXIT_FAILURE;
    const struct schema *schema = contract->operations[0].responses[0].media[0].schema;
    printf("an answer of %zu bytes\n", sizeof answer - 1);

    unsigned valid = 0;
    int64_t started = clock_steady();
    for (int i = 0; i < ROUNDS; i++)
        valid += schema_validate(schema, good, NULL);
    report("validate, valid", started);

    started = clock_steady();
    for (int i = 0; i < ROUNDS; i++) {
        struct arena *own = arena_open();
        struct schema_errors errors = {.arena = own};
        valid += schema_validate(schema, bad, &errors);
        arena_close(own);
    }
    report("validate, one fault with its words", started);

    started = clock_steady();
    for (int i = 0; i < ROUNDS; i++) {
        struct arena *own = arena_open();
        valid += json_parse(own, str_of(answer), &json_limits_answer, &error) == NULL;
        arena_close(own);
    }
    report("for comparison: parse", started);

    struct router *router = router_new(arena);
    struct str reason;
    if (!router_add(router, &contract->operations[0], NULL, &reason))
        return EXIT_FAILURE;
    started = clock_steady();
    for (int i = 0; i < ROUNDS; i++) {
        struct route_match match;
        router_match(router, METHOD_GET, STR("/v1/accounts/510104000123"), &match);
        valid += match.found;
    }
    report("route", started);
    contract_free(contract);
    arena_close(arena);
    return valid == 2 * ROUNDS ? EXIT_SUCCESS : EXIT_FAILURE;
}
