/* Where the gateway connects to on a department's word, and what of its contract and its configuration is believed. */
#include "federation/federation.h"
#include "federation/own_header.h"
#include "federation/schema_path.h"
#include "suite.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

static const char *refusal_of(const struct reach *reach, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return reach_refusal(reach, (const struct sockaddr *)&v4);
    ck_assert_msg(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1, "%s", text);
    return reach_refusal(reach, (const struct sockaddr *)&v6);
}

static struct reach opened(const char *const *list)
{
    struct reach reach = {0};
    struct range *ranges = arena_array(arena, struct range, 8);
    const char *reason;
    for (; list[reach.count]; reach.count++)
        ck_assert_msg(range_parse(str_of(list[reach.count]), &ranges[reach.count], &reason), "%s %s", list[reach.count],
                      reason);
    reach.opened = ranges;
    return reach;
}

START_TEST(only_public_addresses_are_within_reach)
{
    static const char *const outside[] = {"0.0.0.0",
                                          "0.1.2.3",
                                          "10.0.0.1",
                                          "100.64.0.1",
                                          "100.127.255.255",
                                          "100.100.100.200",
                                          "127.0.0.1",
                                          "127.255.255.254",
                                          "168.63.129.16",
                                          "169.254.0.1",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.192",
                                          "192.0.2.1",
                                          "192.168.1.1",
                                          "198.18.0.1",
                                          "198.51.100.1",
                                          "203.0.113.1",
                                          "224.0.0.1",
                                          "239.255.255.255",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "::127.0.0.1",
                                          "::ffff:127.0.0.1",
                                          "::ffff:10.0.0.1",
                                          "::ffff:169.254.169.254",
                                          "::ffff:0.0.0.0",
                                          "64:ff9b::127.0.0.1",
                                          "64:ff9b::169.254.169.254",
                                          "64:ff9b::10.1.2.3",
                                          "64:ff9b:1::1",
                                          "100::1",
                                          "2001::1",
                                          "2001:db8::1",
                                          "2002:7f00:1::1",
                                          "2002:a9fe:a9fe::1",
                                          "3fff::1",
                                          "fc00::1",
                                          "fd00:ec2::254",
                                          "fd12::1",
                                          "fe80::1",
                                          "fec0::1",
                                          "ff02::1",
                                          "4000::1",
                                          "5f00::1",
                                          "8000::1",
                                          "c000::1"};
    static const char *const inside[] = {"1.1.1.1",         "8.8.8.8",         "100.63.255.255", "100.128.0.1",
                                         "126.255.255.255", "128.0.0.1",       "172.15.255.255", "172.32.0.1",
                                         "169.253.255.255", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
                                         "2400:3200::1",    "2606:4700::1111"};
    static const struct reach nothing, closed = {.public_closed = true};
    for (size_t i = 0; i < COUNT_OF(outside); i++)
        ck_assert_msg(refusal_of(&nothing, outside[i]) != NULL, "%s", outside[i]);
    for (size_t i = 0; i < COUNT_OF(inside); i++) {
        ck_assert_msg(refusal_of(&nothing, inside[i]) == NULL, "%s", inside[i]);
        ck_assert_str_eq(refusal_of(&closed, inside[i]), "public");
    }
    ck_assert_str_eq(refusal_of(&nothing, "127.0.0.1"), "loopback");
    ck_assert_str_eq(refusal_of(&nothing, "169.254.169.254"), "a cloud's metadata service");
    struct sockaddr other = {.sa_family = AF_UNIX};
    ck_assert_ptr_nonnull(reach_refusal(&nothing, &other));
}
END_TEST

START_TEST(a_range_opens_itself_and_nothing_else)
{
    static const char *const list[] = {"10.20.0.0/16", "169.254.0.0/16", "fd12:3456::/32", "127.0.0.1", NULL};
    struct reach reach = opened(list);
    static const char *const inside[] = {"10.20.0.1",   "10.20.255.255", "::ffff:10.20.1.1", "64:ff9b::10.20.1.1",
                                         "169.254.1.1", "fd12:3456::1",  "127.0.0.1"};
    static const char *const outside[] = {"10.19.255.255", "10.21.0.0", "169.254.169.254", "169.254.170.2", "fd12:3457::1",
                                          "127.0.0.2",     "::1",       "192.168.0.1"};
    for (size_t i = 0; i < COUNT_OF(inside); i++)
        ck_assert_msg(refusal_of(&reach, inside[i]) == NULL, "%s", inside[i]);
    for (size_t i = 0; i < COUNT_OF(outside); i++)
        ck_assert_msg(refusal_of(&reach, outside[i]) != NULL, "%s", outside[i]);
    static const char *const metadata[] = {"169.254.169.254/32", NULL};
    reach = opened(metadata);
    ck_assert_ptr_null(refusal_of(&reach, "169.254.169.254"));
    static const char *const some_public[] = {"203.0.112.0/24", NULL};
    reach = opened(some_public);
    reach.public_closed = true;
    ck_assert_ptr_null(refusal_of(&reach, "203.0.112.9"));
    ck_assert_str_eq(refusal_of(&reach, "8.8.8.8"), "public");
}
END_TEST

START_TEST(what_is_no_range_or_opens_too_much_is_refused)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "/8",
                                      "10.0.0.0/",
                                      "10.0.0.0/33",
                                      "10.0.0.0/-1",
                                      "10.0.0.1/8",
                                      "10/8",
                                      "example.org",
                                      "10.0.0.0/8/8",
                                      "fd00::/129",
                                      "fd00::1/64",
                                      " 10.0.0.0/8",
                                      "0.0.0.0/0",
                                      "::/0",
                                      "172.0.0.0/8",
                                      "2000::/3",
                                      "168.0.0.0/6",
                                      "127.0.0.0/7",
                                      "fc00::/6",
                                      "0000:0000:0000:0000:0000:0000:0000:0000:0000:0001/128"};
    struct range range;
    const char *reason;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        ck_assert_msg(!range_parse(str_of(bad[i]), &range, &reason) && reason, "%s", bad[i]);
    static const char *const good[] = {"10.0.0.0/8",     "10.1.2.3",       "127.0.0.0/8",    "::1",
                                       "fd00::/8",       "fc00::/7",       "192.168.7.0/24", "100.64.0.0/10",
                                       "203.0.112.0/24", "2400:3200::/32", "fe80::/10"};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        ck_assert_msg(range_parse(str_of(good[i]), &range, &reason), "%s: %s", good[i], reason);
}
END_TEST

START_TEST(no_contract_asks_for_a_callers_credentials)
{
    static const char *const ours[] = {"Authorization",
                                       "COOKIE",
                                       "X-Forwarded-For",
                                       "x-real-ip",
                                       "Host",
                                       "Content-Length",
                                       "Transfer-Encoding",
                                       "X-Department-Signature",
                                       "traceparent",
                                       "Proxy-Authorization",
                                       "X-CSRF-Token",
                                       "Sec-Fetch-Site",
                                       "Idempotency-Key",
                                       "Expect"};
    static const char *const theirs[] = {"X-Id-Number", "X-Bound-Phone", "Line", "X-Forward", "Section", ""};
    for (size_t i = 0; i < COUNT_OF(ours); i++)
        ck_assert_msg(header_is_ours(str_of(ours[i])), "%s", ours[i]);
    for (size_t i = 0; i < COUNT_OF(theirs); i++)
        ck_assert_msg(!header_is_ours(str_of(theirs[i])), "%s", theirs[i]);
}
END_TEST

static const char greedy_yaml[] =
    "openapi: 3.1.0\n"
    "info: {title: Test, version: '1'}\n"
    "paths:\n"
    "  /v1/things:\n"
    "    get:\n"
    "      operationId: listThings\n"
    "      parameters:\n"
    "        - {name: X-Forwarded-For, in: header, required: true, schema: {type: string}}\n"
    "        - {name: line, in: query, schema: {type: string}}\n"
    "      responses:\n"
    "        '200':\n"
    "          description: ok\n"
    "          content: {application/json: {schema: {type: object, properties: {list: {type: array, items: {type: object, "
    "properties: {no: {type: string}}, additionalProperties: {type: integer}}}}}}}\n";

START_TEST(a_mapping_cannot_fill_the_gateways_own_headers)
{
    struct text faults;
    struct department *department = department_of(contract_of(greedy_yaml), "backend: {address: sandbox}");
    ck_assert_ptr_null(service_of(department, ARCHETYPE_QUERY, LEVEL_GUEST, false,
                                  "operation: {id: listThings, request: {X-Forwarded-For: 'const:x'}}", &faults));
    ASSERT_HAS(text_str(&faults), "the gateway's own header");
    ck_assert_ptr_nonnull(
        service_of(department, ARCHETYPE_QUERY, LEVEL_GUEST, false, "operation: {id: listThings, request: {}}", &faults));
    const struct plan *plan = department->backend;
    ck_assert_uint_eq(plan->direct[0]->header_count, 0);
}
END_TEST

START_TEST(credentials_of_another_department_are_a_fault)
{
    static const struct {
        const char *backend;
        bool good;
    } cases[] = {{"backend: {address: sandbox}", true},
                 {"backend: {address: sandbox, credentials: test}", true},
                 {"backend: {address: sandbox, credentials: test/second}", true},
                 {"backend: {address: sandbox, credentials: test/}", false},
                 {"backend: {address: sandbox, credentials: tester}", false},
                 {"backend: {address: sandbox, credentials: housing-fund}", false},
                 {"backend: {address: sandbox, credentials: housing-fund/test}", false},
                 {"backend: {address: sandbox, credentials: ''}", false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text faults = text_open(arena, 64);
        struct fault_sink sink = {.faults = &faults, .kind = "department", .slug = STR("test")};
        struct department department = {
            .slug = STR("test"), .number = 1, .contract = contract_of(greedy_yaml), .definition = yaml_of(cases[i].backend)};
        bool good;
        const struct plan *plan = plan_compile(arena, &department, &sink, &good);
        ck_assert_msg(good == cases[i].good && (plan != NULL) == good, "%s", cases[i].backend);
        if (!good)
            ASSERT_HAS(text_str(&faults), "/backend/credentials");
    }
}
END_TEST

START_TEST(a_report_shows_no_name_that_the_contract_does_not_have)
{
    static const struct {
        const char *pointer, *shown;
    } cases[] = {{"", ""},
                 {"/list", "/list"},
                 {"/list/7/no", "/list/*/no"},
                 {"/list/0/11010519491231002X", "/list/*/*"},
                 {"/11010519491231002X", "/*"},
                 {"/list/7/no/deeper", "/list/*/no/*"}};
    const struct contract *contract = contract_of(greedy_yaml);
    const struct json *schema = json_get(contract->operations[0].responses[0].media[0].source, "schema");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        ck_assert_msg(str_is(schema_path_shown(arena, contract, schema, str_of(cases[i].pointer)), cases[i].shown), "%s",
                      cases[i].pointer);
}
END_TEST

/* ---- the configuration ---- */

static const struct config_key keys[] = {
    {"departments", CONFIG_MAP, NULL, .help = "x"},
    {"federation.allowed_ranges", CONFIG_LIST, "", .help = "x"},
    {"federation.public_addresses", CONFIG_BOOLEAN, "true", .help = "x"},
    {"federation.answer_bytes", CONFIG_SIZE, "8MiB", .help = "x"},
    {"federation.answer_head_bytes", CONFIG_SIZE, "64KiB", .help = "x"},
    {"federation.answer_depth", CONFIG_INTEGER, "32", .help = "x"},
    {"federation.answer_nodes", CONFIG_INTEGER, "200000", .help = "x"},
    {"federation.department_bytes", CONFIG_SIZE, "128MiB", .help = "x"},
    {"federation.contract_bytes", CONFIG_SIZE, "64MiB", .help = "x"},
    {"federation.contract_bytes_a_day", CONFIG_SIZE, "64MiB", .help = "x"},
    {"federation.deadline_most", CONFIG_DURATION, "60s", .help = "x"},
    {"federation.concurrency_most", CONFIG_INTEGER, "1024", .help = "x"},
    {"federation.deadline", CONFIG_DURATION, "3s", .help = "x"},
    {"federation.cache", CONFIG_BOOLEAN, "true", .help = "x"},
    {"federation.spool", CONFIG_PATH, NULL, .help = "x"},
    {"federation.ca", CONFIG_PATH, NULL, .help = "x"},
};

static bool configure(const char *yaml, struct federation_settings *settings, struct text *faults)
{
    char path[] = "/tmp/shimin-reach-XXXXXX";
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    FILE *file = fdopen(descriptor, "w");
    fputs(yaml, file);
    fclose(file);
    *faults = text_open(arena, 256);
    struct config *config = config_load(path, keys, COUNT_OF(keys), faults);
    ck_assert_msg(config != NULL, "%s", faults->at);
    bool good = federation_read(arena, config, settings, faults);
    arena_defer(arena, (void (*)(void *))config_close, config);
    remove(path);
    return good;
}

START_TEST(ranges_are_read_from_the_configuration_for_all_and_for_one)
{
    struct federation_settings settings = {0};
    struct text faults;
    ck_assert(configure("federation:\n  allowed_ranges: [10.20.0.0/16]\n  answer_depth: 16\n"
                        "departments:\n  metro: {allowed_ranges: ['192.168.3.0/24']}\n  bus: {address: sandbox}\n",
                        &settings, &faults));
    ck_assert_ptr_null(refusal_of(settings.reach, "10.20.0.1"));
    ck_assert_ptr_nonnull(refusal_of(settings.reach, "192.168.3.1"));
    ck_assert_uint_eq(settings.reach_count, 1);
    ck_assert(str_is(settings.reaches[0].slug, "metro"));
    ck_assert_ptr_null(refusal_of(&settings.reaches[0].reach, "192.168.3.1"));
    ck_assert_ptr_nonnull(refusal_of(&settings.reaches[0].reach, "10.20.0.1"));
    ck_assert_uint_eq(settings.limits.depth, 16);
}
END_TEST

START_TEST(each_bad_line_of_the_configuration_is_named_with_its_reason)
{
    struct federation_settings settings = {0};
    struct text faults;
    ck_assert(!configure("federation:\n  allowed_ranges:\n    - 10.0.0.0/8\n    - 0.0.0.0/0\n    - ten/8\n"
                         "departments:\n  metro:\n    adress: http://x\n  bus:\n    allowed_ranges: [10.0.0.1/8, 7]\n"
                         "  tax: {address: 'ftp://x'}\n  gas: 5\n",
                         &settings, &faults));
    static const char *const wanted[] = {":4: federation.allowed_ranges: 0.0.0.0/0 is wider than",
                                         ":5: federation.allowed_ranges: ten/8 is no range",
                                         ":8: departments.metro.adress: unknown",
                                         ":10: departments.bus.allowed_ranges: 10.0.0.1/8 has bits set",
                                         ":10: departments.bus.allowed_ranges: an entry must be text",
                                         ":11: departments.tax.address: must be",
                                         ":12: departments.gas: needs"};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        ASSERT_HAS(text_str(&faults), wanted[i]);
}
END_TEST

RUN_FLOOR_TESTS("federation reach", only_public_addresses_are_within_reach, a_range_opens_itself_and_nothing_else,
                what_is_no_range_or_opens_too_much_is_refused, no_contract_asks_for_a_callers_credentials,
                a_mapping_cannot_fill_the_gateways_own_headers, credentials_of_another_department_are_a_fault,
                a_report_shows_no_name_that_the_contract_does_not_have,
                ranges_are_read_from_the_configuration_for_all_and_for_one,
                each_bad_line_of_the_configuration_is_named_with_its_reason)
