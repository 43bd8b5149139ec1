/* Idempotency-Key with a Postgres of its own: one of many runs, the others get its answer. */
#include "asked.h"
#include "migrated.h"

#include "edge/pipeline.h"
#include "identity/identity.h"
#include "store/pg_pool.h"

#include <shimin/log.h>
#include <shimin/module.h>
#include <shimin/pg.h>
#include <stdio.h>
#include <unistd.h>

#define PATHS(path, id, word)                                                                                                  \
    "  " path ":\n    post:\n      operationId: " id "\n      x-shimin: {idempotency: " word                                   \
    "}\n      requestBody: {content: "                                                                                         \
    "{application/json: {schema: {type: object}}}}\n      " RESPONSES "\n"
#define CONTRACT TEST_CONTRACT(PATHS("/v1/pay", "pay", "required") PATHS("/v1/ask", "ask", "optional"))

static const struct pg_statement age = {"test.age",
                                        "UPDATE shimin.idempotency_key SET created_at = created_at - interval '1 hour'", 0};
static const struct pg_statement read_body = {"test.read_body", "SELECT body FROM shimin.idempotency_key", 0};

static struct server server;
static struct arena *arena;
static struct limits limits;
static struct edge_settings edge = {.limits = &limits};
static struct identity_settings identity;
static char keys[] = "/tmp/shimin-keys-XXXXXX", keys_path[64];

static unsigned runs;
static unsigned answer_status;
static bool hold; /* handlers wait while it is set */

static void run(struct request *request)
{
    unsigned mine = ++runs, status = answer_status;
    int64_t until = deadline_in(seconds(10));
    while (hold && clock_steady() < until)
        (void)fiber_sleep(milliseconds(2));
    struct json_out *out = reply_json(request, status);
    json_object(out);
    json_field_i64(out, "run", mine);
    json_field_c(out, "token", "secret-token");
    reply_header(request, "location", STR("/v1/payments/1"));
}

static struct request *ask_as(const char *path, const char *key, const char *body, const char *citizen)
{
    struct request *request = request_of(arena, "POST", path, "", body);
    if (key)
        add_field(request, "idempotency-key", key);
    if (citizen)
        request->client_address = str_of(citizen);
    pipeline_handle(request);
    return request;
}

static struct request *ask(const char *key, const char *body)
{
    return ask_as("/v1/pay", key, body, NULL);
}

#define EXPECT(given, status_, words)                                                                                          \
    do {                                                                                                                       \
        struct request *asked_ = (given);                                                                                      \
        ck_assert_msg(asked_->reply.status == (status_), "%u: %.*s", asked_->reply.status, STR_ARG(replied(asked_)));          \
        ASSERT_HAS(replied(asked_), (words));                                                                                  \
    } while (0)

static void open_floor(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url}));
    open_catalogue();
    fiber_set_deadline(deadline_in(seconds(30)));
}

static void repeat(void)
{
    struct str value;
    open_floor();
    EXPECT(ask("k1", "{\"a\":1}"), 201, "\"run\":1");
    struct request *again = ask("\"k1\"", "{\"a\":1}"); /* the quoted form is the same key */
    EXPECT(again, 201, "\"run\":1");
    ck_assert(reply_fields(again, "idempotency-replayed", &value) == 1 && str_is(value, "true"));
    ck_assert(reply_fields(again, "location", &value) == 1 && str_is(value, "/v1/payments/1"));
    ck_assert_str_eq(again->reply.type, "application/json");
    EXPECT(ask("k1", "{\"a\":2}"), 422, "idempotency-key-reused");
    EXPECT(ask("k2", "{\"a\":1}"), 201, "\"run\":2");
    EXPECT(ask_as("/v1/pay", "k1", "{\"a\":1}", "192.0.2.8"), 201, "\"run\":3"); /* another's key is another key */
    EXPECT(ask_as("/v1/ask", "k1", "{\"a\":1}", NULL), 201, "\"run\":4");        /* and so is that of another route */
    EXPECT(ask_as("/v1/ask", NULL, "{\"a\":1}", NULL), 201, "\"run\":5");
    pg_close();
}

START_TEST(a_key_gives_the_first_answer_again)
{
    inside(1, repeat);
}
END_TEST

static void refuse_keys(void)
{
    static char huge[4096], most[256];
    memset(huge, 'k', sizeof huge - 1);
    memset(most, 'k', sizeof most - 1);
    static const char *const bad[] = {NULL, "", "\"\"", "a b", "a\"b", "a\\b", "caf\xc3\xa9", "a\tb", "\x01", huge};
    open_floor();
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        EXPECT(ask(bad[i], "{}"), 400, "idempotency-key-missing");
    ck_assert_uint_eq(runs, 0);
    EXPECT(ask(most, "{}"), 201, "\"run\":1");
    pg_close();
}

START_TEST(a_missing_or_malformed_key_runs_nothing)
{
    inside(1, refuse_keys);
}
END_TEST

static unsigned created, busy, other;

static void ask_once(void *argument)
{
    (void)argument;
    unsigned status = ask("same", "{}")->reply.status;
    created += status == 201;
    busy += status == 409;
    other += status != 201 && status != 409;
}

static void release(void *argument)
{
    (void)argument;
    WAIT_UNTIL(busy == 199);
    hold = false;
}

static void ask_at_once(void)
{
    struct fiber_group group = {0};
    open_floor();
    hold = true;
    for (int i = 0; i < 200; i++)
        fiber_spawn(&group, ask_once, NULL);
    fiber_spawn(&group, release, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(runs, 1);
    ck_assert(created == 1 && busy == 199 && other == 0);
    EXPECT(ask("same", "{}"), 201, "\"run\":1");
    pg_close();
}

START_TEST(of_two_hundred_at_once_one_runs_and_the_others_are_told_to_wait)
{
    inside(1, ask_at_once);
}
END_TEST

static void fail_first(void)
{
    open_floor();
    answer_status = 503;
    EXPECT(ask("k", "{}"), 503, "\"run\":1");
    answer_status = 429;
    EXPECT(ask("k", "{}"), 429, "\"run\":2");
    answer_status = 422;
    EXPECT(ask("k", "{}"), 422, "\"run\":3");
    answer_status = 201;
    EXPECT(ask("k", "{}"), 422, "\"run\":3"); /* an answer about the request itself is kept */
    pg_close();
}

START_TEST(an_answer_that_says_try_again_frees_the_key)
{
    inside(1, fail_first);
}
END_TEST

static void begin(void *argument)
{
    (void)argument;
    EXPECT(ask("k", "{}"), 201, "\"run\":1");
}

static void take_over(void)
{
    struct fiber_group group = {0};
    open_floor();
    hold = true;
    fiber_spawn(&group, begin, NULL);
    WAIT_UNTIL(runs == 1);
    EXPECT(ask("k", "{}"), 409, "request-in-progress");
    ck_assert_int_eq(pg_query(arena, &age, PG_NO_ARGS, NULL), PG_OK);
    /* its gateway must be gone; so it is taken over, and the first comes too late to put its answer in the place of the
     * second's */
    answer_status = 200;
    int64_t later = deadline_in(seconds(1));
    hold = false;
    EXPECT(ask("k", "{}"), 200, "\"run\":2");
    answer_status = 201;
    ck_assert_int_eq(fiber_join(&group, later), WAIT_DONE);
    EXPECT(ask("k", "{}"), 200, "\"run\":2");
    pg_close();
}

START_TEST(a_claim_that_was_left_behind_is_taken_over_for_good)
{
    inside(1, take_over);
}
END_TEST

static void late(void *argument)
{
    (void)argument;
    fiber_set_deadline(deadline_in(seconds(2)));
    EXPECT(ask("k", "{}"), 201, "\"run\":1");
}

static void answer_late(void)
{
    struct fiber_group group = {0};
    open_floor();
    hold = true;
    fiber_spawn(&group, late, NULL);
    WAIT_UNTIL(runs == 1);
    (void)fiber_sleep(milliseconds(2100));
    hold = false;
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    struct request *again;
    WAIT_UNTIL((again = ask("k", "{}"))->reply.status == 201);
    EXPECT(again, 201, "\"run\":1");
    pg_close();
}

START_TEST(an_answer_at_the_very_deadline_is_kept_all_the_same)
{
    inside(1, answer_late);
}
END_TEST

static void look_into_postgres(void)
{
    const struct pg_result *rows;
    open_floor();
    EXPECT(ask("k", "{}"), 201, "secret-token");
    ck_assert_int_eq(pg_query(arena, &read_body, PG_NO_ARGS, &rows), PG_OK);
    ck_assert_uint_eq(pg_rows(rows), 1);
    struct str body = pg_bin(arena, rows, 0, 0);
    ck_assert_uint_gt(body.len, 0);
    ck_assert_int_lt(str_find(body, STR("secret-token")), 0);
    pg_close();
}

START_TEST(answers_lie_encrypted)
{
    inside(1, look_into_postgres);
}
END_TEST

static void lose_postgres(void)
{
    open_floor();
    server_kill(&server);
    WAIT_UNTIL(!pg_is_up());
    EXPECT(ask("k", "{}"), 503, "store-unavailable");
    ck_assert_uint_eq(runs, 0);
    pg_close();
}

START_TEST(nothing_runs_when_the_key_cannot_be_claimed)
{
    inside(1, lose_postgres);
}
END_TEST

static const struct module module = {
    .name = "test",
    .contract = CONTRACT,
    .contract_size = &(const size_t){sizeof CONTRACT - 1},
    .handlers = (const struct module_handler[]){{"pay", run}, {"ask", run}, {0}},
};

static void set_up(void)
{
    arena = arena_open();
    struct text faults = text_open(arena, 256);
    log_set_level(LOG_ERROR);
    answer_status = 201;
    ck_assert_ptr_nonnull(mkdtemp(keys));
    snprintf(keys_path, sizeof keys_path, "%s/keys", keys);
    ck_assert(keyring_create(keys_path, SUITE_INTL, &faults));
    identity.keyring = keyring_load(keys_path, &faults);
    ck_assert_msg(identity.keyring != NULL, "%s", faults.at);
    identity_prepare(&identity);
    edge.deadline = seconds(30);
    edge.routes = routes_load(arena, (const struct module *const[]){&module, NULL}, &limits, &faults);
    ck_assert_msg(edge.routes != NULL, "%s", faults.at);
    pipeline_open(&edge);
    postgres_copy(&server, &migrated);
}

static void tear_down(void)
{
    keyring_free((struct keyring *)(uintptr_t)identity.keyring);
    unlink(keys_path);
    rmdir(keys);
    arena_close(arena);
    server_destroy(&server);
}

int main(void)
{
    Suite *suite = suite_create("edge idempotency");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_unchecked_fixture(all, make_migrated, drop_migrated);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_key_gives_the_first_answer_again);
    tcase_add_test(all, a_missing_or_malformed_key_runs_nothing);
    tcase_add_test(all, of_two_hundred_at_once_one_runs_and_the_others_are_told_to_wait);
    tcase_add_test(all, an_answer_that_says_try_again_frees_the_key);
    tcase_add_test(all, a_claim_that_was_left_behind_is_taken_over_for_good);
    tcase_add_test(all, an_answer_at_the_very_deadline_is_kept_all_the_same);
    tcase_add_test(all, answers_lie_encrypted);
    tcase_add_test(all, nothing_runs_when_the_key_cannot_be_claimed);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
