/* Bundles: paths merged, clashes told, components renamed only when they differ. */
#include "suite.h"

#define HEAD "openapi: 3.1.1\ninfo: {title: t, version: '1'}\n"

static const char bills[] = HEAD
    "security: [{session: []}]\n"
    "tags: [{name: bills}, {name: shared}]\n"
    "paths:\n"
    "  /v1/bills:\n"
    "    get:\n"
    "      operationId: listBills\n"
    "      x-shimin-level: L2\n"
    "      responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Page'}}}}}\n"
    "components:\n"
    "  securitySchemes: {session: {type: http, scheme: bearer}}\n"
    "  schemas:\n"
    "    Problem: {type: object}\n"
    "    Page: {type: array, items: {$ref: '#/components/schemas/Item'}}\n"
    "    Item: {type: object, x-shimin-mask: name}\n";
static const char books[] = HEAD
    "tags: [{name: shared, description: later}]\n"
    "paths:\n"
    "  /v1/bills:\n"
    "    post: {operationId: payBill, responses: {'204': {description: d}}}\n"
    "  /v1/books:\n"
    "    get:\n"
    "      operationId: listBooks\n"
    "      responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Page'}}}}}\n"
    "components:\n"
    "  schemas:\n"
    "    Problem: {type: object}\n"
    "    Page: {type: array, items: {$ref: '#/components/schemas/Item'}}\n"
    "    Item: {type: string}\n";

static const struct json *bundle(const char *first, const char *second, struct contract_faults *faults)
{
    const struct contract *const contracts[] = {contract_of("bills.yaml", first), contract_of("books.yaml", second)};
    const struct json *head = json_of("{'openapi':'3.1.1','info':{'title':'All','version':'1'},'servers':[{'url':'/'}]}");
    return contract_bundle(arena, head, contracts, 2, faults);
}

static struct str at(const struct json *document, const char *pointer)
{
    const struct json *found = json_at(document, str_of(pointer));
    return found && found->type == JSON_STRING ? found->string : STR("(none)");
}

START_TEST(paths_components_and_tags_are_joined)
{
    struct contract_faults faults;
    const struct json *document = bundle(bills, books, &faults);
    ck_assert_ptr_nonnull(document);
    ASSERT_STR(at(document, "/info/title"), "All");
    ASSERT_STR(at(document, "/paths/~1v1~1bills/get/operationId"), "listBills");
    ASSERT_STR(at(document, "/paths/~1v1~1bills/post/operationId"), "payBill");
    ck_assert_uint_eq(json_get(document, "tags")->count, 2);
    /* What a contract demands of all its operations each of them demands afterwards. */
    ck_assert_ptr_nonnull(json_at(document, STR("/paths/~1v1~1bills/get/security/0/session")));
    ck_assert_ptr_null(json_at(document, STR("/paths/~1v1~1books/get/security")));
    ASSERT_STR(at(document, "/components/securitySchemes/session/scheme"), "bearer");
}
END_TEST

START_TEST(components_are_renamed_only_on_a_clash_and_references_follow)
{
    struct contract_faults faults;
    const struct json *document = bundle(bills, books, &faults);
    ck_assert_uint_eq(json_at(document, STR("/components/schemas"))->count, 5); /* Problem is shared */
    ASSERT_STR(at(document, "/paths/~1v1~1books/get/responses/200/content/application~1json/schema/$ref"),
               "#/components/schemas/books_Page");
    ASSERT_STR(at(document, "/components/schemas/books_Page/items/$ref"), "#/components/schemas/books_Item");
    ASSERT_STR(at(document, "/components/schemas/books_Item/type"), "string");
    ASSERT_STR(at(document, "/components/schemas/Page/items/$ref"), "#/components/schemas/Item");
}
END_TEST

START_TEST(private_members_are_left_out_and_the_result_loads)
{
    struct contract_faults faults;
    struct str text = json_text(arena, bundle(bills, books, &faults));
    ck_assert_int_lt((int)str_find(text, STR("x-shimin")), 0);
    const struct contract *again = contract_load(STR("openapi.json"), text, arena, &faults);
    ck_assert_msg(again != NULL, "%.*s", STR_ARG(faults.list[0].reason));
    ck_assert_uint_eq(again->operation_count, 3);
    contract_free(again);
}
END_TEST

START_TEST(the_same_method_of_a_path_in_two_contracts_is_a_fault)
{
    struct contract_faults faults;
    ck_assert_ptr_null(bundle(bills, bills, &faults));
    ck_assert_uint_eq(faults.count, 1);
    ASSERT_STR(faults.list[0].pointer, "/paths/~1v1~1bills/get");
    ASSERT_STR(faults.list[0].reason, "books.yaml: get /v1/bills is in another contract too");
}
END_TEST

START_TEST(webhooks_are_joined_and_one_of_two_contracts_is_a_fault)
{
    static const char told[] =
        HEAD "paths: {}\n"
             "webhooks:\n"
             "  told:\n"
             "    post: {operationId: told, x-shimin: {}, requestBody: {$ref: '#/components/requestBodies/Event'}, responses: "
             "{'204': "
             "{description: d}}}\n"
             "components: {requestBodies: {Event: {content: {application/json: {schema: {type: object}}}}}}\n";
    struct contract_faults faults;
    const struct json *document = bundle(bills, told, &faults);
    ASSERT_STR(at(document, "/webhooks/told/post/operationId"), "told");
    ASSERT_STR(at(document, "/webhooks/told/post/requestBody/$ref"), "#/components/requestBodies/Event");
    ck_assert_ptr_null(json_at(document, STR("/webhooks/told/post/x-shimin")));
    ck_assert_ptr_null(json_get(bundle(bills, books, &faults), "webhooks"));
    ck_assert_ptr_null(bundle(told, told, &faults));
    ASSERT_STR(faults.list[0].reason, "books.yaml: webhook told is another contract's as well");
}
END_TEST

RUN_TESTS("bundle", webhooks_are_joined_and_one_of_two_contracts_is_a_fault, paths_components_and_tags_are_joined,
          components_are_renamed_only_on_a_clash_and_references_follow, private_members_are_left_out_and_the_result_loads,
          the_same_method_of_a_path_in_two_contracts_is_a_fault)
