/* Departments that answer, hang, break and come back, seen through department_ask. */
#include "fake.h"
#include "federation/federation.h"
#include "suite.h"

#include <shimin/department.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/worker.h>
#include <stdio.h>
#include <unistd.h>

static const char contract_yaml[] =
    "openapi: 3.1.0\n"
    "info: {title: Test, version: '1'}\n"
    "paths:\n"
    "  /v1/cards:\n"
    "    get:\n"
    "      operationId: listCards\n"
    "      parameters: [{name: id_number, in: query, required: true, schema: {type: string}}]\n"
    "      responses:\n"
    "        '200':\n"
    "          description: ok\n"
    "          content: {application/json: {schema: {type: object, required: [data], properties: {data: {type: array, items: "
    "{type: "
    "object, properties: {no: {type: string}}}}}}}}\n"
    "  /v1/orders:\n"
    "    post:\n"
    "      operationId: placeOrder\n"
    "      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [thing]}}}}\n"
    "      responses: {'201': {description: made}}\n"
    "  /v1/secured:\n"
    "    get:\n"
    "      operationId: getSecured\n"
    "      security: [{oauth: []}]\n"
    "      responses:\n"
    "        '200': {description: ok, content: {application/json: {schema: {type: object}}}}\n"
    "components:\n"
    "  securitySchemes:\n"
    "    oauth: {type: oauth2, flows: {clientCredentials: {tokenUrl: /oauth/token, scopes: {}}}}\n";

#define GOOD HTTP_OK("{\"data\": [ {\"no\":\"6214000000000001234\"} ]}")

static struct fake fake, healthy;
static struct department *department, *neighbour;
static struct service *service, *other_service;
static struct citizen citizen;
static struct federation_settings settings;

static void make_departments(void)
{
    char definition[256];
    struct text faults;
    static const char mapping[] =
        "operation: {id: listCards, request: {id_number: citizen.id_number}, items: /data, masks: {/no: "
        "bank_card}}";
    struct department **made[] = {&department, &neighbour};
    struct service **services[] = {&service, &other_service};
    struct fake *fakes[] = {&fake, &healthy};
    for (size_t i = 0; i < 2; i++) {
        fake_open(fakes[i]);
        fakes[i]->answer = GOOD;
        snprintf(definition, sizeof definition,
                 "backend: {address: 'http://127.0.0.1:%u', credentials: test, concurrency: 4, deadline_ms: 1000}",
                 fakes[i]->port);
        struct department *one = *made[i] = department_of(contract_of(contract_yaml), definition);
        ((struct plan *)one->backend)->place = (unsigned)i;
        ((struct plan *)one->backend)->slug = i ? STR("neighbour") : STR("test");
        *services[i] = service_of(one, ARCHETYPE_QUERY, LEVEL_REAL_NAME, true, mapping, &faults);
        ck_assert_msg(*services[i] != NULL, "%.*s", STR_ARG(text_str(&faults)));
    }
    citizen = citizen_of();
    struct text secret_faults = text_open(arena, 64);
    settings.secrets =
        secrets_parse(STR("departments: {test: {client_id: a, client_secret: b}}"), "secrets.yaml", &secret_faults);
    ck_assert_ptr_nonnull(settings.secrets);
    log_set_level(LOG_ERROR);
}

static void (*body)(void);

static bool run_body(void *argument)
{
    (void)argument;
    if (!settings.reach)
        settings.reach = this_machine();
    ck_assert(federation_open(&settings));
    body();
    return true;
}

static void run(void (*given)(void))
{
    body = given;
    make_departments();
    ck_assert(workers_start(1, run_body, NULL));
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
    secrets_free(settings.secrets);
}

static const struct problem *ask_in(struct arena *in, const struct service *of, struct department_answer *answer)
{
    const struct department_question question = {.arena = in, .service = of, .citizen = &citizen};
    return department_ask(&question, answer);
}

static int ask(void)
{
    struct department_answer answer;
    const struct problem *problem = ask_in(arena, service, &answer);
    return problem ? (int)problem->type : -1;
}

static const struct problem *operate(const char *operation, const char *values, struct department_answer *answer)
{
    const struct department_question question = {.arena = arena,
                                                 .department = department,
                                                 .operation_id = str_of(operation),
                                                 .values = values ? yaml_of(values) : NULL,
                                                 .idempotency_key = STR("key-1")};
    return department_ask(&question, answer);
}

static void ask_well(void)
{
    struct department_answer answer;
    ck_assert_ptr_null(ask_in(arena, service, &answer));
    ck_assert_uint_eq(answer.items->count, 1);
    struct text text = text_open(arena, 64);
    struct json_out out = json_write(&text);
    json_object(&out);
    department_answer_write(&out, arena, service, &answer);
    json_end(&out);
    ASSERT_HAS(text_str(&text), "{\"items\":[{\"no\":\"**** 1234\"}],\"as_of\":\"20");
    ASSERT_HAS(text_str(&text), "\"source\":\"test\",\"stale\":false}");
    ck_assert_ptr_nonnull(strstr(fake_last(&fake), "GET /v1/cards?id_number=11010519491231002X HTTP/1.1\r\n"));
    ck_assert_ptr_null(strcasestr(fake_last(&fake), "accept-encoding"));
}

START_TEST(an_answer_comes_back_masked_with_its_source)
{
    run(ask_well);
}
END_TEST

static void meet_every_fault(void)
{
    static const struct {
        const char *answer;
        int type;
        int most; /* requests */
    } cases[] = {
        {FAKE_RESET, PROBLEM_DEPARTMENT_FAILED, 2},
        {"this is not HTTP\r\n\r\n", PROBLEM_DEPARTMENT_FAILED, 1},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", PROBLEM_DEPARTMENT_FAILED, 1},
        {FAKE_OVERSIZE, PROBLEM_DEPARTMENT_FAILED, 1},
        {FAKE_TRICKLE, PROBLEM_DEADLINE, 1},
        {FAKE_HANG, PROBLEM_DEADLINE, 1},
        {HTTP_OK("{\"data\":{}}"), PROBLEM_DEPARTMENT_CONTRACT, 1},
        {HTTP_OK("{\"data\":[}"), PROBLEM_DEPARTMENT_CONTRACT, 1},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n\x1f\x8b\x08",
         PROBLEM_DEPARTMENT_CONTRACT, 1},
        {HTTP_STATUS("500 No", "{}"), PROBLEM_DEPARTMENT_FAILED, 1},
        {HTTP_STATUS("503 No", "{}"), PROBLEM_DEPARTMENT_FAILED, 2},
        {HTTP_STATUS("403 No", "{}"), PROBLEM_DEPARTMENT_FAILED, 1},
        {GOOD, -1, 1},
    };
    log_set_level(LOG_ERROR + 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake.answer = cases[i].answer;
        int before = fake.requests;
        ck_assert_msg(ask() == cases[i].type, "case %zu", i);
        ck_assert_msg(fake.requests - before == cases[i].most, "case %zu: %d requests", i, fake.requests - before);
    }
}

START_TEST(every_fault_of_a_department_becomes_its_problem)
{
    run(meet_every_fault);
}
END_TEST

static int results[64];

static void ask_into(void *argument)
{
    CLEANUP(arena_close_held) struct arena *own = arena_open();
    struct department_answer answer;
    const struct problem *problem = ask_in(own, service, &answer);
    *(int *)argument = problem ? (int)problem->type : -1;
}

static void hang_many(void)
{
    fake.answer = FAKE_HANG;
    struct fiber_group group = {0};
    for (int i = 0; i < 40; i++)
        fiber_spawn(&group, ask_into, &results[i]);
    struct department_answer answer;
    (void)fiber_sleep(milliseconds(50));
    int64_t began = clock_steady();
    ck_assert_ptr_null(ask_in(arena, other_service, &answer)); /* the neighbour is not touched by it */
    ck_assert_int_lt(clock_steady() - began, milliseconds(900));
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    int late = 0, refused = 0;
    for (int i = 0; i < 40; i++) {
        late += results[i] == PROBLEM_DEADLINE;
        refused += results[i] == PROBLEM_DEPARTMENT_UNAVAILABLE;
    }
    ck_assert_int_eq(late, 4); /* its slots */
    ck_assert_int_eq(refused, 36);
    ck_assert_int_eq(fake.requests, 4);
}

START_TEST(a_hung_department_holds_its_own_slots_and_nobody_elses)
{
    run(hang_many);
}
END_TEST

static void fail_and_return(void)
{
    fake.answer = HTTP_STATUS("500 No", "{}");
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(ask(), PROBLEM_DEPARTMENT_FAILED);
    int before = fake.requests;
    struct department_answer answer;
    const struct problem *problem = ask_in(arena, service, &answer);
    ck_assert_int_eq(problem->type, PROBLEM_DEPARTMENT_UNAVAILABLE);
    ck_assert_int_gt(problem->retry_after, 0);
    for (int i = 0; i < 1000; i++)
        (void)ask();
    ck_assert_int_eq(fake.requests, before);
    (void)fiber_sleep(milliseconds(2500));
    fake.answer = GOOD;
    int64_t back = clock_steady();
    while (ask() != -1) {
        ck_assert_int_lt(clock_steady() - back, seconds(20));
        (void)fiber_sleep(milliseconds(20));
    }
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(ask(), -1);
}

START_TEST(a_sick_department_is_left_alone_and_served_again_when_it_is_well)
{
    run(fail_and_return);
}
END_TEST

static void hang_and_return(void)
{
    struct fiber_group group = {0};
    fake.answer = FAKE_HANG;
    for (int round = 0; round < 6; round++) { /* four slots: six rounds open the breaker */
        for (int i = 0; i < 4; i++)
            fiber_spawn(&group, ask_into, &results[i]);
        (void)fiber_join(&group, deadline_in(seconds(20)));
    }
    ck_assert_int_eq(ask(), PROBLEM_DEPARTMENT_UNAVAILABLE);
    fake.answer = GOOD;
    int64_t back = clock_steady();
    while (ask() != -1) {
        ck_assert_int_lt(clock_steady() - back, seconds(20));
        (void)fiber_sleep(milliseconds(20));
    }
}

START_TEST(a_department_that_hung_is_served_again_when_it_answers)
{
    run(hang_and_return);
}
END_TEST

static void write_once(void)
{
    struct department_answer answer;
    static const char *const faults[] = {FAKE_RESET, HTTP_STATUS("503 No", "{}"), FAKE_HANG};
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        int before = fake.requests;
        fake.answer = faults[i];
        ck_assert_ptr_nonnull(operate("placeOrder", "{thing: x}", &answer));
        ck_assert_int_eq(fake.requests - before, 1);
    }
    fake.answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    ck_assert_ptr_null(operate("placeOrder", "{thing: x}", &answer));
    ck_assert_uint_eq(answer.status, 201);
    ck_assert_ptr_nonnull(strstr(fake_last(&fake), "idempotency-key: key-1\r\n"));
    ck_assert_ptr_nonnull(strstr(fake_last(&fake), "{\"thing\":\"x\"}"));
    int before = fake.requests;
    const struct problem *problem = operate("placeOrder", "{other: x}", &answer);
    ck_assert_int_eq(problem->type, PROBLEM_VALIDATION);
    ck_assert_uint_ge(problem->error_count, 1);
    ck_assert_int_eq(fake.requests, before);
    ck_assert_int_eq(operate("nothing", NULL, &answer)->type, PROBLEM_NOT_FOUND);
}

START_TEST(a_write_is_sent_once)
{
    run(write_once);
}
END_TEST

static void get_secured(void *argument)
{
    struct department_answer answer;
    *(int *)argument = operate("getSecured", NULL, &answer) == NULL;
}

static void use_tokens(void)
{
    struct department_answer answer;
    struct fiber_group group = {0};
    fake.token_answer = HTTP_OK("{\"access_token\":\"one\",\"token_type\":\"Bearer\",\"expires_in\":3600}");
    fake.answer = HTTP_OK("{}");
    for (int i = 0; i < 4; i++)
        fiber_spawn(&group, get_secured, &results[i]);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(results[i], 1);
    ck_assert_int_eq(fake.tokens, 1);
    ck_assert_ptr_nonnull(strstr(fake_last(&fake), "authorization: Bearer one\r\n"));
    (void)fiber_sleep(milliseconds(1100));
    fake.answer = HTTP_STATUS("401 No", "{}");
    fake.token_answer = HTTP_OK("{\"access_token\":\"two\",\"token_type\":\"Bearer\",\"expires_in\":3600}");
    int before = fake.requests;
    log_set_level(LOG_ERROR + 1);
    ck_assert_int_eq(operate("getSecured", NULL, &answer)->type, PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(fake.requests - before, 2); /* with the old token and with a new one */
    ck_assert_int_eq(fake.tokens, 2);
    ck_assert_ptr_nonnull(strstr(fake_last(&fake), "authorization: Bearer two\r\n"));
    ck_assert_int_eq(operate("getSecured", NULL, &answer)->type, PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(fake.tokens, 2); /* a token of this second is not fetched anew */
}

START_TEST(a_token_is_shared_by_all_and_renewed_once_when_refused)
{
    run(use_tokens);
}
END_TEST

static void lose_credentials(void)
{
    struct department_answer answer;
    log_set_level(LOG_ERROR + 1);
    federation_use_secrets(NULL);
    ck_assert_int_eq(operate("getSecured", NULL, &answer)->type, PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(fake.requests, 0);
    ck_assert_int_eq(ask(), -1); /* its open operations go on */
}

START_TEST(without_credentials_nothing_is_sent)
{
    run(lose_credentials);
}
END_TEST

static void forbid_the_range(void)
{
    log_set_level(LOG_ERROR + 1);
    ck_assert_int_eq(ask(), PROBLEM_DEPARTMENT_FAILED);
    ck_assert_int_eq(fake.connections, 0);
}

START_TEST(a_backend_on_this_machine_is_not_called_unless_its_range_is_opened)
{
    static const struct reach nothing;
    settings.reach = &nothing;
    run(forbid_the_range);
}
END_TEST

START_TEST(ranges_of_a_department_take_the_place_of_the_general_ones)
{
    static struct range ranges[2];
    static const struct department_reach own = {.slug = {"test", 4}, .reach = {.opened = ranges, .count = 2}};
    const char *reason;
    ck_assert(range_parse(STR("10.0.0.0/8"), &ranges[0], &reason) && range_parse(STR("fd00::/8"), &ranges[1], &reason));
    settings.reaches = &own;
    settings.reach_count = 1;
    run(forbid_the_range);
}
END_TEST

static void cancelled_ask(void *argument)
{
    ask_into(argument);
}

static void leave_early(void)
{
    fake.answer = FAKE_HANG;
    for (int round = 0; round < 30; round++) {
        struct fiber_group group = {0};
        for (int i = 0; i < 8; i++)
            fiber_spawn(&group, cancelled_ask, &results[i]);
        (void)fiber_join(&group, deadline_in(milliseconds(10)));
    }
    fake.answer = GOOD; /* neither slots nor the breaker's trust went with those who left */
    ck_assert_int_eq(ask(), -1);
}

START_TEST(those_who_leave_give_their_slots_back)
{
    run(leave_early);
}
END_TEST

RUN_FLOOR_TESTS("federation department", an_answer_comes_back_masked_with_its_source,
                every_fault_of_a_department_becomes_its_problem, a_hung_department_holds_its_own_slots_and_nobody_elses,
                a_sick_department_is_left_alone_and_served_again_when_it_is_well,
                a_department_that_hung_is_served_again_when_it_answers, a_write_is_sent_once,
                a_token_is_shared_by_all_and_renewed_once_when_refused, without_credentials_nothing_is_sent,
                a_backend_on_this_machine_is_not_called_unless_its_range_is_opened,
                ranges_of_a_department_take_the_place_of_the_general_ones, those_who_leave_give_their_slots_back)
