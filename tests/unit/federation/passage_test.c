/* Raw passage: what goes through, what is refused, and whose identity goes along. */
#include "fake.h"
#include "federation/federation.h"
#include "http/request_internal.h"
#include "inside.h"
#include "suite.h"

#include <shimin/department.h>
#include <shimin/log.h>
#include <stdio.h>

static const char contract_yaml[] =
    "openapi: 3.1.0\n"
    "info: {title: Test, version: '1'}\n"
    "paths:\n"
    "  /v1/lines/{line}/stops:\n"
    "    get:\n"
    "      operationId: listStops\n"
    "      parameters:\n"
    "        - {name: line, in: path, required: true, schema: {type: string, maxLength: 8}}\n"
    "        - {name: limit, in: query, schema: {type: integer, maximum: 50}}\n"
    "        - {name: name, in: query, schema: {type: string}}\n"
    "      responses: {'200': &ok {description: ok, content: {application/json: {schema: {type: object, required: [data]}}}}}\n"
    "  /v1/accounts:\n"
    "    get:\n"
    "      operationId: getAccount\n"
    "      parameters: [{name: X-Id-Number, in: header, required: true, schema: {type: string}}]\n"
    "      responses: {'200': *ok}\n"
    "  /v1/claims:\n"
    "    post:\n"
    "      operationId: makeClaim\n"
    "      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [sfzh], "
    "additionalProperties: "
    "false, properties: {sfzh: {type: string}, name: {type: string}, goods: {type: array, items: {type: object}}}}}}}\n"
    "      responses: {'201': {description: made}}\n";

static struct fake fake;
static struct department *department;
static struct citizen citizen;
static struct federation_settings settings;
static struct request *request;

static int pass_as(const struct citizen *as, const char *method, const char *path, const char *query, const char *body)
{
    static struct field fields[4];
    request = arena_new(arena, struct request);
    request->arena = arena;
    request->method = str_of(method);
    trace_begin(&request->trace, STR_NONE);
    request->query = query ? str_of(query) : STR_NONE;
    request->body_bytes = body ? str_of(body) : STR_NONE;
    fields[0] = (struct field){STR("content-type"), STR("application/json")};
    fields[1] = (struct field){STR("cookie"), STR("session=1")};
    fields[2] = (struct field){STR("authorization"), STR("Bearer secret")};
    fields[3] = (struct field){STR("x-id-number"), STR("440524188001010014")};
    request->fields = fields;
    request->field_count = COUNT_OF(fields);
    department_passage(request, department, str_of(path), as);
    return (int)request->reply.status;
}

static void pass_all(void)
{
    if (!settings.reach)
        settings.reach = this_machine();
    ck_assert(federation_open(&settings));
    fake.answer = HTTP_OK("{ \"data\": [1, 2] }");
    ck_assert_int_eq(pass_as(NULL, "GET", "/v1/lines/K1/stops", "limit=10&name=park", NULL), 200);
    ASSERT_STR(request->reply.body, "{ \"data\": [1, 2] }");
    ck_assert_ptr_nonnull(strstr(fake_last(&fake), "GET /v1/lines/K1/stops?limit=10&name=park HTTP/1.1\r\n"));
    ck_assert_ptr_null(strcasestr(fake_last(&fake), "cookie"));
    ck_assert_ptr_null(strcasestr(fake_last(&fake), "authorization"));
    ck_assert_ptr_null(strcasestr(fake_last(&fake), "x-id-number"));
    int before = fake.requests;
    ck_assert_int_eq(pass_as(NULL, "GET", "/v1/lines/K1/stops", "limit=51", NULL), 400);
    ck_assert_int_eq(pass_as(NULL, "GET", "/v1/lines/K1/stops", "colour=red", NULL), 400);
    ck_assert_int_eq(pass_as(NULL, "GET", "/v1/lines/K123456789/stops", NULL, NULL), 400);
    ck_assert_int_eq(pass_as(NULL, "GET", "/v1/lines/../stops", NULL, NULL), 404);
    ck_assert_int_eq(pass_as(NULL, "GET", "/v1/nothing", NULL, NULL), 404);
    ck_assert_int_eq(pass_as(NULL, "DELETE", "/v1/accounts", NULL, NULL), 405);
    ck_assert_int_eq(pass_as(NULL, "GET", "/v1/accounts", NULL, NULL), 401);
    ck_assert_int_eq(pass_as(NULL, "POST", "/v1/claims", NULL, "{\"sfzh\":\"1\"}"), 401);
    struct citizen phone_only = citizen;
    phone_only.level = LEVEL_PHONE;
    phone_only.name = phone_only.id_number = STR_NONE;
    ck_assert_int_eq(pass_as(&phone_only, "GET", "/v1/accounts", NULL, NULL), 401); /* a higher level is asked for */
    ck_assert_int_eq(pass_as(&citizen, "POST", "/v1/claims", NULL, "{\"sfzh\":"), 400);
    ck_assert_int_eq(pass_as(&citizen, "POST", "/v1/claims", NULL, "{\"sfzh\":\"1\",\"colour\":1}"), 422);
    ck_assert_int_eq(pass_as(&citizen, "POST", "/v1/claims", NULL, NULL), 422);
    ck_assert_int_eq(fake.requests, before);
}

static void pass_identity(void)
{
    if (!settings.reach)
        settings.reach = this_machine();
    ck_assert(federation_open(&settings));
    fake.answer = HTTP_OK("{\"data\":[]}");
    ck_assert_int_eq(pass_as(&citizen, "GET", "/v1/accounts", NULL, NULL), 200);
    ck_assert_ptr_nonnull(strstr(fake_last(&fake), "x-id-number: 11010519491231002X\r\n"));
    ck_assert_ptr_null(strstr(fake_last(&fake), "440524188001010014"));
    fake.answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    ck_assert_int_eq(
        pass_as(&citizen, "POST", "/v1/claims", NULL,
                "{\"sfzh\":\"440524188001010014\",\"name\":\"李四\",\"goods\":[{\"name\":\"chair\",\"xm\":\"李四\"}]}"),
        201);
    ck_assert_ptr_nonnull(
        strstr(fake_last(&fake),
               "{\"sfzh\":\"11010519491231002X\",\"name\":\"张三\",\"goods\":[{\"name\":\"chair\",\"xm\":\"张三\"}]}"));
    fake.answer = FAKE_RESET;
    int before = fake.requests;
    ck_assert_int_eq(pass_as(&citizen, "POST", "/v1/claims", NULL, "{\"sfzh\":\"1\"}"), 502);
    ck_assert_int_eq(fake.requests - before, 1);
    fake.answer = HTTP_OK("{\"other\":[]}");
    ck_assert_int_eq(pass_as(&citizen, "GET", "/v1/accounts", NULL, NULL), 502);
    ASSERT_HAS(request->reply.body, "department-contract-violation");
}

static void run(void (*body)(void))
{
    char definition[256];
    log_set_level(LOG_ERROR + 1);
    fake_open(&fake);
    snprintf(definition, sizeof definition, "backend: {address: 'http://127.0.0.1:%u', concurrency: 4, deadline_ms: 1000}",
             fake.port);
    department = department_of(contract_of(contract_yaml), definition);
    citizen = citizen_of();
    inside(1, body);
}

START_TEST(only_what_the_contract_has_goes_through)
{
    run(pass_all);
}
END_TEST

START_TEST(the_identity_is_the_citizens_own_whatever_was_sent)
{
    run(pass_identity);
}
END_TEST

RUN_FLOOR_TESTS("federation passage", only_what_the_contract_has_goes_through,
                the_identity_is_the_citizens_own_whatever_was_sent)
