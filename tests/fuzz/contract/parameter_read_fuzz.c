/* Parameters: the first byte chooses one, the second how the rest, its text, is cut into occurrences. What is read must be
 * valid against the schema. */
#include "contract/contract.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char document[] =
    "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get:\n      parameters:\n"
    "        - {name: a, in: query, schema: {type: integer, minimum: -5}}\n"
    "        - {name: b, in: query, schema: {type: number, multipleOf: 0.01}}\n"
    "        - {name: c, in: query, schema: {type: [boolean, 'null', string], maxLength: 9}}\n"
    "        - {name: d, in: query, schema: {type: array, items: {type: [integer, string]}, uniqueItems: true}}\n"
    "        - {name: e, in: query, explode: false, schema: {type: array, items: {type: number}, maxItems: 20}}\n"
    "        - {name: f, in: query, content: {application/json: {schema: {type: object}}}}\n"
    "        - {name: g, in: query, schema: {type: string, format: date-time}}\n"
    "        - {name: h, in: query, schema: {type: string, format: uri}}\n"
    "        - {name: i, in: query, schema: {type: string, format: email}}\n"
    "        - {name: j, in: query, schema: {type: string, pattern: '^[一-龥a-z]+\\s?$'}}\n"
    "        - {name: k, in: query, schema: {anyOf: [{type: array, items: {type: boolean}}, {type: integer}]}}\n"
    "        - {name: l, in: query}\n";

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct contract *contract;
    struct arena *arena = arena_open();
    struct contract_faults faults;
    if (!contract && !(contract = contract_load(STR("parameters"), STR(document), arena, &faults)))
        abort();
    if (size >= 2) {
        const struct operation *operation = &contract->operations[0];
        const struct parameter *parameter = &operation->parameters[data[0] % operation->parameter_count];
        struct str rest = {(const char *)data + 2, size - 2}, texts[8];
        const struct str whole = rest;
        size_t count = 0;
        while (rest.at && count < COUNT_OF(texts))
            texts[count++] = str_cut(&rest, (char)data[1]);
        struct schema_errors errors = {.arena = arena};
        const struct json *value = parameter_read_all(arena, parameter, texts, count, &errors);
        if (value ? parameter->schema && !schema_validate(parameter->schema, value, NULL) : errors.count == 0)
            abort();
        value = parameter_read(arena, parameter, whole, NULL);
        if (value && parameter->schema && !schema_validate(parameter->schema, value, NULL))
            abort();
    }
    arena_close(arena);
    return 0;
}
