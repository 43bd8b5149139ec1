/* Answers from the cache: fresh, stale, shared, and without Redis. */
#include "fake.h"
#include "federation/federation.h"
#include "inside.h"
#include "store/redis_pool.h"
#include "suite.h"

#include <shimin/department.h>
#include <shimin/log.h>
#include <shimin/redis.h>
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
    "          content: {application/json: {schema: {type: object, properties: {data: {type: array}}}}}\n"
    "        '404': {description: none, content: {application/json: {schema: {type: object}}}}\n";

#define GOOD HTTP_OK("{\"data\":[{\"no\":\"6214000000000001234\"}]}")

static struct server server;
static struct fake fake;
static struct service *service;
static struct citizen citizen;
static struct federation_settings settings = {.cache = true};

static void make(void)
{
    char path[] = "/tmp/shimin-keyring-XXXXXX", definition[256];
    struct text faults = text_open(arena, 64);
    log_set_level(LOG_ERROR + 1);
    redis_create(&server);
    ck_assert_ptr_nonnull(mkdtemp(path));
    char *file = str_to_c(arena, str_printf(arena, "%s/keyring.yaml", path));
    ck_assert(keyring_create(file, SUITE_GM, &faults));
    settings.reach = this_machine();
    settings.keyring = keyring_load(file, &faults);
    ck_assert_msg(settings.keyring != NULL, "%.*s", STR_ARG(text_str(&faults)));
    unlink(file);
    rmdir(path);
    fake_open(&fake);
    fake.answer = GOOD;
    snprintf(definition, sizeof definition, "backend: {address: 'http://127.0.0.1:%u', concurrency: 4, deadline_ms: 1000}",
             fake.port);
    service = service_of(department_of(contract_of(contract_yaml), definition), ARCHETYPE_QUERY, LEVEL_REAL_NAME, true,
                         "operation: {id: listCards, request: {id_number: citizen.id_number}, items: /data, cache: {fresh: 1, "
                         "stale: 60}}",
                         &faults);
    ck_assert_msg(service != NULL, "%.*s", STR_ARG(text_str(&faults)));
    citizen = citizen_of();
}

static void drop(void)
{
    server_destroy(&server);
    keyring_free((struct keyring *)settings.keyring);
}

static void open_worker(void)
{
    ck_assert(redis_open(&(struct redis_settings){.url = server.url, .may_be_absent = true}) && federation_open(&settings));
}

static const struct problem *ask(struct department_answer *answer)
{
    const struct department_question question = {.arena = arena, .service = service, .citizen = &citizen};
    return department_ask(&question, answer);
}

static int64_t keys(void)
{
    struct redis_reply reply;
    ck_assert_int_eq(redis_command(arena, &reply, "DBSIZE"), REDIS_OK);
    return reply.integer;
}

static void keep(void)
{
    open_worker();
    struct department_answer first, again;
    ck_assert_ptr_null(ask(&first));
    WAIT_UNTIL(keys() == 1);
    fake.answer = FAKE_HANG;
    ck_assert_ptr_null(ask(&again));
    ck_assert_int_eq(again.as_of, first.as_of);
    ck_assert(!again.stale);
    ck_assert_uint_eq(again.items->count, 1);
    ck_assert_int_eq(fake.requests, 1);
    struct redis_reply names, value;
    ck_assert_int_eq(redis_command(arena, &names, "KEYS federation:answer:*"), REDIS_OK);
    ck_assert_int_eq(redis_command(arena, &value, "GET %b", STR_BYTES(names.items[0].string)), REDIS_OK);
    ck_assert_int_lt(str_find(value.string, STR("6214")), 0); /* nothing personal in the clear */
    ck_assert_int_eq(redis_command(arena, &value, "PTTL %b", STR_BYTES(names.items[0].string)), REDIS_OK);
    ck_assert_int_le(value.integer, 61000);
    citizen.id_number = STR("440524188001010014"); /* another citizen gets nothing of it */
    ck_assert_ptr_nonnull(ask(&again));
    citizen.id_number = STR("11010519491231002X");
    (void)fiber_sleep(milliseconds(1100));
    ck_assert_ptr_null(ask(&again)); /* the department hangs: what it said a second ago is better than nothing */
    ck_assert(again.stale);
    ck_assert_int_eq(again.as_of, first.as_of);
    fake.answer = HTTP_OK("{\"data\":1}");
    ck_assert_ptr_null(ask(&again));
    ck_assert(again.stale);
    fake.answer = HTTP_STATUS("404 No", "{}"); /* its answer, not an outage */
    ck_assert_ptr_null(ask(&again));
    ck_assert(!again.stale);
    ck_assert_uint_eq(again.items->count, 0);
    redis_close();
}

START_TEST(an_answer_is_kept_fresh_then_stale_and_encrypted)
{
    make();
    inside(1, keep);
    drop();
}
END_TEST

static int results[20];

static void ask_into(void *argument)
{
    CLEANUP(arena_close_held) struct arena *own = arena_open();
    const struct department_question question = {.arena = own, .service = service, .citizen = &citizen};
    struct department_answer answer;
    const struct problem *problem = department_ask(&question, &answer);
    *(int *)argument = problem ? (int)problem->type : answer.items ? (int)answer.items->count : -1;
}

static void share(void)
{
    open_worker();
    struct fiber_group group = {0};
    for (size_t i = 0; i < COUNT_OF(results); i++)
        fiber_spawn(&group, ask_into, &results[i]);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    for (size_t i = 0; i < COUNT_OF(results); i++)
        ck_assert_int_eq(results[i], 1);
    ck_assert_int_eq(fake.requests, 1);
    redis_close();
}

START_TEST(the_same_question_at_the_same_time_is_asked_once)
{
    make();
    inside(1, share);
    drop();
}
END_TEST

static void lead_and_leave(void)
{
    open_worker();
    fake.answer = FAKE_HANG;
    struct fiber_group leader = {0}, followers = {0};
    fiber_spawn(&leader, ask_into, &results[0]);
    (void)fiber_sleep(milliseconds(20));
    for (size_t i = 1; i < 4; i++)
        fiber_spawn(&followers, ask_into, &results[i]);
    (void)fiber_sleep(milliseconds(20));
    fake.answer = GOOD;
    ck_assert_int_eq(fiber_join(&leader, clock_steady()), WAIT_DEADLINE);
    ck_assert_int_eq(fiber_join(&followers, deadline_in(seconds(20))), WAIT_DONE);
    for (size_t i = 1; i < 4; i++)
        ck_assert_int_eq(results[i], 1);
    ck_assert_int_eq(fake.requests, 2);
    redis_close();
}

START_TEST(a_leader_who_leaves_hands_the_question_on)
{
    make();
    inside(1, lead_and_leave);
    drop();
}
END_TEST

static void go_without(void)
{
    open_worker();
    struct department_answer answer;
    server_kill(&server);
    WAIT_UNTIL(!redis_is_up());
    for (int i = 0; i < 3; i++) {
        int64_t began = clock_steady();
        ck_assert_ptr_null(ask(&answer));
        ck_assert_int_lt(clock_steady() - began, milliseconds(900));
    }
    ck_assert_int_eq(fake.requests, 3);
    redis_close();
}

START_TEST(without_redis_every_question_goes_to_the_department)
{
    make();
    inside(1, go_without);
    drop();
}
END_TEST

RUN_FLOOR_TESTS("federation cache", an_answer_is_kept_fresh_then_stale_and_encrypted,
                the_same_question_at_the_same_time_is_asked_once, a_leader_who_leaves_hands_the_question_on,
                without_redis_every_question_goes_to_the_department)
