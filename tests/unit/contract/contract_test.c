/* Contracts: what is read from a document, and that every fault of it is listed with its place. */
#include "suite.h"

static const char library[] =
    "openapi: 3.1.1\n"
    "info: {title: Library, version: '1.0'}\n"
    "security: [{key: []}]\n"
    "paths:\n"
    "  /v1/books/{isbn}:\n"
    "    parameters:\n"
    "      - {name: isbn, in: path, required: true, schema: {type: string, pattern: '^[0-9]{13}$'}}\n"
    "      - {name: lang, in: query, schema: {type: string, default: zh}}\n"
    "    get:\n"
    "      operationId: getBook\n"
    "      parameters:\n"
    "        - {name: lang, in: query, schema: {type: string, default: en}}\n"
    "        - $ref: '#/components/parameters/Trace'\n"
    "        - {name: Authorization, in: header, schema: {type: string}}\n"
    "      responses:\n"
    "        '200':\n"
    "          description: yes\n"
    "          content:\n"
    "            application/json:\n"
    "              schema: {$ref: '#/components/schemas/Book'}\n"
    "              examples: {one: {$ref: '#/components/examples/One'}}\n"
    "            text/*: {}\n"
    "        4XX: {description: no}\n"
    "        default: {description: other}\n"
    "    put:\n"
    "      security: []\n"
    "      requestBody:\n"
    "        required: true\n"
    "        content: {application/json; charset=utf-8: {schema: {$ref: '#/components/schemas/Book'}}}\n"
    "      responses: {'204': {description: done}}\n"
    "components:\n"
    "  securitySchemes: {key: {type: http, scheme: HMAC-SHA256}}\n"
    "  parameters: {Trace: {name: X-Trace, in: header, schema: {type: string}}}\n"
    "  examples: {One: {value: {title: 市民}}}\n"
    "  schemas:\n"
    "    Book: {type: object, required: [title], x-sandbox: {any: thing}, properties: {title: {type: string}, next: {$ref: "
    "'#/components/schemas/Book'}}}\n";

START_TEST(a_document_becomes_operations)
{
    const struct contract *contract = contract_of("library.yaml", library);
    ASSERT_STR(contract->title, "Library");
    ASSERT_STR(contract->version, "1.0");
    ck_assert(contract->is_3_1);
    ck_assert_uint_eq(contract->operation_count, 2);
    const struct operation *get = contract_operation(contract, STR("getBook"));
    ck_assert_ptr_nonnull(get);
    ck_assert_int_eq(get->method, METHOD_GET);
    ck_assert_ptr_eq(get->contract, contract);
    ck_assert_uint_eq(get->path_parameter_count, 1);
    ASSERT_STR(get->path_parameters[0]->name, "isbn");
    ASSERT_STR(get->security.scheme, "HMAC-SHA256");
    ck_assert_int_eq(get->security.kind, SECURITY_HTTP);
    ck_assert_ptr_null(contract_operation(contract, STR("burnBook")));
}
END_TEST

START_TEST(an_operations_parameter_hides_that_of_its_path)
{
    const struct operation *get = contract_operation(contract_of("library.yaml", library), STR("getBook"));
    ck_assert_uint_eq(get->parameter_count, 3);
    const struct parameter *lang = operation_parameter(get, PARAMETER_QUERY, STR("lang"));
    ASSERT_STR(lang->fallback->string, "en");
    ck_assert(lang->explode);
    ck_assert_ptr_nonnull(operation_parameter(get, PARAMETER_HEADER, STR("x-trace")));
    ck_assert_ptr_null(operation_parameter(get, PARAMETER_HEADER, STR("authorization")));
    ck_assert_ptr_null(operation_parameter(get, PARAMETER_QUERY, STR("isbn")));
}
END_TEST

START_TEST(responses_are_found_exactly_then_by_range_then_by_default)
{
    const struct operation *get = contract_operation(contract_of("library.yaml", library), STR("getBook"));
    ck_assert_uint_eq(operation_response(get, 200)->status, 200);
    ck_assert_uint_eq(operation_response(get, 404)->status, 4);
    ck_assert_uint_eq(operation_response(get, 503)->status, 0);
    const struct response *response = operation_response(get, 200);
    const struct media *media = media_for(response->media, response->media_count, STR("Application/JSON; charset=utf-8"));
    ASSERT_STR(media->type, "application/json");
    ASSERT_STR(json_get_string(media->example, "title", STR_NONE), "市民");
    ck_assert(schema_validate(media->schema, media->example, NULL));
    ck_assert(!schema_validate(media->schema, json_of("{'title':'x','next':{}}"), NULL));
    ASSERT_STR(media_for(response->media, response->media_count, STR("text/csv"))->type, "text/*");
    ck_assert_ptr_null(media_for(response->media, response->media_count, STR("image/png")));
    ck_assert_ptr_null(media_for(response->media, response->media_count, STR("")));
}
END_TEST

START_TEST(an_operation_without_an_id_is_named_by_method_and_path)
{
    const struct contract *contract = contract_of("library.yaml", library);
    const struct operation *put = contract_operation(contract, STR("PUT /v1/books/{isbn}"));
    ck_assert_ptr_nonnull(put);
    ck_assert(put->body_required);
    ASSERT_STR(put->bodies[0].type, "application/json");
    ck_assert_int_eq(put->security.kind, SECURITY_NONE);
    ck_assert_ptr_null(operation_response(put, 500));
}
END_TEST

START_TEST(local_references_are_followed)
{
    const struct contract *contract = contract_of("library.yaml", library);
    const struct json *found = contract_resolve(contract, json_of("{'$ref':'#/components/parameters/Trace'}"));
    ASSERT_STR(json_get_string(found, "name", STR_NONE), "X-Trace");
    ck_assert_ptr_null(contract_resolve(contract, json_of("{'$ref':'other.yaml#/x'}")));
    found = contract_resolve(contract, json_of("{'$ref':'#/paths/~1v1~1books~1%7Bisbn%7D/get'}"));
    ASSERT_STR(json_get_string(found, "operationId", STR_NONE), "getBook");
}
END_TEST

START_TEST(a_parameter_that_cannot_be_written_is_no_fault_of_the_document)
{
    static const char text[] = "openapi: 3.0.3\n"
                               "info: {title: t, version: '1'}\n"
                               "paths:\n"
                               "  /a:\n"
                               "    get:\n"
                               "      operationId: a\n"
                               "      parameters:\n"
                               "        - {name: deep, in: query, style: deepObject, schema: {type: object}}\n"
                               "        - {name: piped, in: query, style: pipeDelimited, schema: {type: array}}\n"
                               "        - {name: xml, in: query, content: {application/xml: {}}}\n"
                               "        - {name: plain, in: query, schema: {type: string}}\n"
                               "      responses: {'200': {description: x}}\n";
    struct contract_faults faults;
    const struct contract *contract = contract_load(STR("a.yaml"), STR(text), arena, &faults);
    ck_assert_msg(contract != NULL, "%.*s", STR_ARG(faults.list[0].reason));
    const struct operation *operation = contract_operation(contract, STR("a"));
    static const char *const odd[] = {"deep", "piped", "xml"};
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        ck_assert_ptr_nonnull(operation_parameter(operation, PARAMETER_QUERY, str_of(odd[i]))->unsupported);
    ck_assert_ptr_null(operation_parameter(operation, PARAMETER_QUERY, STR("plain"))->unsupported);
    contract_free(contract);
}
END_TEST

START_TEST(every_fault_is_listed_with_pointer_and_line)
{
    static const char bad[] = "openapi: 3.0.3\n"                                                           /* 1 */
                              "info: {version: 1.0}\n"                                                     /* 2 */
                              "paths:\n"                                                                   /* 3 */
                              "  /a/{id}:\n"                                                               /* 4 */
                              "    get:\n"                                                                 /* 5 */
                              "      operationId: twice\n"                                                 /* 6 */
                              "      parameters:\n"                                                        /* 7 */
                              "        - {name: x, in: body}\n"                                            /* 8 */
                              "        - {name: y, in: query, style: deepObject, schema: {type: array}}\n" /* 9 */
                              "        - {name: z, in: path, schema: {type: string}}\n"                    /* 10 */
                              "      responses:\n"                                                         /* 11 */
                              "        '200':\n"                                                           /* 12 */
                              "          content: {application/json: {schema: {$ref: '#/nowhere'}}}\n"     /* 13 */
                              "        ok: {description: x}\n"                                             /* 14 */
                              "  /b:\n"                                                                    /* 15 */
                              "    get:\n"                                                                 /* 16 */
                              "      operationId: twice\n"                                                 /* 17 */
                              "      security: [{missing: []}]\n"                                          /* 18 */
                              "      responses: {default: {$ref: 'other.yaml#/x'}}\n"                      /* 19 */
                              "components:\n"                                                              /* 20 */
                              "  schemas:\n"                                                               /* 21 */
                              "    Unused: {type: string, pattern: '('}\n";                                /* 22 */
    static const struct {
        uint32_t line;
        const char *pointer, *reason;
    } wanted[] = {
        {2, "/info", "info.title is missing"},
        {2, "/info/version", "version must be a string: write it in quotes"},
        {8, "/paths/~1a~1{id}/get/parameters/0/in",
         "in must be path, query, header or cookie; Swagger's bodies are requestBody now"},
        {10, "/paths/~1a~1{id}/get/parameters/2", "the path parameter z must be required: true"},
        {10, "/paths/~1a~1{id}/get/parameters/2", "the path /a/{id} has no {z}"},
        {6, "/paths/~1a~1{id}/get", "the path parameter {id} is not declared"},
        {13, "/paths/~1a~1{id}/get/responses/200/content/application~1json/schema/$ref", "refers to nothing: #/nowhere"},
        {14, "/paths/~1a~1{id}/get/responses/ok", "a response is named by its status (\"200\", \"2XX\") or default"},
        {17, "/paths/~1b/get/operationId", "operationId twice is used twice: also by GET /a/{id}"},
        {18, "/paths/~1b/get/security/0", "the security scheme missing is not in components.securitySchemes"},
        {19, "/paths/~1b/get/responses/default/$ref", "only references within the document (#/…) are followed: other.yaml#/x"},
        {22, "/components/schemas/Unused/pattern", "bad pattern: missing closing parenthesis"},
    };
    struct contract_faults faults;
    ck_assert_ptr_null(contract_load(STR("bad.yaml"), STR(bad), arena, &faults));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        bool found = false;
        for (size_t k = 0; k < faults.count; k++)
            found = found || (faults.list[k].line == wanted[i].line && str_is(faults.list[k].pointer, wanted[i].pointer) &&
                              str_is(faults.list[k].reason, wanted[i].reason));
        ck_assert_msg(found, "not listed: %u %s: %s", wanted[i].line, wanted[i].pointer, wanted[i].reason);
    }
    ck_assert_uint_eq(faults.count, COUNT_OF(wanted));
}
END_TEST

START_TEST(what_is_no_openapi_3_document_is_refused_with_advice)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {
        {"swagger: '2.0'\n", "this is Swagger 2.0; convert it to OpenAPI 3 (for example with swagger2openapi) and try again"},
        {"openapi: 4.0.0\n", "unknown version of OpenAPI: \"3.0.x\" and \"3.1.x\" are read"},
        {"openapi: 3.1\n", "unknown version of OpenAPI: \"3.0.x\" and \"3.1.x\" are read"},
        {"title: x\n", "not an OpenAPI document: the member openapi is missing"},
        {"- a\n", "not an OpenAPI document: it must be an object"},
        {"{\"openapi\": \"3.1.0\",}", "JSON cannot be read: a member name in double quotes was expected (column 21)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct contract_faults faults;
        ck_assert_ptr_null(contract_load(STR("x"), str_of(cases[i].text), arena, &faults));
        ck_assert_uint_ge(faults.count, 1);
        ASSERT_STR(faults.list[0].reason, cases[i].reason);
    }
}
END_TEST

START_TEST(methods_are_named_in_upper_or_lower_case_but_no_mixture)
{
    enum http_method method;
    ck_assert(method_named(STR("PATCH"), &method));
    ck_assert_int_eq(method, METHOD_PATCH);
    ck_assert(method_named(STR("delete"), &method));
    ck_assert_str_eq(method_name(method), "DELETE");
    ck_assert(!method_named(STR("Get"), &method));
    ck_assert(!method_named(STR("gET"), &method));
    ck_assert(!method_named(STR("GE"), &method));
    ck_assert(!method_named(STR("GETS"), &method));
    ck_assert(!method_named(STR(""), &method));
}
END_TEST

RUN_TESTS("contract", a_document_becomes_operations, an_operations_parameter_hides_that_of_its_path,
          responses_are_found_exactly_then_by_range_then_by_default, an_operation_without_an_id_is_named_by_method_and_path,
          local_references_are_followed, a_parameter_that_cannot_be_written_is_no_fault_of_the_document,
          every_fault_is_listed_with_pointer_and_line, what_is_no_openapi_3_document_is_refused_with_advice,
          methods_are_named_in_upper_or_lower_case_but_no_mixture)
