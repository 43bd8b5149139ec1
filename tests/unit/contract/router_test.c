/* The router: literals before parameters, methods, the rest of a path, clashes. */
#include "contract/router.h"
#include "suite.h"

#define HEAD "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths:\n"
#define PARAMETER(name) "    parameters: [{name: " name ", in: path, required: true, schema: {type: string}}]\n"

static const char routes[] =
    HEAD "  /:\n"
         "    get: {operationId: root}\n"
         "  /v1/services:\n"
         "    get: {operationId: list}\n"
         "    post: {operationId: create}\n"
         "  /v1/services/search:\n"
         "    get: {operationId: search}\n"
         "  /v1/services/{slug}:\n" PARAMETER(
             "slug") "    get: {operationId: read}\n"
                     "    delete: {operationId: remove}\n"
                     "  /v1/services/{slug}/cases/{id}:\n"
                     "    parameters:\n"
                     "      - {name: id, in: path, required: true, schema: {type: string}}\n"
                     "      - {name: slug, in: path, required: true, schema: {type: string}}\n"
                     "    get: {operationId: case}\n"
                     "  /v1/services/search/saved:\n"
                     "    get: {operationId: saved}\n"
                     "  /sandbox/{rest}:\n"
                     "    parameters: [{name: rest, in: path, required: true, x-shimin-rest: true, schema: {type: string}}]\n"
                     "    get: {operationId: pass}\n"
                     "    put: {operationId: store}\n";

static struct router *router_of(const char *yaml)
{
    const struct contract *contract = contract_of("routes.yaml", yaml);
    struct router *router = router_new(arena);
    struct str reason = STR("");
    for (unsigned i = 0; i < contract->operation_count; i++)
        ck_assert_msg(router_add(router, &contract->operations[i], (void *)&contract->operations[i], &reason), "%.*s",
                      STR_ARG(reason));
    return router;
}

static struct route_match match(const struct router *router, enum http_method method, const char *path)
{
    struct route_match found;
    router_match(router, method, str_of(path), &found);
    return found;
}

START_TEST(paths_lead_to_their_operations)
{
    static const struct {
        const char *path, *id, *first, *second;
    } cases[] = {
        {"/", "root", NULL, NULL},
        {"/v1/services", "list", NULL, NULL},
        {"/v1/services/search", "search", NULL, NULL},
        {"/v1/services/water", "read", "water", NULL},
        {"/v1/services/a%2Fb", "read", "a%2Fb", NULL},
        {"/v1/services/water/cases/7", "case", "water", "7"},
        {"/v1/services/search/cases/7", "case", "search", "7"}, /* back from the literal branch */
        {"/v1/services/search/saved", "saved", NULL, NULL},
        {"/sandbox/power/v1/bills", "pass", "power/v1/bills", NULL},
        {"/sandbox/power", "pass", "power", NULL},
    };
    struct router *router = router_of(routes);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct route_match found = match(router, METHOD_GET, cases[i].path);
        ck_assert_msg(found.operation != NULL, "%s", cases[i].path);
        ASSERT_STR(found.operation->id, cases[i].id);
        ck_assert_ptr_eq(found.target, found.operation);
        ck_assert_uint_eq(found.value_count, (unsigned)((cases[i].first != NULL) + (cases[i].second != NULL)));
        if (cases[i].first)
            ASSERT_STR(found.values[0], cases[i].first);
        if (cases[i].second)
            ASSERT_STR(found.values[1], cases[i].second);
        ck_assert_uint_eq(found.value_count, found.operation->path_parameter_count);
    }
    ASSERT_STR(match(router, METHOD_GET, "/v1/services/a/cases/b").operation->path_parameters[0]->name, "slug");
}
END_TEST

START_TEST(empty_and_dot_segments_and_unknown_paths_do_not_match)
{
    static const char *const paths[] = {"",
                                        "v1",
                                        "//",
                                        "/v1",
                                        "/v1/",
                                        "/v1/services/",
                                        "/v1//services",
                                        "/v1/services/.",
                                        "/v1/services/..",
                                        "/v1/services/%2e%2E",
                                        "/v1/services/.%2e",
                                        "/v2/services",
                                        "/sandbox",
                                        "/sandbox/",
                                        "/sandbox/a//b",
                                        "/sandbox/a/../b",
                                        "/v1/services/x/y"};
    struct router *router = router_of(routes);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct route_match found = match(router, METHOD_GET, paths[i]);
        ck_assert_msg(!found.found && !found.operation && found.value_count == 0, "%s matches", paths[i]);
    }
    ck_assert(match(router, METHOD_GET, "/v1/services/...").found);
}
END_TEST

START_TEST(a_path_without_the_method_tells_which_it_has)
{
    struct router *router = router_of(routes);
    struct route_match found = match(router, METHOD_PUT, "/v1/services/water");
    ck_assert(found.found);
    ck_assert_ptr_null(found.operation);
    ck_assert_uint_eq(found.allowed, 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_DELETE);
    found = match(router, METHOD_HEAD, "/v1/services");
    ASSERT_STR(found.operation->id, "list");
    ASSERT_STR(match(router, METHOD_PUT, "/sandbox/a/b").operation->id, "store");
}
END_TEST

START_TEST(clashes_and_odd_templates_are_refused)
{
    static const struct {
        const char *yaml, *reason;
    } cases[] = {
        {HEAD
         "  /a/{x}:\n" PARAMETER("x") "    get: {operationId: one}\n  /a/{y}:\n" PARAMETER("y") "    get: {operationId: two}\n",
         "GET /a/{y} is taken by operation one (/a/{x})"},
        {HEAD "  /a/x{x}:\n" PARAMETER("x") "    get: {operationId: one}\n", "a parameter must be a whole segment of the path"},
        {HEAD "  /a//b:\n    get: {operationId: one}\n", "the path has an empty segment"},
        {HEAD
         "  /a/{x}/b:\n    parameters: [{name: x, in: path, required: true, x-shimin-rest: true, schema: {type: string}}]\n"
         "    get: {operationId: one}\n",
         "only the last segment can take the rest of the path"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct contract *contract = contract_of("clash.yaml", cases[i].yaml);
        struct router *router = router_new(arena);
        struct str reason = STR("");
        bool good = true;
        for (unsigned k = 0; k < contract->operation_count && good; k++)
            good = router_add(router, &contract->operations[k], NULL, &reason);
        ck_assert(!good);
        ASSERT_STR(reason, cases[i].reason);
    }
}
END_TEST

START_TEST(a_large_table_finds_every_route)
{
    struct text yaml = text_open(arena, 65536);
    text_add_c(&yaml, HEAD);
    for (int i = 0; i < 600; i++)
        text_printf(&yaml, "  /v%d/thing%d/{x}/part%d:\n" PARAMETER("x") "    get: {operationId: op%d}\n", i % 7, i, i % 3, i);
    struct router *router = router_of(yaml.at);
    for (int i = 0; i < 600; i++) {
        struct str path = str_printf(arena, "/v%d/thing%d/k/part%d", i % 7, i, i % 3);
        ck_assert(str_is(match(router, METHOD_GET, path.at).operation->id, str_printf(arena, "op%d", i).at));
    }
}
END_TEST

RUN_TESTS("router", paths_lead_to_their_operations, empty_and_dot_segments_and_unknown_paths_do_not_match,
          a_path_without_the_method_tells_which_it_has, clashes_and_odd_templates_are_refused, a_large_table_finds_every_route)
