/* The table of changes: each row is one change of a small contract, and what it means to callers. */
#include "contract/contract_diff.h"
#include "suite.h"

#include <string.h>

/* What is replaced in the document, by what; then the changes that follow, "level kind pointer". */
static const struct {
    const char *from, *to;
    const char *changes[3];
} rows[] = {
    {"'/gone':",
     "'/other':",
     {"breaking operation-removed /paths/~1gone/get", "compatible operation-added /paths/~1other/get"}},
    {"operationId: read", "operationId: fetch", {"breaking operation-renamed /paths/~1a/get"}},
    {"security: [{key: []}]", "security: []", {"breaking security-changed /paths/~1a/get"}},
    {"summary: Read", "summary: Look", {"editorial words-changed /paths/~1a/get"}},
    {"# deprecated", "deprecated: true", {"compatible deprecated /paths/~1a/get"}},
    {"{name: year, in: query,",
     "{name: since, in: query,",
     {"breaking parameter-removed /paths/~1a/get/parameters/0", "compatible parameter-added /paths/~1a/get/parameters/0"}},
    {"in: query, schema: {type: integer",
     "in: query, required: true, schema: {type: integer",
     {"breaking parameter-required /paths/~1a/get/parameters/0"}},
    {"{type: integer, minimum: 2000}",
     "{type: string, minimum: 2000}",
     {"breaking type-narrowed /paths/~1a/get/parameters/0/schema",
      "compatible type-widened /paths/~1a/get/parameters/0/schema"}},
    {"minimum: 2000", "minimum: 2010", {"breaking bound-narrowed /paths/~1a/get/parameters/0/schema/minimum"}},
    {"minimum: 2000", "minimum: 1990", {"compatible bound-widened /paths/~1a/get/parameters/0/schema/minimum"}},
    {"required: false", "required: true", {"breaking required-body-added /paths/~1a/get"}},
    {"enum: [x, y]",
     "enum: [x]",
     {"breaking value-removed /paths/~1a/get/requestBody/content/application~1json/schema/properties/kind/enum"}},
    {"enum: [x, y]",
     "enum: [x, y, z]",
     {"compatible value-added /paths/~1a/get/requestBody/content/application~1json/schema/properties/kind/enum"}},
    {"enum: [on, off]", "enum: [on, off, gone]", {"breaking value-added /components/schemas/Item/properties/state/enum"}},
    {"enum: [on, off]", "enum: [on]", {"compatible value-removed /components/schemas/Item/properties/state/enum"}},
    {"required: [id, state]", "required: [id]", {"breaking member-optional /components/schemas/Item"}},
    {"required: [id, state]",
     "required: [id, state, note]",
     {"compatible member-required /components/schemas/Item/required/2"}},
    {"note: {type: string}",
     "remark: {type: string}",
     {"breaking member-removed /components/schemas/Item/properties/note",
      "compatible member-added /components/schemas/Item/properties/remark"}},
    {"id: {type: string, description: The number}",
     "id: {type: string, description: Its number}",
     {"editorial words-changed /components/schemas/Item/properties/id"}},
    {"oneOf: [{type: string}, {type: integer}]",
     "oneOf: [{type: string}]",
     {"compatible choice-removed /components/schemas/Item/properties/either/oneOf"}},
    {"'200':",
     "'201':",
     {"breaking success-removed /paths/~1a/get/responses/200", "breaking success-added /paths/~1a/get/responses/201"}},
    {"'404':",
     "'410':",
     {"compatible response-removed /paths/~1a/get/responses/404", "compatible response-added /paths/~1a/get/responses/410"}},
    {"application/xml:",
     "text/csv:",
     {"breaking media-type-removed /paths/~1a/get/responses/200/content/application~1xml",
      "compatible media-type-added /paths/~1a/get/responses/200/content/text~1csv"}},
    {"title: t", "title: u", {"editorial words-changed /info"}},
    {"version: '1'", "version: '2'", {NULL}},
};

static const char document[] = "openapi: 3.1.0\n"
                               "info: {title: t, version: '1'}\n"
                               "paths:\n"
                               "  '/a':\n"
                               "    get:\n"
                               "      operationId: read\n"
                               "      summary: Read\n"
                               "      # deprecated\n"
                               "      security: [{key: []}]\n"
                               "      parameters: [{name: year, in: query, schema: {type: integer, minimum: 2000}}]\n"
                               "      requestBody: {required: false, content: {application/json: {schema: {type: object, "
                               "properties: {kind: {enum: [x, y]}}}}}}\n"
                               "      responses:\n"
                               "        '200': {description: d, content: {application/json: {schema: {$ref: "
                               "'#/components/schemas/Item'}}, application/xml: {}}}\n"
                               "        '404': {description: d}\n"
                               "  '/gone':\n"
                               "    get: {operationId: gone, responses: {}}\n"
                               "components:\n"
                               "  schemas:\n"
                               "    Item:\n"
                               "      type: object\n"
                               "      required: [id, state]\n"
                               "      properties:\n"
                               "        id: {type: string, description: The number}\n"
                               "        state: {enum: [on, off]}\n"
                               "        note: {type: string}\n"
                               "        either: {oneOf: [{type: string}, {type: integer}]}\n"
                               "        inner: {$ref: '#/components/schemas/Item'}\n"
                               "  securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}\n";

static const char *replaced(const char *from, const char *to)
{
    struct str text = str_of(document);
    ptrdiff_t at = str_find(text, str_of(from));
    ck_assert_msg(at >= 0, "%s", from);
    return str_printf(arena, "%.*s%s%s", (int)at, document, to, document + at + strlen(from)).at;
}

static void check_row(size_t row)
{
    static const char *const levels[] = {"breaking", "compatible", "editorial"};
    const char *from = rows[row].from, *to = rows[row].to;
    struct changes changes;
    contract_diff(arena, contract_of("before.yaml", document), contract_of("after.yaml", replaced(from, to)), &changes);
    size_t wanted = 0;
    while (wanted < COUNT_OF(rows->changes) && rows[row].changes[wanted])
        wanted++;
    for (size_t i = 0; i < changes.count; i++) {
        const struct change *change = &changes.list[i];
        struct str told = str_printf(arena, "%s %s %.*s", levels[change->level], change->kind, STR_ARG(change->pointer));
        bool known = false;
        for (size_t k = 0; k < wanted; k++)
            known |= str_is(told, rows[row].changes[k]);
        ck_assert_msg(known, "%s -> %s: not expected: %.*s", from, to, STR_ARG(told));
    }
    ck_assert_msg(changes.count >= wanted, "%s -> %s: %zu changes of %zu", from, to, changes.count, wanted);
}

START_TEST(each_change_has_its_level_kind_and_pointer)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check_row(i);
}
END_TEST

START_TEST(a_contract_does_not_differ_from_itself)
{
    const struct contract *contract = contract_of("a.yaml", document);
    ASSERT_STR(contract_diff_json(arena, contract, contract),
               "{\"breaking\":0,\"compatible\":0,\"editorial\":0,\"changes\":[]}");
}
END_TEST

RUN_TESTS("contract diff", each_change_has_its_level_kind_and_pointer, a_contract_does_not_differ_from_itself)
