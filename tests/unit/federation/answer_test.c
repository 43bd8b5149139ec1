/* Answers: what is judged how, what is selected, and what a mask leaves of it. */
#include "federation/answer.h"
#include "suite.h"

static const char contract_yaml[] =
    "openapi: 3.1.0\n"
    "info: {title: Test, version: '1'}\n"
    "paths:\n"
    "  /v1/cards:\n"
    "    get:\n"
    "      operationId: listCards\n"
    "      responses:\n"
    "        '200':\n"
    "          description: ok\n"
    "          content:\n"
    "            application/json:\n"
    "              schema:\n"
    "                type: object\n"
    "                required: [data]\n"
    "                properties: {data: {type: object, properties: {cards: {type: array, items: {type: object}}}}}\n"
    "        '204': {description: nothing}\n"
    "        '400': {description: bad, content: {application/json: {schema: {type: object}}}}\n"
    "        '404': {description: none, content: {application/json: {schema: {type: object}}}}\n"
    "        '409': {description: conflict, content: {application/json: {schema: {type: object}}}}\n";

static struct answer_wanted wanted;
static struct department_answer answer;

static void begin(void)
{
    wanted = (struct answer_wanted){.operation = contract_operation(contract_of(contract_yaml), STR("listCards")),
                                    .department = STR("bank"),
                                    .items = STR("/data/cards"),
                                    .not_found_empty = true};
}

static const struct problem *read_answer(unsigned status, const char *type, const char *body)
{
    const struct answer_message message = {.status = status, .content_type = str_of(type), .body = str_of(body)};
    return answer_judge(arena, &wanted, &message, &answer);
}

static int type_of(unsigned status, const char *type, const char *body)
{
    const struct problem *problem = read_answer(status, type, body);
    return problem ? (int)problem->type : -1;
}

#define JSON "application/json; charset=utf-8"

START_TEST(the_items_are_selected_by_their_pointer)
{
    begin();
    ck_assert_int_eq(type_of(200, JSON, "{\"data\":{\"cards\":[{\"no\":1},{\"no\":2}]}}"), -1);
    ck_assert_uint_eq(answer.items->count, 2);
    ck_assert_uint_eq(answer.status, 200);
    ASSERT_STR(answer.source, "bank");
    ck_assert_int_eq(type_of(200, JSON, "{\"data\":{}}"), -1);
    ck_assert_ptr_null(answer.items);
    ck_assert_int_eq(type_of(204, NULL, ""), -1);
    ck_assert_ptr_null(answer.items);
}
END_TEST

START_TEST(nobody_found_is_an_empty_list_where_the_mapping_says_so)
{
    begin();
    ck_assert_int_eq(type_of(404, JSON, "{}"), -1);
    ck_assert_uint_eq(answer.items->count, 0);
    wanted.not_found_empty = false;
    ck_assert_int_eq(type_of(404, JSON, "{}"), PROBLEM_NOT_FOUND);
    ck_assert_int_eq(type_of(404, "text/html", "<html>"), PROBLEM_DEPARTMENT_CONTRACT);
}
END_TEST

START_TEST(what_is_outside_the_contract_does_not_pass)
{
    begin();
    ck_assert_int_eq(type_of(200, JSON, "{\"data\":[]}"), PROBLEM_DEPARTMENT_CONTRACT);
    ck_assert_int_eq(type_of(200, JSON, "{\"data\":{}"), PROBLEM_DEPARTMENT_CONTRACT);
    ck_assert_int_eq(type_of(200, JSON, "{\"data\":{},\"data\":{}}"), PROBLEM_DEPARTMENT_CONTRACT);
    ck_assert_int_eq(type_of(200, JSON, ""), PROBLEM_DEPARTMENT_CONTRACT);
    ck_assert_int_eq(type_of(200, "text/html", "{\"data\":{}}"), PROBLEM_DEPARTMENT_CONTRACT);
    ck_assert_int_eq(type_of(200, NULL, "{\"data\":{}}"), PROBLEM_DEPARTMENT_CONTRACT);
    ck_assert_int_eq(type_of(202, JSON, "{\"data\":{}}"), PROBLEM_DEPARTMENT_CONTRACT);
    ck_assert_int_eq(type_of(204, JSON, "{}"), PROBLEM_DEPARTMENT_CONTRACT);
    const struct problem *problem = read_answer(202, JSON, "{}");
    ASSERT_STR(problem->extension, "\"department\":\"bank\",\"operation\":\"listCards\"");
    const struct answer_message packed = {
        .status = 200, .content_type = STR(JSON), .content_encoding = STR("gzip"), .body = STR("{\"data\":{}}")};
    ck_assert_int_eq(answer_judge(arena, &wanted, &packed, &answer)->type, PROBLEM_DEPARTMENT_CONTRACT);
}
END_TEST

START_TEST(a_deep_answer_is_refused)
{
    begin();
    char body[256] = "{\"data\":{\"x\":";
    for (int i = 0; i < 40; i++)
        strcat(body, "[");
    for (int i = 0; i < 40; i++)
        strcat(body, "]");
    strcat(body, "}}");
    ck_assert_int_eq(type_of(200, JSON, body), PROBLEM_DEPARTMENT_CONTRACT);
}
END_TEST

START_TEST(a_refusal_is_told_by_whose_fault_it_is)
{
    begin();
    ck_assert_int_eq(type_of(500, "text/html", "x"), PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(type_of(302, NULL, ""), PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(type_of(401, JSON, "{}"), PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(type_of(403, "text/plain", "no"), PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(type_of(429, NULL, ""), PROBLEM_DEPARTMENT_UNAVAILABLE);
    ck_assert_int_eq(type_of(409, JSON, "{}"), PROBLEM_CONFLICT);
    ck_assert_int_eq(type_of(400, JSON, "{}"), PROBLEM_DEPARTMENT_FAILED);
    wanted.inputs_are_asked = true;
    ck_assert_int_eq(type_of(400, JSON, "{}"), PROBLEM_VALIDATION);
    const struct answer_message busy = {.status = 429, .retry_after = STR("7")};
    ck_assert_int_eq(answer_judge(arena, &wanted, &busy, &answer)->retry_after, 7);
}
END_TEST

static struct str masked(const char *masks_yaml, const char *item)
{
    struct masks masks;
    struct text faults = text_open(arena, 64), text = text_open(arena, 64);
    struct fault_sink sink = {.faults = &faults, .kind = "service", .slug = STR("x")};
    ck_assert_msg(masks_compile(arena, yaml_of(masks_yaml), &masks, &sink), "%.*s", STR_ARG(text_str(&faults)));
    struct json_error error;
    const struct json *value = json_parse(arena, str_of(item), &json_limits_answer, &error);
    ck_assert_ptr_nonnull(value);
    struct json_out out = json_write(&text);
    masks_write(&out, arena, &masks, value);
    return text_str(&text);
}

START_TEST(only_masked_members_change)
{
    ASSERT_STR(masked("{/id: id_number}", "{ \"a\" : 1.50, \"id\" : \"11010519491231002X\" , \"b\":\"\\u4e2d\"}"),
               "{ \"a\" : 1.50, \"id\" : \"110105********002X\" , \"b\":\"\\u4e2d\"}");
    ASSERT_STR(masked("{/id: id_number}", "{ \"a\" : 1 }"), "{ \"a\" : 1 }");
}
END_TEST

START_TEST(masks_reach_into_lists_and_objects)
{
    ASSERT_STR(
        masked("{/people/*/name: name, /people/0/phone: phone_number}",
               "{\"people\":[{\"name\":\"张三\",\"phone\":\"13800138000\"},{\"name\":\"李四\",\"phone\":\"13800138001\"}]}"),
        "{\"people\":[{\"name\":\"张*\",\"phone\":\"138****8000\"},{\"name\":\"李*\",\"phone\":\"13800138001\"}]}");
    ASSERT_STR(masked("{/a~1b: name}", "{\"a/b\":\"张三\"}"), "{\"a/b\":\"张*\"}");
}
END_TEST

START_TEST(a_mask_lets_nothing_through_for_having_another_type)
{
    ASSERT_STR(masked("{/card: bank_card}", "{\"card\":6214000000000001234,\"x\":1}"), "{\"card\":\"**** 1234\",\"x\":1}");
    ASSERT_STR(masked("{/card: bank_card}", "{\"card\":{\"no\":\"6214000000000001234\"}}"), "{\"card\":null}");
    ASSERT_STR(masked("{/card: bank_card}", "{\"card\":[\"6214000000000001234\"]}"), "{\"card\":null}");
    ASSERT_STR(masked("{/card: bank_card, /card/no: bank_card}", "{\"card\":{\"no\":\"6214000000000001234\"},\"y\":2}"),
               "{\"card\":null,\"y\":2}");
}
END_TEST

RUN_FLOOR_TESTS("federation answer", the_items_are_selected_by_their_pointer,
                nobody_found_is_an_empty_list_where_the_mapping_says_so, what_is_outside_the_contract_does_not_pass,
                a_deep_answer_is_refused, a_refusal_is_told_by_whose_fault_it_is, only_masked_members_change,
                masks_reach_into_lists_and_objects, a_mask_lets_nothing_through_for_having_another_type)
