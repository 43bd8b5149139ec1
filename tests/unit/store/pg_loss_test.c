/* A Postgres that dies: who waits is told, and service is back soon after it is. */
#include "inside.h"

#include "store/pg_listen.h"
#include "store/pg_pool.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
#include <shimin/log.h>
#include <stdatomic.h>

static struct server server;

static void create_server(void)
{
    log_set_level(LOG_ERROR);
    postgres_create(&server);
}

static void destroy_server(void)
{
    server_destroy(&server);
}

static const struct pg_statement echo = {"test.echo", "SELECT $1::bigint", 1};
static const struct pg_statement snooze = {"test.snooze", "SELECT pg_sleep(60)", 0};

/* The server is killed and started by a thread of its own: the worker must go on meanwhile. */
static atomic_bool is_back;
static _Atomic int64_t back_at;

static void *kill_and_start(void *argument)
{
    (void)argument;
    server_kill(&server);
    usleep(300000);
    postgres_start(&server);
    back_at = clock_steady();
    is_back = true;
    return NULL;
}

static unsigned answered, unavailable, other;
static bool stop;

static void ask_on_and_on(void *argument)
{
    int64_t number = (intptr_t)argument;
    while (!stop) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        const struct pg_result *result;
        enum pg_status status = pg_query(arena, &echo, PG_ARGS(pg_integer(number)), &result);
        if (status == PG_OK)
            answered += pg_int(result, 0, 0) == number;
        else if (status == PG_UNAVAILABLE)
            unavailable++;
        else
            other++;
        if (status != PG_OK)
            (void)fiber_sleep(milliseconds(5));
    }
}

static void transact_on_and_on(void *argument)
{
    (void)argument;
    while (!stop) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
        enum pg_status status = pg_begin(arena, &transaction);
        if (!status)
            status = pg_in(transaction, &echo, PG_ARGS(pg_integer(1)), NULL);
        if (!status)
            status = pg_commit(&transaction);
        other += status != PG_OK && status != PG_UNAVAILABLE;
        if (status)
            (void)fiber_sleep(milliseconds(5));
    }
}

static void lose_under_load(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url}));
    struct fiber_group group = {0};
    for (intptr_t i = 0; i < 50; i++)
        fiber_spawn(&group, ask_on_and_on, (void *)i);
    for (intptr_t i = 0; i < 4; i++)
        fiber_spawn(&group, transact_on_and_on, NULL);
    WAIT_UNTIL(answered > 1000);
    pthread_t thread;
    pthread_create(&thread, NULL, kill_and_start, NULL);
    WAIT_UNTIL(unavailable > 0 && !pg_is_up());
    WAIT_UNTIL(is_back);
    WAIT_UNTIL(pg_is_up());
    unsigned before = answered;
    WAIT_UNTIL(answered > before + 1000);
    ck_assert_int_lt(clock_steady() - back_at, seconds(20));
    stop = true;
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(other, 0);
    pg_close();
}

START_TEST(service_is_back_after_a_crash_under_load)
{
    inside(1, lose_under_load);
}
END_TEST

static unsigned told;

static void sleep_in_server(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    told += pg_query(arena, &snooze, PG_NO_ARGS, NULL) == PG_UNAVAILABLE;
}

static void lose_while_waiting(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .statement_timeout_ms = 60000}));
    struct fiber_group group = {0};
    for (int i = 0; i < 10; i++)
        fiber_spawn(&group, sleep_in_server, NULL);
    (void)fiber_sleep(milliseconds(50));
    pthread_t thread;
    pthread_create(&thread, NULL, kill_and_start, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(told, 10);
    WAIT_UNTIL(is_back);
    pthread_join(thread, NULL);
    pg_close();
}

START_TEST(who_waits_for_an_answer_when_the_server_dies_is_told)
{
    inside(1, lose_while_waiting);
}
END_TEST

/* ---- a server that hangs ---- */

enum { PATIENCE_MS = 1000, SLOW_PATIENCE_MS = 1000 };

static void transact_once(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    if (pg_begin(arena, &transaction) == PG_OK)
        told += pg_in(transaction, &echo, PG_ARGS(pg_integer(1)), NULL) == PG_UNAVAILABLE;
}

static void ask_once(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    told += pg_query(arena, &echo, PG_ARGS(pg_integer(1)), NULL) == PG_UNAVAILABLE;
}

static void hang(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .patience = milliseconds(PATIENCE_MS)}));
    ck_assert_int_eq(pg_query(arena, &echo, PG_ARGS(pg_integer(1)), NULL), PG_OK);
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_OK);
    ck_assert_int_eq(pg_commit(&transaction), PG_OK);
    told = 0;
    server_suspend(&server);
    struct fiber_group group = {0};
    int64_t asked = clock_steady();
    for (int i = 0; i < 10; i++)
        fiber_spawn(&group, ask_once, NULL);
    fiber_spawn(&group, transact_once, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(told, 11);
    ck_assert_int_ge(clock_steady() - asked, milliseconds(PATIENCE_MS));
    ck_assert_int_lt(clock_steady() - asked, seconds(20));
    /* from now on nobody waits */
    asked = clock_steady();
    ck_assert(!pg_is_up());
    ck_assert_int_eq(pg_query(arena, &echo, PG_ARGS(pg_integer(1)), NULL), PG_UNAVAILABLE);
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_UNAVAILABLE);
    ck_assert_int_lt(clock_steady() - asked, milliseconds(PATIENCE_MS));
    server_resume(&server);
    WAIT_UNTIL(pg_is_up());
    ck_assert_int_eq(pg_query(arena, &echo, PG_ARGS(pg_integer(2)), NULL), PG_OK);
    pg_close();
}

START_TEST(a_server_that_hangs_is_taken_for_lost_after_the_patience_and_used_again_when_it_goes_on)
{
    inside(1, hang);
}
END_TEST

static const struct pg_statement nap = {"test.nap", "SELECT pg_sleep(6)", 0};

static void nap_in_server(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    told += pg_query(arena, &nap, PG_NO_ARGS, NULL) == PG_OK;
}

/* The patience passes several times over. */
static void be_slow(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .patience = milliseconds(SLOW_PATIENCE_MS)}));
    told = 0;
    struct fiber_group group = {0};
    fiber_spawn(&group, nap_in_server, NULL);
    (void)fiber_sleep(milliseconds(SLOW_PATIENCE_MS)); /* the connection is known to be silent by now */
    for (int i = 0; i < 20; i++) {
        int64_t asked = clock_steady();
        ck_assert_int_eq(pg_query(arena, &echo, PG_ARGS(pg_integer(i)), NULL), PG_OK);
        ck_assert_int_lt(clock_steady() - asked, seconds(4));
    }
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(told, 1);
    pg_close();
}

START_TEST(a_slow_statement_outlasts_the_patience_and_nobody_is_queued_behind_it)
{
    inside(1, be_slow);
}
END_TEST

/* Who asked has left, but the server still owes the answer. */
static void ask_impatiently(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    fiber_set_deadline(deadline_in(milliseconds(PATIENCE_MS * 3 / 4)));
    told += pg_query(arena, &echo, PG_ARGS(pg_integer(1)), NULL) == PG_DEADLINE;
}

static void close_in_doubt(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url, .patience = milliseconds(PATIENCE_MS)}));
    server_suspend(&server);
    struct fiber_group group = {0};
    told = 0;
    fiber_spawn(&group, ask_impatiently, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(told, 1);
    pg_close(); /* while the sign of life is asked for */
    server_resume(&server);
}

START_TEST(a_pool_may_be_closed_while_its_server_is_doubted)
{
    inside(1, close_in_doubt);
}
END_TEST

/* ---- LISTEN ---- */

static unsigned notices, restorations;
static char last_payload[64];

static void on_notice(struct str payload, void *argument)
{
    ck_assert_ptr_eq(argument, &notices);
    notices++;
    snprintf(last_payload, sizeof last_payload, "%.*s", STR_ARG(payload));
}

static void on_restored(void *argument)
{
    ck_assert_ptr_eq(argument, &notices);
    restorations++;
}

static const struct pg_statement notify = {"test.notify", "SELECT pg_notify('test_channel', $1)", 1};

static void listen_through_a_restart(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url}));
    pg_listen("test_channel", on_notice, on_restored, &notices);
    WAIT_UNTIL(restorations == 1);
    ck_assert_int_eq(pg_query(arena, &notify, PG_ARGS(pg_text(STR("市民"))), NULL), PG_OK);
    WAIT_UNTIL(notices == 1);
    ck_assert_str_eq(last_payload, "市民");
    pthread_t thread;
    pthread_create(&thread, NULL, kill_and_start, NULL);
    WAIT_UNTIL(is_back);
    WAIT_UNTIL(restorations == 2);
    WAIT_UNTIL(pg_is_up());
    ck_assert_int_eq(pg_query(arena, &notify, PG_ARGS(pg_text(STR("again"))), NULL), PG_OK);
    WAIT_UNTIL(notices == 2);
    pthread_join(thread, NULL);
    pg_close();
}

START_TEST(a_listener_is_told_to_read_anew_after_a_restart)
{
    inside(1, listen_through_a_restart);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("losing Postgres");
    TCase *tests = tcase_create("pg_loss");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, create_server, destroy_server);
    tcase_add_test(tests, service_is_back_after_a_crash_under_load);
    tcase_add_test(tests, who_waits_for_an_answer_when_the_server_dies_is_told);
    tcase_add_test(tests, a_server_that_hangs_is_taken_for_lost_after_the_patience_and_used_again_when_it_goes_on);
    tcase_add_test(tests, a_slow_statement_outlasts_the_patience_and_nobody_is_queued_behind_it);
    tcase_add_test(tests, a_pool_may_be_closed_while_its_server_is_doubted);
    tcase_add_test(tests, a_listener_is_told_to_read_anew_after_a_restart);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
