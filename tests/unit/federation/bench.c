/* What a question costs the worker over the bare HTTP exchange: federation-bench <port of http-fixture>. Prints microseconds of
 * processor time a call, of this thread only. */
#include "federation/federation.h"
#include "http/upstream.h"
#include "suite.h"

#include <shimin/department.h>
#include <shimin/fiber.h>
#include <shimin/worker.h>
#include <stdio.h>
#include <sys/resource.h>

enum { CALLS = 20000 };

static const char contract_yaml[] =
    "openapi: 3.1.0\n"
    "info: {title: Bench, version: '1'}\n"
    "paths:\n"
    "  /small:\n"
    "    get:\n"
    "      operationId: getSmall\n"
    "      security: [{hmac: []}]\n"
    "      parameters:\n"
    "        - {name: X-Id-Number, in: header, required: true, schema: {type: string}}\n"
    "        - {name: year, in: query, schema: {type: integer}}\n"
    "      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, required: [message, path], "
    "properties: {message: {type: string, maxLength: 20}, path: {type: string}}}}}}}\n"
    "components: {securitySchemes: {hmac: {type: http, scheme: HMAC-SHA256}}}\n";

static uint16_t port;
static struct service *service;
static struct citizen citizen;
static struct federation_settings settings;

static double processor_time(void)
{
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void bare(void)
{
    struct upstream *upstream =
        upstream_open(&(struct upstream_settings){.host = STR("127.0.0.1"), .port = port, .idle = 4, .idle_time = seconds(30)});
    double before = processor_time();
    for (int i = 0; i < CALLS; i++) {
        CLEANUP(arena_close_held) struct arena *own = arena_open();
        const struct upstream_request request = {
            .method = STR("GET"), .target = STR("/small"), .most = 1 << 20, .deadline = deadline_in(seconds(1))};
        struct upstream_response response;
        ck_assert(upstream_call(upstream, &request, own, &response) == UPSTREAM_OK);
    }
    printf("upstream_call   %6.2f us\n", (processor_time() - before) / CALLS);
    upstream_close(upstream);
}

static void federated(void)
{
    const struct json *year = json_make_integer(arena, 2024);
    struct json *values = json_make_object(arena);
    json_set(arena, values, STR("year"), year);
    double before = processor_time();
    for (int i = 0; i < CALLS; i++) {
        CLEANUP(arena_close_held) struct arena *own = arena_open();
        const struct department_question question = {.arena = own, .service = service, .citizen = &citizen, .values = values};
        struct department_answer answer;
        ck_assert(!department_ask(&question, &answer));
        struct text text = text_open(own, 1024);
        struct json_out out = json_write(&text);
        json_object(&out);
        department_answer_write(&out, own, service, &answer);
        json_end(&out);
    }
    printf("department_ask  %6.2f us, signed, validated, masked and written\n", (processor_time() - before) / CALLS);
}

static bool measure(void *argument)
{
    (void)argument;
    if (!settings.reach)
        settings.reach = this_machine();
    ck_assert(federation_open(&settings));
    bare();
    federated();
    return true;
}

START_TEST(a_question_is_measured)
{
    char definition[256];
    struct text faults;
    citizen = citizen_of();
    snprintf(definition, sizeof definition, "backend: {address: 'http://127.0.0.1:%u', concurrency: 8}", port);
    service =
        service_of(department_of(contract_of(contract_yaml), definition), ARCHETYPE_QUERY, LEVEL_REAL_NAME, true,
                   "operation: {id: getSmall, request: {X-Id-Number: citizen.id_number, year: query.year}, items: '', masks: "
                   "{/message: name}}\nparameters: [{name: year, schema: {type: integer}}]",
                   &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    settings.secrets =
        secrets_parse(STR("departments: {test: {key_id: a, hmac_key: MDEyMzQ1Njc4OWFiY2RlZg==}}"), "secrets.yaml", &faults);
    ck_assert(workers_start(1, measure, NULL));
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {a_question_is_measured};
    if (argc != 2)
        return 2;
    port = (uint16_t)atoi(argv[1]);
    return run_tests("federation bench", open_floor, shut_arena, tests, COUNT_OF(tests));
}
