/* Routes: every fault of a module's contract is named before anything is served. */
#include "asked.h"

#include "edge/route.h"

#include <shimin/module.h>

#include <string.h>

static struct arena *arena;
static struct text faults;
static struct limits limits;

static void set_up(void)
{
    arena = arena_open();
    faults = text_open(arena, 256);
    limits = (struct limits){0};
}

static void tear_down(void)
{
    arena_close(arena);
}

static void answer(struct request *request)
{
    reply_empty(request, 204);
}

static struct routes *load(const struct module *module)
{
    return routes_load(arena, (const struct module *const[]){module, NULL}, &limits, &faults);
}

#define GET_WITH(extension)                                                                                                    \
    TEST_CONTRACT("  /v1/{slug}:\n    get:\n      operationId: readIt\n      x-shimin: " extension                             \
                  "\n      parameters: [{name: slug, in: path, required: true, schema: {type: string}}]\n      " RESPONSES     \
                  "\n")

static void expect_fault(const char *contract, const char *words)
{
    faults = text_open(arena, 256);
    const struct module module = TEST_MODULE("test", contract, {"readIt", answer}, );
    ck_assert_ptr_null(load(&module));
    ASSERT_HAS(text_str(&faults), words);
}

START_TEST(a_good_contract_is_bound_and_found)
{
    const struct module module =
        TEST_MODULE("test", GET_WITH("{level: service, service: slug, act: read, archetypes: [query], deadline_ms: 500}"),
                    {"readIt", answer}, );
    struct routes *routes = load(&module);
    ck_assert_msg(routes != NULL, "%s", faults.at);
    struct route_match match;
    routes_match(routes, METHOD_HEAD, STR("/v1/x"), &match);
    const struct route *route = match.target;
    ck_assert_ptr_nonnull(route);
    ck_assert(route->level_of_service && route->service_at == 0 && route->act == ACT_READ);
    ck_assert(route->archetypes == 1U << ARCHETYPE_QUERY && route->deadline == milliseconds(500));
    routes_match(routes, METHOD_POST, STR("/v1/x"), &match);
    ck_assert(!match.target && match.found);
    ASSERT_HAS(routes_document(routes), "/v1/{slug}");
    ck_assert_int_lt(str_find(routes_document(routes), STR("x-shimin")), 0);
}
END_TEST

#define SECURED_BY(path, security)                                                                                             \
    TEST_CONTRACT(                                                                                                             \
        "  " path ":\n    get:\n      operationId: readIt\n      security: " security "\n      " RESPONSES                     \
        "\ncomponents: {securitySchemes: {session: {type: http, scheme: bearer}, staff: {type: http, scheme: bearer}, "        \
        "client: {type: http, scheme: bearer}}}\n")

START_TEST(security_says_whose_an_operation_is)
{
    static const struct {
        const char *contract;
        unsigned roles, scopes;
    } cases[] = {
        {SECURED_BY("/admin/v1/x", "[{staff: [system]}, {staff: [operator]}]"), 1U << ROLE_SYSTEM | 1U << ROLE_OPERATOR, 0},
        {SECURED_BY("/department/v1/x", "[{staff: [manager]}, {client: [clients]}]"), 1U << ROLE_MANAGER, 1U << SCOPE_CLIENTS},
        {SECURED_BY("/admin/v1/x", "[{staff: []}]"), (1U << ROLES) - 1, 0},
        {SECURED_BY("/admin/v1/x", "[]"), 0, 0},
        {SECURED_BY("/v1/x", "[{session: []}, {}]"), 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct module module = TEST_MODULE("test", cases[i].contract, {"readIt", answer}, );
        faults = text_open(arena, 256);
        struct routes *routes = load(&module);
        ck_assert_msg(routes != NULL, "%s", faults.at);
        struct route_match match;
        const char *at = strstr(cases[i].contract, "  /");
        routes_match(routes, METHOD_GET, str_slice(str_of(at), 2, strcspn(at + 2, ":") + 2), &match);
        const struct route *route = match.target;
        ck_assert_uint_eq(route->roles, cases[i].roles);
        ck_assert_uint_eq(route->scopes, cases[i].scopes);
    }
}
END_TEST

START_TEST(an_operation_that_does_not_say_whose_it_is_is_refused)
{
    expect_fault(SECURED_BY("/admin/v1/x", "[{staff: [king]}]"), "security/0 must be");
    expect_fault(SECURED_BY("/admin/v1/x", "[{staff: [system, audit]}]"), "security/0 must be");
    expect_fault(SECURED_BY("/admin/v1/x", "[{client: []}]"), "security/0 must be");
    expect_fault(SECURED_BY("/admin/v1/x", "[{staff: [system], client: [contracts]}]"), "security/0 must be");
    expect_fault(SECURED_BY("/admin/v1/x", "[{staff: [system]}, {}]"), "mixes citizens");
    expect_fault(SECURED_BY("/admin/v1/x", "[{session: []}]"), "names neither staff nor client");
    expect_fault(TEST_CONTRACT("  /department/v1/x:\n    get:\n      operationId: readIt\n      " RESPONSES "\n"),
                 "names neither staff nor client");
}
END_TEST

START_TEST(members_of_x_shimin_that_are_unknown_or_broken_are_refused)
{
    static const struct {
        const char *contract, *words;
    } cases[] = {
        {GET_WITH("{levle: L1}"), "x-shimin/levle is not understood"},
        {GET_WITH("{level: L9}"), "x-shimin/level is not understood"},
        {GET_WITH("{level: 1}"), "x-shimin/level is not understood"},
        {GET_WITH("{service: slag}"), "x-shimin/service is not understood"},
        {GET_WITH("{archetypes: []}"), "x-shimin/archetypes is not understood"},
        {GET_WITH("{archetypes: [fly]}"), "x-shimin/archetypes is not understood"},
        {GET_WITH("{act: dance}"), "x-shimin/act is not understood"},
        {GET_WITH("{limits: [nobody]}"), "x-shimin/limits is not understood"},
        {GET_WITH("{idempotency: sometimes}"), "x-shimin/idempotency is not understood"},
        {GET_WITH("{deadline_ms: -1}"), "x-shimin/deadline_ms is not understood"},
        {GET_WITH("{deadline_ms: soon}"), "x-shimin/deadline_ms is not understood"},
        {GET_WITH("[level]"), "x-shimin"},
        {GET_WITH("L1"), "x-shimin"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_fault(cases[i].contract, cases[i].words);
}
END_TEST

START_TEST(an_operation_needs_a_handler_and_a_handler_an_operation)
{
    const struct module without = TEST_MODULE("test", GET_WITH("{level: L0}"), );
    ck_assert_ptr_null(load(&without));
    ASSERT_HAS(text_str(&faults), "operation readIt has no handler");
    faults = text_open(arena, 256);
    const struct module more = TEST_MODULE("test", GET_WITH("{level: L0}"), {"readIt", answer}, {"writeIt", answer}, );
    ck_assert_ptr_null(load(&more));
    ASSERT_HAS(text_str(&faults), "handler writeIt has no operation");
}
END_TEST

START_TEST(two_modules_cannot_have_one_path)
{
    const struct module first = TEST_MODULE("first", GET_WITH("{level: L0}"), {"readIt", answer}, );
    const struct module second = TEST_MODULE("second", GET_WITH("{level: L0}"), {"readIt", answer}, );
    ck_assert_ptr_null(routes_load(arena, (const struct module *const[]){&first, &second, NULL}, &limits, &faults));
    ASSERT_HAS(text_str(&faults), "second");
}
END_TEST

START_TEST(a_parameter_in_a_cookie_and_a_broken_contract_are_refused)
{
    expect_fault(
        TEST_CONTRACT("  /v1/x:\n    get:\n      operationId: readIt\n      parameters: [{name: a, in: cookie, schema: {type: "
                      "string}}]\n      " RESPONSES "\n"),
        "cookies are not read: a");
    expect_fault("openapi: 3.1.1\ninfo: {title: test, version: '1'}\npaths: {/v1/x: {get: 5}}\n", "test");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edge route");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_good_contract_is_bound_and_found);
    tcase_add_test(all, members_of_x_shimin_that_are_unknown_or_broken_are_refused);
    tcase_add_test(all, security_says_whose_an_operation_is);
    tcase_add_test(all, an_operation_that_does_not_say_whose_it_is_is_refused);
    tcase_add_test(all, an_operation_needs_a_handler_and_a_handler_an_operation);
    tcase_add_test(all, two_modules_cannot_have_one_path);
    tcase_add_test(all, a_parameter_in_a_cookie_and_a_broken_contract_are_refused);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
