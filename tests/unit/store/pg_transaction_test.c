/* Transactions: isolation, order of leases, and what becomes of one whose fiber leaves. */
#include "inside.h"

#include "store/pg_pool.h"

static struct server server;

static void create_server(void)
{
    postgres_create(&server);
}

static void destroy_server(void)
{
    server_destroy(&server);
}

static const struct pg_statement create = {"test.create", "CREATE TABLE IF NOT EXISTS account (id int PRIMARY KEY, fen bigint)",
                                           0};
static const struct pg_statement empty = {"test.empty", "TRUNCATE account", 0};
static const struct pg_statement insert = {"test.insert", "INSERT INTO account VALUES ($1, $2)", 2};
static const struct pg_statement count = {"test.count", "SELECT count(*) FROM account", 0};
static const struct pg_statement sleep_long = {"test.sleep", "SELECT pg_sleep(1)", 0};

static void open_pool(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    ck_assert(pg_open(&(struct pg_settings){.connection = server.url}));
    ck_assert_int_eq(pg_query(arena, &create, PG_NO_ARGS, NULL), PG_OK);
    ck_assert_int_eq(pg_query(arena, &empty, PG_NO_ARGS, NULL), PG_OK);
}

static int64_t rows_now(struct arena *arena)
{
    const struct pg_result *result;
    ck_assert_int_eq(pg_query(arena, &count, PG_NO_ARGS, &result), PG_OK);
    return pg_int(result, 0, 0);
}

static void commit_one(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    open_pool();
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_OK);
    ck_assert_int_eq(pg_in(transaction, &insert, PG_ARGS(pg_integer(1), pg_integer(5)), NULL), PG_OK);
    ck_assert_int_eq(rows_now(arena), 0);
    ck_assert_int_eq(pg_commit(&transaction), PG_OK);
    ck_assert_ptr_null(transaction);
    ck_assert_int_eq(rows_now(arena), 1);
    pg_close();
}

START_TEST(nobody_sees_a_transaction_before_its_commit)
{
    inside(1, commit_one);
}
END_TEST

static void leave_open(struct arena *arena, int64_t id)
{
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_OK);
    ck_assert_int_eq(pg_in(transaction, &insert, PG_ARGS(pg_integer(id), pg_integer(5)), NULL), PG_OK);
}

static void roll_back(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    open_pool();
    for (int i = 0; i < 10; i++)
        leave_open(arena, i);
    ck_assert_int_eq(rows_now(arena), 0);
    pg_close();
}

START_TEST(what_is_not_committed_is_rolled_back)
{
    inside(1, roll_back);
}
END_TEST

static void fail_inside(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    open_pool();
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_OK);
    ck_assert_int_eq(pg_in(transaction, &insert, PG_ARGS(pg_integer(1), pg_integer(5)), NULL), PG_OK);
    ck_assert_int_eq(pg_in(transaction, &insert, PG_ARGS(pg_integer(1), pg_integer(5)), NULL), PG_CONFLICT);
    ck_assert_int_eq(pg_in(transaction, &insert, PG_ARGS(pg_integer(2), pg_integer(5)), NULL), PG_REFUSED);
    ck_assert_int_eq(pg_commit(&transaction), PG_REFUSED);
    ck_assert_int_eq(rows_now(arena), 0);
    pg_close();
}

START_TEST(a_transaction_in_which_a_statement_failed_does_not_commit)
{
    inside(1, fail_inside);
}
END_TEST

static bool inserted;

static void be_cancelled(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_OK);
    ck_assert_int_eq(pg_in(transaction, &insert, PG_ARGS(pg_integer(1), pg_integer(5)), NULL), PG_OK);
    inserted = true;
    ck_assert_int_eq(pg_in(transaction, &sleep_long, PG_NO_ARGS, NULL), PG_CANCELLED);
    ck_assert_int_eq(pg_commit(&transaction), PG_CANCELLED);
}

static void cancel(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    open_pool();
    struct fiber_group group = {0};
    fiber_spawn(&group, be_cancelled, NULL);
    WAIT_UNTIL(inserted);
    ck_assert_int_eq(fiber_join(&group, deadline_in(milliseconds(20))), WAIT_DEADLINE);
    ck_assert_int_eq(rows_now(arena), 0);
    /* all leases still serve */
    for (int i = 0; i < 4; i++)
        leave_open(arena, i);
    ck_assert_int_eq(rows_now(arena), 0);
    pg_close();
}

START_TEST(a_transaction_whose_fiber_is_cancelled_is_rolled_back)
{
    inside(1, cancel);
}
END_TEST

/* ---- leases ---- */

static unsigned served[16];
static unsigned served_count;

static void take_turn(void *argument)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_OK);
    served[served_count++] = (unsigned)(intptr_t)argument;
    ck_assert_int_eq(pg_in(transaction, &count, PG_NO_ARGS, NULL), PG_OK);
    ck_assert_int_eq(pg_commit(&transaction), PG_OK);
}

static void queue_up(void)
{
    open_pool();
    struct fiber_group group = {0};
    for (intptr_t i = 0; i < 16; i++)
        fiber_spawn(&group, take_turn, (void *)i);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    pg_close();
}

START_TEST(leases_are_given_in_the_order_of_asking)
{
    inside(1, queue_up);
    for (unsigned i = 0; i < 16; i++)
        ck_assert_uint_eq(served[i], i);
}
END_TEST

static void wait_in_vain(void *argument)
{
    (void)argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct pg_transaction *transaction;
    fiber_set_deadline(deadline_in(milliseconds(30)));
    ck_assert_int_eq(pg_begin(arena, &transaction), PG_DEADLINE);
    ck_assert_ptr_null(transaction);
}

static void exhaust(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    open_pool();
    struct pg_transaction *held[2];
    ck_assert_int_eq(pg_begin(arena, &held[0]), PG_OK);
    ck_assert_int_eq(pg_begin(arena, &held[1]), PG_OK);
    struct fiber_group group = {0};
    for (int i = 0; i < 3; i++)
        fiber_spawn(&group, wait_in_vain, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    pg_rollback(&held[0]);
    pg_rollback(&held[1]);
    leave_open(arena, 1);
    pg_close();
}

START_TEST(who_waits_for_a_lease_waits_no_longer_than_its_deadline)
{
    inside(1, exhaust);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transactions");
    TCase *tests = tcase_create("pg_begin");
    tcase_set_timeout(tests, 60);
    tcase_add_unchecked_fixture(tests, create_server, destroy_server);
    tcase_add_test(tests, nobody_sees_a_transaction_before_its_commit);
    tcase_add_test(tests, what_is_not_committed_is_rolled_back);
    tcase_add_test(tests, a_transaction_in_which_a_statement_failed_does_not_commit);
    tcase_add_test(tests, a_transaction_whose_fiber_is_cancelled_is_rolled_back);
    tcase_add_test(tests, leases_are_given_in_the_order_of_asking);
    tcase_add_test(tests, who_waits_for_a_lease_waits_no_longer_than_its_deadline);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
