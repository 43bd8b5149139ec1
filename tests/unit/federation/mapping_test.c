/* Mappings: what compiles, what is refused and why, and the requests that come out. */
#include "suite.h"

static const char contract_yaml[] =
    "openapi: 3.1.0\n"
    "info: {title: Test, version: '1'}\n"
    "paths:\n"
    "  /v1/people/{id}/records:\n"
    "    get:\n"
    "      operationId: listRecords\n"
    "      parameters:\n"
    "        - {name: id, in: path, required: true, schema: {type: string}}\n"
    "        - {name: year, in: query, schema: {type: integer}}\n"
    "        - {name: 'kind of', in: query, schema: {type: array, items: {type: string}}}\n"
    "        - {name: X-Name, in: header, required: true, schema: {type: string}}\n"
    "        - {name: limit, in: query, required: true, schema: {type: integer, maximum: 100}}\n"
    "      responses:\n"
    "        '200':\n"
    "          description: ok\n"
    "          content:\n"
    "            application/json:\n"
    "              schema:\n"
    "                type: object\n"
    "                properties:\n"
    "                  data: {type: array, items: {type: object, properties: {card: {type: string}, owner: {type: object, "
    "properties: {name: {type: string}}}}}}\n"
    "        '404': {description: none}\n"
    "  /v1/search:\n"
    "    post:\n"
    "      operationId: search\n"
    "      requestBody:\n"
    "        required: true\n"
    "        content:\n"
    "          application/json:\n"
    "            schema:\n"
    "              type: object\n"
    "              required: [sfzh, paging]\n"
    "              additionalProperties: false\n"
    "              properties:\n"
    "                sfzh: {type: string}\n"
    "                mobile: {type: string, pattern: '^1[0-9]{10}$'}\n"
    "                paging: {type: object, required: [no], properties: {no: {type: integer}, size: {type: integer}}}\n"
    "      responses: {'200': {description: ok}}\n";

static struct department *department;

static void begin(void)
{
    department = department_of(contract_of(contract_yaml), "backend: {address: sandbox, concurrency: 4, deadline_ms: 500}");
}

#define GOOD                                                                                                                   \
    "parameters: [{name: year, schema: {type: integer, minimum: 2000}}, {name: kinds, schema: {type: array, items: {type: "    \
    "string}}}]\n"                                                                                                             \
    "operation:\n"                                                                                                             \
    "  id: listRecords\n"                                                                                                      \
    "  request: {id: citizen.id_number, X-Name: citizen.name, year: query.year, 'kind of': query.kinds, limit: 'const:50'}\n"  \
    "  items: /data\n"                                                                                                         \
    "  masks: {/card: bank_card, /owner/name: name}\n"                                                                         \
    "  cache: {fresh: 60, stale: 600}\n"

static void expect_fault(const char *definition, const char *fault)
{
    struct text faults;
    ck_assert_ptr_null(service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true, definition, &faults));
    ASSERT_HAS(text_str(&faults), fault);
}

static const struct problem *fill(const struct service *service, const char *query, const struct citizen *citizen,
                                  struct filled *filled)
{
    const struct mapping *mapping = service->binding;
    const struct json *values[8];
    const struct problem *problem = parameters_read(arena, &mapping->parameters, str_of(query), NULL, values);
    const struct source_inputs inputs = {.citizen = citizen, .query = values, .page = STR_NONE};
    return problem ? problem : template_fill(mapping->template, arena, &inputs, filled);
}

START_TEST(a_mapping_becomes_the_departments_request)
{
    begin();
    struct text faults;
    struct service *service = service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true, GOOD, &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    const struct mapping *mapping = service->binding;
    ck_assert(mapping->template->safe && mapping->personal && mapping->inputs_are_asked && mapping->not_found_empty);
    ck_assert_int_eq(mapping->fresh, 60000000);
    struct citizen citizen = citizen_of();
    struct filled filled;
    ck_assert_ptr_null(fill(service, "year=2024&other=1&kinds=a%2Cb%20c", &citizen, &filled));
    ASSERT_STR(filled.target, "/v1/people/11010519491231002X/records?year=2024&kind%20of=a&kind%20of=b%20c&limit=50");
    ck_assert_uint_eq(filled.header_count, 1);
    ASSERT_STR(filled.headers[0].name, "x-name");
    ASSERT_STR(filled.headers[0].value, "张三");
    ck_assert(!filled.body.at);
}
END_TEST

START_TEST(an_absent_optional_parameter_is_left_out)
{
    begin();
    struct text faults;
    struct service *service = service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true, GOOD, &faults);
    struct citizen citizen = citizen_of();
    struct filled filled;
    ck_assert_ptr_null(fill(service, "", &citizen, &filled));
    ASSERT_STR(filled.target, "/v1/people/11010519491231002X/records?limit=50");
}
END_TEST

START_TEST(a_body_is_built_in_its_own_shape)
{
    begin();
    struct text faults;
    struct service *service = service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true,
                                         "operation: {id: search, request: {sfzh: citizen.id_number, mobile: "
                                         "citizen.phone_number, /paging/no: 'const:1'}, items: ''}",
                                         &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    struct citizen citizen = citizen_of();
    struct filled filled;
    ck_assert_ptr_null(fill(service, "", &citizen, &filled));
    ASSERT_STR(filled.body, "{\"sfzh\":\"11010519491231002X\",\"mobile\":\"13800138000\",\"paging\":{\"no\":1}}");
    service = service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true,
                         "operation: {id: search, request: {sfzh: citizen.id_number, mobile: citizen.phone_number}, page: "
                         "{parameter: /paging/no, first: 1, size_parameter: /paging/size, size: 20}, items: ''}",
                         &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    ck_assert_ptr_null(fill(service, "", &citizen, &filled));
    ASSERT_STR(filled.target, "/v1/search");
    ASSERT_STR(filled.content_type, "application/json");
    ASSERT_STR(filled.body, "{\"sfzh\":\"11010519491231002X\",\"mobile\":\"13800138000\",\"paging\":{\"no\":1,\"size\":20}}");
    ck_assert(filled.safe); /* a query, though by POST */
}
END_TEST

START_TEST(every_fault_is_named)
{
    begin();
    expect_fault("operation: {id: nothing, request: {}, items: ''}", "no operation nothing");
    expect_fault("operation: {id: listRecords, request: {id: citizen.id_number, limit: 'const:1'}, items: /data}",
                 "required parameter X-Name");
    expect_fault("operation: {id: listRecords, request: {X-Name: citizen.name, limit: 'const:1'}, items: /data}",
                 "path parameter id");
    expect_fault("operation: {id: listRecords, request: {id: citizen.id_number, X-Name: citizen.name, limit: 'const:1', ghost: "
                 "'const:1'}, items: /data}",
                 "no parameter ghost");
    expect_fault(
        "operation: {id: listRecords, request: {id: citizen.shoe_size, X-Name: citizen.name, limit: 'const:1'}, items: "
        "/data}",
        "id: source must be");
    expect_fault("operation: {id: listRecords, request: {id: query.id, X-Name: citizen.name, limit: 'const:1'}, items: /data}",
                 "the service has no parameter id");
    expect_fault("operation: {id: listRecords, request: {id: citizen.id_number, X-Name: citizen.name, limit: 'const:101'}, "
                 "items: /data}",
                 "limit: the constant breaks");
    expect_fault(
        "operation: {id: listRecords, request: {id: citizen.id_number, X-Name: citizen.name, limit: 'const:1'}, items: "
        "/dta}",
        "has no /dta");
    expect_fault(
        "operation: {id: listRecords, request: {id: citizen.id_number, X-Name: citizen.name, limit: 'const:1'}, items: "
        "/data, masks: {/crad: bank_card}}",
        "have no /crad");
    expect_fault(
        "operation: {id: listRecords, request: {id: citizen.id_number, X-Name: citizen.name, limit: 'const:1'}, items: "
        "/data, masks: {/card: shoe}}",
        "no such rule");
    expect_fault("operation: {id: search, request: {sfzh: citizen.id_number}, items: ''}", "required member /paging");
    expect_fault(
        "operation: {id: search, request: {sfzh: citizen.id_number, /paging/no: 'const:1', shoe: 'const:1'}, items: ''}",
        "shoe: operation search has no such parameter or body member");
    expect_fault("operation: {id: search, request: {sfzh: citizen.id_number, /paging/no: 'const:1', /paging/shoe: 'const:1'}, "
                 "items: ''}",
                 "/paging/shoe: operation search has no such");
    expect_fault("operation: {id: search, request: {sfzh: citizen.id_number, /paging/no: 'const:x'}, items: ''}",
                 "/paging/no: the constant breaks");
    expect_fault("parameters: [{name: a, schema: {type: strange}}]\n", "schema of a");
}
END_TEST

START_TEST(a_service_may_not_send_what_its_level_does_not_know)
{
    begin();
    struct text faults;
    ck_assert_ptr_null(service_of(department, ARCHETYPE_QUERY, LEVEL_PHONE, true, GOOD, &faults));
    ASSERT_HAS(text_str(&faults), "from level L2 on");
    ck_assert_ptr_null(service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, false, GOOD, &faults));
    ASSERT_HAS(text_str(&faults), "/personal");
}
END_TEST

START_TEST(what_changes_something_is_neither_cached_nor_repeated)
{
    begin();
    struct text faults;
    ck_assert_ptr_null(
        service_of(department, ARCHETYPE_APPLY, LEVEL_REAL_NAME, true,
                   "operation: {id: search, request: {sfzh: citizen.id_number, /paging/no: query.no}, items: '', "
                   "cache: {fresh: 1, stale: 1}}\nparameters: [{name: 'no', schema: {type: integer}}]",
                   &faults));
    ASSERT_HAS(text_str(&faults), "cannot be cached");
    struct service *service =
        service_of(department, ARCHETYPE_APPLY, LEVEL_REAL_NAME, true,
                   "operation: {id: search, request: {sfzh: citizen.id_number, /paging/no: query.no}, items: ''}\nparameters: "
                   "[{name: 'no', schema: {type: integer}}]",
                   &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    ck_assert(!((const struct mapping *)service->binding)->template->safe);
}
END_TEST

START_TEST(every_faulty_parameter_is_in_the_problem)
{
    begin();
    struct text faults;
    struct service *service = service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true,
                                         "parameters: [{name: a, required: true, schema: {type: integer}}, {name: b, schema: "
                                         "{type: integer}}, {name: c, schema: {type: string, maxLength: 2}}, {name: d}]",
                                         &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    struct template_names names;
    struct fault_sink sink = {.faults = &faults, .kind = "service", .slug = STR("x")};
    ck_assert(parameters_compile(arena, json_get(service->definition, "parameters"), &names, &sink));
    const struct json *values[4];
    const struct problem *problem = parameters_read(arena, &names, STR("b=x&c=abc&d=1&d=2&%64=3"), NULL, values);
    ck_assert_ptr_nonnull(problem);
    ck_assert_int_eq(problem->type, PROBLEM_INVALID_PARAMETER);
    ck_assert_uint_eq(problem->error_count, 4);
    const char *const wanted[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++)
        ASSERT_STR(problem->errors[i].parameter, wanted[i]);
}
END_TEST

START_TEST(a_value_cannot_leave_its_place_in_the_path)
{
    begin();
    struct text faults;
    struct service *service = service_of(
        department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true,
        "parameters: [{name: id, schema: {type: string}}]\n"
        "operation: {id: listRecords, request: {id: query.id, X-Name: citizen.name, limit: 'const:1'}, items: /data}",
        &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    struct citizen citizen = citizen_of();
    struct filled filled;
    ck_assert_ptr_null(fill(service, "id=..%2F%2e%2e%3Fa%23", &citizen, &filled));
    ASSERT_STR(filled.target, "/v1/people/..%2F..%3Fa%23/records?limit=1");
    ck_assert_ptr_nonnull(fill(service, "id=..", &citizen, &filled));
    ck_assert_ptr_nonnull(fill(service, "id=%2E", &citizen, &filled));
    ck_assert_ptr_nonnull(fill(service, "id=", &citizen, &filled));
    citizen.name = STR("a\r\nx-evil: 1");
    ck_assert_ptr_nonnull(fill(service, "id=1", &citizen, &filled));
}
END_TEST

START_TEST(without_a_citizen_nothing_personal_is_asked)
{
    begin();
    struct text faults;
    struct service *service = service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true, GOOD, &faults);
    struct filled filled;
    const struct problem *problem = fill(service, "", NULL, &filled);
    ck_assert_ptr_nonnull(problem);
    ck_assert_int_eq(problem->type, PROBLEM_UNAUTHENTICATED);
    struct citizen citizen = citizen_of();
    citizen.level = LEVEL_PHONE;
    citizen.name = citizen.id_number = STR_NONE;
    ck_assert_int_eq(fill(service, "", &citizen, &filled)->type, PROBLEM_STEP_UP);
}
END_TEST

START_TEST(names_of_identity_are_learned_and_recognised)
{
    begin();
    enum source_kind kind;
    const struct plan *plan = department->backend;
    ck_assert(!plan_identity(plan, STR("id"), &kind));
    struct text faults;
    ck_assert_ptr_nonnull(service_of(department, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true, GOOD, &faults));
    ck_assert(plan_identity(plan, STR("id"), &kind) && kind == SOURCE_ID_NUMBER);
    ck_assert(plan_identity(plan, STR("X-NAME"), &kind) && kind == SOURCE_NAME);
    ck_assert(plan_identity(plan, STR("X-Id-Number"), &kind) && kind == SOURCE_ID_NUMBER);
    ck_assert(plan_identity(plan, STR("phoneNumber"), &kind) && kind == SOURCE_PHONE_NUMBER);
    ck_assert(!plan_identity(plan, STR("name"), &kind));
}
END_TEST

START_TEST(addresses_are_read_strictly)
{
    struct address address;
    ck_assert(address_parse(STR("https://example.org"), &address) && address.tls && address.port == 443 && !address.base.len);
    ck_assert(address_parse(STR("http://10.0.0.1:8080/api/"), &address) && address.port == 8080);
    ASSERT_STR(address.base, "/api");
    ck_assert(address_parse(STR("http://[::1]:80"), &address));
    ASSERT_STR(address.host, "::1");
    const char *const bad[] = {"",           "ftp://a",     "http://",     "http://a:0",   "http://a:65536",    "http://a:x",
                               "http://u@a", "http://a/?q", "http://[::1", "http://a/b c", "http://a/b\r\nX: y"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ck_assert_msg(!address_parse(str_of(bad[i]), &address), "%s", bad[i]);
}
END_TEST

RUN_FLOOR_TESTS("federation mapping", a_mapping_becomes_the_departments_request, an_absent_optional_parameter_is_left_out,
                a_body_is_built_in_its_own_shape, every_fault_is_named, a_service_may_not_send_what_its_level_does_not_know,
                what_changes_something_is_neither_cached_nor_repeated, every_faulty_parameter_is_in_the_problem,
                a_value_cannot_leave_its_place_in_the_path, without_a_citizen_nothing_personal_is_asked,
                names_of_identity_are_learned_and_recognised, addresses_are_read_strictly)
