/* Mappings of any kind against a contract: they compile or are refused; what compiles fills a clean request. */
#include "federation/mapping.h"

#include <shimin/arena.h>
#include <shimin/citizen.h>
#include <stdlib.h>

static const char contract_yaml[] = "openapi: 3.1.0\n"
                                    "info: {title: Test, version: '1'}\n"
                                    "paths:\n"
                                    "  /v1/people/{id}/records:\n"
                                    "    post:\n"
                                    "      operationId: search\n"
                                    "      parameters:\n"
                                    "        - {name: id, in: path, required: true, schema: {type: string}}\n"
                                    "        - {name: year, in: query, schema: {type: array, items: {type: integer}}}\n"
                                    "        - {name: X-Name, in: header, schema: {type: string}}\n"
                                    "      requestBody: {content: {application/json: {schema: {type: object, properties: {a: "
                                    "{type: object, properties: {b: {type: "
                                    "integer}}}, c: {type: string}}}}}}\n"
                                    "      responses: {'200': {description: ok, content: {application/json: {schema: {type: "
                                    "object, properties: {data: {type: array, "
                                    "items: {type: object, properties: {x: {type: string}}}}}}}}}}\n";

static struct department department;

static void load(void)
{
    struct arena *arena = arena_open();
    struct contract_faults faults;
    department.contract = contract_load(STR("fuzz.yaml"), str_of(contract_yaml), arena, &faults);
    if (!department.contract)
        abort();
    department.slug = department.contract_name = STR("fuzz");
    arena_close(arena);
}

static void check_clean(const struct filled *filled)
{
    for (size_t i = 0; i < filled->target.len; i++)
        if (filled->target.at[i] <= ' ' || filled->target.at[i] == 0x7f)
            abort();
    for (unsigned i = 0; i < filled->header_count; i++)
        for (size_t j = 0; j < filled->headers[i].value.len; j++)
            if ((unsigned char)filled->headers[i].value.at[j] < ' ')
                abort();
}

/* The input: a service's definition in YAML, a NUL, a query string. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!department.contract)
        load();
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct str rest = {(const char *)data, size}, definition = str_cut(&rest, '\0');
    struct json_error error;
    struct text faults = text_open(arena, 64);
    struct fault_sink sink = {.faults = &faults, .kind = "service", .slug = STR("fuzz")};
    struct service service = {.slug = STR("fuzz"), .level = LEVEL_CERTIFICATE, .personal = true, .department = &department};
    const struct json_limits limits = {.depth = 32, .bytes = 65536, .nodes = 10000};
    service.definition = yaml_parse(arena, definition, &limits, &error);
    bool good;
    const struct mapping *mapping = service.definition ? mapping_compile(arena, &service, &sink, &good) : NULL;
    if (!mapping)
        return 0;
    const struct citizen citizen = {.level = LEVEL_CERTIFICATE,
                                    .name = rest,
                                    .id_number = STR("11010519491231002X"),
                                    .phone_number = STR("+8613800138000")};
    const struct json **values = arena_array(arena, const struct json *, mapping->parameters.count + 1);
    if (parameters_read(arena, &mapping->parameters, rest, NULL, values))
        return 0;
    const struct source_inputs inputs = {.citizen = &citizen, .query = values, .page = rest};
    struct filled filled;
    if (!template_fill(mapping->template, arena, &inputs, &filled))
        check_clean(&filled);
    return 0;
}
