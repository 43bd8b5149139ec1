/* Single statements: many fibers on few connections, values both ways, errors that stay with whom they belong to. */
#include "inside.h"

#include "store/pg_pool.h"

#include <stdatomic.h>
#include <string.h>

static struct server server;

static void create_server(void)
{
    postgres_create(&server);
}

static void destroy_server(void)
{
    server_destroy(&server);
}

static void open_pool(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url}));
}

static const struct pg_statement echo = {"test.echo", "SELECT $1::bigint, pg_backend_pid()", 1};
static const struct pg_statement divide = {"test.divide", "SELECT 100 / $1::int", 1};
static const struct pg_statement nonsense = {"test.nonsense", "SELECT nothing FROM nowhere WHERE x = $1", 1};
static const struct pg_statement snooze = {"test.snooze", "SELECT pg_sleep(2)", 0};

/* ---- order ---- */

enum { FIBERS = 500, ROUNDS = 4 };
static atomic_uint right; /* of all workers */
static unsigned refused;

static void ask_own_number(void *argument)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    int64_t number = (intptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        const struct pg_result *result;
        ck_assert_int_eq(pg_query(arena, &echo, PG_ARGS(pg_integer(number)), &result), PG_OK);
        right += pg_rows(result) == 1 && pg_int(result, 0, 0) == number;
    }
}

static void ask_from_many_fibers(void)
{
    open_pool();
    struct fiber_group group = {0};
    for (intptr_t i = 0; i < FIBERS; i++)
        fiber_spawn(&group, ask_own_number, (void *)(i * 1000003));
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    pg_close();
}

START_TEST(each_of_hundreds_of_fibers_gets_the_answer_to_its_own_question)
{
    inside(1, ask_from_many_fibers);
    ck_assert_uint_eq(right, FIBERS * ROUNDS);
}
END_TEST

static void ask_on_two_workers(void)
{
    open_pool();
    ask_own_number((void *)(intptr_t)worker_index());
    pg_close();
}

START_TEST(workers_share_nothing)
{
    inside(2, ask_on_two_workers);
}
END_TEST

/* ---- errors ---- */

static void divide_by(void *argument)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    int64_t number = (intptr_t)argument;
    const struct pg_result *result;
    switch (pg_query(arena, &divide, PG_ARGS(pg_integer(number)), &result)) {
    case PG_OK:
        right += pg_int(result, 0, 0) == 100 / number;
        break;
    case PG_REFUSED:
        refused++;
        break;
    default:
        ck_abort_msg("neither ok nor refused");
    }
}

static void divide_in_many_fibers(void)
{
    open_pool();
    struct fiber_group group = {0};
    for (intptr_t i = 0; i < 100; i++)
        fiber_spawn(&group, divide_by, (void *)(i % 10));
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    pg_close();
}

START_TEST(a_statement_that_fails_spoils_none_that_shares_its_connection)
{
    inside(1, divide_in_many_fibers);
    ck_assert_uint_eq(right, 90);
    ck_assert_uint_eq(refused, 10);
}
END_TEST

static const struct pg_statement create_table = {"test.create", "CREATE TABLE nowhere (x bigint PRIMARY KEY, nothing text)", 0};
static const struct pg_statement alter_table = {"test.alter", "ALTER TABLE nowhere ALTER nothing TYPE varchar(7)", 0};
static const struct pg_statement insert = {"test.insert", "INSERT INTO nowhere VALUES ($1, 'found'), ($1 + 1, NULL)", 1};
static const struct pg_statement discard = {"test.discard", "DEALLOCATE ALL", 0};

static void run_in_turn(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *result;
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .shared = 1}));
    ck_assert_int_eq(pg_query(arena, &nonsense, PG_ARGS(pg_integer(1)), &result), PG_REFUSED);
    ck_assert_int_eq(pg_query(arena, &nonsense, PG_ARGS(pg_integer(1)), &result), PG_REFUSED);
    ck_assert_int_eq(pg_query(arena, &create_table, PG_NO_ARGS, NULL), PG_OK);
    ck_assert_int_eq(pg_query(arena, &insert, PG_ARGS(pg_integer(1)), &result), PG_OK);
    ck_assert_int_eq(pg_affected(result), 2);
    ck_assert_int_eq(pg_query(arena, &insert, PG_ARGS(pg_integer(2)), &result), PG_CONFLICT);
    ck_assert_int_eq(pg_query(arena, &nonsense, PG_ARGS(pg_integer(1)), &result), PG_OK);
    ck_assert(str_is(pg_str(result, 0, 0), "found"));
    ck_assert_int_eq(pg_query(arena, &nonsense, PG_ARGS(pg_integer(2)), &result), PG_OK);
    ck_assert(pg_is_null(result, 0, 0));
    /* a migration while we run */
    ck_assert_int_eq(pg_query(arena, &alter_table, PG_NO_ARGS, NULL), PG_OK);
    ck_assert_int_eq(pg_query(arena, &nonsense, PG_ARGS(pg_integer(1)), &result), PG_OK);
    /* prepared statements that vanish */
    ck_assert_int_eq(pg_query(arena, &discard, PG_NO_ARGS, NULL), PG_OK);
    ck_assert_int_eq(pg_query(arena, &nonsense, PG_ARGS(pg_integer(1)), &result), PG_OK);
    pg_close();
}

START_TEST(a_statement_that_could_not_be_prepared_or_has_become_stale_is_prepared_again)
{
    inside(1, run_in_turn);
}
END_TEST

/* ---- values ---- */

static const struct pg_statement types = {
    "test.types",
    "SELECT $1::text, $2::bytea, $3::bigint, $4::float8, $5::boolean, $6::timestamptz, $7::text, length($2::bytea), "
    "to_json($6::timestamptz) #>> '{}', $1::text = ''",
    7};

static void pass_values(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *result;
    open_pool();
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    struct str binary = {bytes, sizeof bytes};
    int64_t wall = 1772326800123456; /* 2026-03-01 09:00:00.123456 +08 */
    ck_assert_int_eq(pg_query(arena, &types,
                              PG_ARGS(pg_text(STR("市民 '\\ \"")), pg_bytes(binary), pg_integer(INT64_MIN), pg_double(0.1),
                                      pg_boolean(true), pg_time(wall), pg_null()),
                              &result),
                     PG_OK);
    ck_assert(str_is(pg_str(result, 0, 0), "市民 '\\ \""));
    ck_assert(str_equal(pg_bin(arena, result, 0, 1), binary));
    ck_assert(pg_int(result, 0, 2) == INT64_MIN);
    ck_assert(pg_number(result, 0, 3) == 0.1);
    ck_assert(pg_bool(result, 0, 4));
    ck_assert(pg_wall(result, 0, 5) == wall);
    ck_assert(pg_is_null(result, 0, 6) && !pg_str(result, 0, 6).at);
    ck_assert_int_eq(pg_int(result, 0, 7), 256);
    ck_assert(str_is(pg_str(result, 0, 8), "2026-03-01T09:00:00.123456+08:00"));
    ck_assert_int_eq(pg_query(arena, &types,
                              PG_ARGS(pg_text(STR("")), pg_bytes(STR("")), pg_integer(-7), pg_double(-1e300), pg_boolean(false),
                                      pg_time(-1), pg_text(STR_NONE)),
                              &result),
                     PG_OK);
    ck_assert(pg_str(result, 0, 0).at && pg_str(result, 0, 0).len == 0 && pg_bool(result, 0, 9));
    ck_assert(pg_bin(arena, result, 0, 1).at && pg_bin(arena, result, 0, 1).len == 0);
    ck_assert(pg_int(result, 0, 2) == -7 && pg_number(result, 0, 3) == -1e300 && !pg_bool(result, 0, 4));
    ck_assert(pg_wall(result, 0, 5) == -1);
    pg_close();
}

START_TEST(values_of_every_type_come_back_as_they_went)
{
    inside(1, pass_values);
}
END_TEST

static const struct pg_statement large = {"test.large", "SELECT repeat($1::text, 1000000), n FROM generate_series(1, 20) n", 1};

static void fetch_much(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *result;
    open_pool();
    ck_assert_int_eq(pg_query(arena, &large, PG_ARGS(pg_text(STR("x"))), &result), PG_OK);
    ck_assert_uint_eq(pg_rows(result), 20);
    ck_assert_uint_eq(pg_str(result, 19, 0).len, 1000000);
    ck_assert_int_eq(pg_int(result, 19, 1), 20);
    /* and as much the other way: more than the socket takes at once */
    char *much = memory_alloc(8 << 20);
    memset(much, 'y', 8 << 20);
    static const struct pg_statement length = {"test.length", "SELECT length($1)", 1};
    ck_assert_int_eq(pg_query(arena, &length, PG_ARGS(pg_text((struct str){much, 8 << 20})), &result), PG_OK);
    ck_assert_int_eq(pg_int(result, 0, 0), 8 << 20);
    free(much);
    pg_close();
}

START_TEST(statements_and_answers_may_be_larger_than_any_buffer)
{
    inside(1, fetch_much);
}
END_TEST

/* ---- leaving early ---- */

static void give_up(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *result;
    ck_assert_int_eq(pg_query(arena, &snooze, PG_NO_ARGS, &result), PG_CANCELLED);
}

static void leave_early(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .shared = 1}));
    struct fiber_group group = {0};
    fiber_spawn(&group, give_up, NULL);
    int64_t begun = clock_steady();
    ck_assert_int_eq(fiber_join(&group, deadline_in(milliseconds(20))), WAIT_DEADLINE);
    ck_assert_int_lt(clock_steady() - begun, milliseconds(1500));
    right = 0;
    ask_own_number((void *)5);
    ck_assert_uint_eq(right, ROUNDS);
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *result;
    fiber_set_deadline(deadline_in(milliseconds(20)));
    ck_assert_int_eq(pg_query(arena, &snooze, PG_NO_ARGS, &result), PG_DEADLINE);
    ck_assert_int_eq(pg_query(arena, &snooze, PG_NO_ARGS, &result), PG_DEADLINE);
    pg_close();
}

START_TEST(the_answer_to_a_fiber_that_left_is_thrown_away)
{
    inside(1, leave_early);
}
END_TEST

static void time_out(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .statement_timeout_ms = 50}));
    ck_assert_int_eq(pg_query(arena, &snooze, PG_NO_ARGS, NULL), PG_DEADLINE);
    pg_close();
}

START_TEST(the_server_ends_a_statement_that_runs_too_long)
{
    inside(1, time_out);
}
END_TEST

static void open_wrongly(void)
{
    ck_assert(!pg_open(&(struct pg_settings){.connection = "host=/nowhere user=owner"}));
    ck_assert(!pg_open(&(struct pg_settings){.connection = "host = = ="}));
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(pg_open(&(struct pg_settings){.connection = "host=/nowhere user=owner", .may_be_absent = true}));
    ck_assert(!pg_is_up());
    ck_assert_int_eq(pg_query(arena, &snooze, PG_NO_ARGS, NULL), PG_UNAVAILABLE);
    struct pg_transaction *transaction;
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_UNAVAILABLE);
    pg_close();
}

START_TEST(without_a_server_opening_fails_unless_it_may_be_absent)
{
    inside(1, open_wrongly);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("single statements");
    TCase *tests = tcase_create("pg_query");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, create_server, destroy_server);
    tcase_add_test(tests, each_of_hundreds_of_fibers_gets_the_answer_to_its_own_question);
    tcase_add_test(tests, workers_share_nothing);
    tcase_add_test(tests, a_statement_that_fails_spoils_none_that_shares_its_connection);
    tcase_add_test(tests, a_statement_that_could_not_be_prepared_or_has_become_stale_is_prepared_again);
    tcase_add_test(tests, values_of_every_type_come_back_as_they_went);
    tcase_add_test(tests, statements_and_answers_may_be_larger_than_any_buffer);
    tcase_add_test(tests, the_answer_to_a_fiber_that_left_is_thrown_away);
    tcase_add_test(tests, the_server_ends_a_statement_that_runs_too_long);
    tcase_add_test(tests, without_a_server_opening_fails_unless_it_may_be_absent);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
