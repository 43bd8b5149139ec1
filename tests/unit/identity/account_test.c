/* Accounts in a Postgres of their own: found by the blind index, bound to one identity, every attempt kept. */
#include "suite.h"

#include "migrated.h"

#include "store/pg_pool.h"

#include <shimin/account.h>

#define PHONE "+8613800138000"
#define ID_NUMBER "11010519491231002X"

static const struct pg_statement count_attempts = {
    "test.count_attempts", "SELECT count(*) FROM shimin.verification_attempt WHERE citizen_id = $1::uuid AND outcome = $2", 2};
static const struct pg_statement read_ciphers = {
    "test.read_ciphers", "SELECT phone_cipher, coalesce(name_cipher, ''), coalesce(id_number_cipher, '') FROM shimin.citizen",
    0};
static const struct pg_statement swap_names = {
    "test.swap_names",
    "UPDATE shimin.citizen SET name_cipher = (SELECT name_cipher FROM shimin.citizen WHERE id = $1::uuid) WHERE id <> $1::uuid",
    1};

static struct server postgres;
static struct arena *arena;

static void open_postgres(void)
{
    ck_assert(pg_open(&(struct pg_settings){.connection = postgres.url}));
}

static struct citizen account_of(const char *phone_number)
{
    struct citizen citizen;
    ck_assert_int_eq(account_of_phone(arena, str_of(phone_number), &citizen), PG_OK);
    return citizen;
}

static int64_t attempts(const struct citizen *citizen, const char *outcome)
{
    const struct pg_result *rows;
    ck_assert_int_eq(pg_query(arena, &count_attempts, PG_ARGS(pg_text(citizen->id), pg_text(str_of(outcome))), &rows), PG_OK);
    return pg_int(rows, 0, 0);
}

static void log_in(void)
{
    open_postgres();
    struct citizen first = account_of(PHONE), again = account_of(PHONE), other = account_of("+8613900139000");
    ck_assert(str_equal(first.id, again.id));
    ck_assert(!str_equal(first.id, other.id));
    ck_assert_int_eq(first.level, LEVEL_PHONE);
    pg_close();
}

START_TEST(a_phone_finds_its_account_again)
{
    inside(1, log_in);
}
END_TEST

static struct str ids[100];
static size_t made;

static void log_in_at_once(void *argument)
{
    (void)argument;
    ids[made++] = account_of(PHONE).id;
}

static void log_in_often(void)
{
    struct fiber_group group = {0};
    open_postgres();
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        fiber_spawn(&group, log_in_at_once, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    for (size_t i = 1; i < COUNT_OF(ids); i++)
        ck_assert(str_equal(ids[i], ids[0]));
    pg_close();
}

START_TEST(a_hundred_first_logins_at_once_make_one_account)
{
    inside(1, log_in_often);
}
END_TEST

static void verify(void)
{
    struct citizen read;
    const struct pg_result *rows;
    int64_t verified_at;
    open_postgres();
    struct citizen citizen = account_of(PHONE);
    ck_assert_int_eq(account_verify(arena, &citizen, VERIFICATION_REFUSED, STR("张伟"), STR(ID_NUMBER)), PG_OK);
    ck_assert_int_eq(account_verify(arena, &citizen, VERIFICATION_FAILED, STR("张伟"), STR(ID_NUMBER)), PG_OK);
    ck_assert_int_eq(citizen.level, LEVEL_PHONE);
    ck_assert_int_eq(account_verify(arena, &citizen, VERIFICATION_MATCHED, STR("张伟"), STR(ID_NUMBER)), PG_OK);
    ck_assert_int_eq(citizen.level, LEVEL_REAL_NAME);
    ck_assert_int_eq(account_read(arena, citizen.id, &read, &verified_at), PG_OK);
    ck_assert(read.level == LEVEL_REAL_NAME && verified_at > 0);
    ck_assert(str_is(read.name, "张伟") && str_is(read.id_number, ID_NUMBER) && str_is(read.phone_number, PHONE));
    ck_assert_int_eq(attempts(&citizen, "refused"), 1);
    ck_assert_int_eq(attempts(&citizen, "failed"), 1);
    ck_assert_int_eq(attempts(&citizen, "matched"), 1);
    ck_assert_int_eq(account_face_attempt(arena, citizen.id, VERIFICATION_OPENED), PG_OK);
    ck_assert_int_eq(account_face_attempt(arena, citizen.id, VERIFICATION_MATCHED), PG_OK);
    ck_assert_int_eq(attempts(&citizen, "opened"), 1);
    ck_assert_int_eq(attempts(&citizen, "matched"), 2);
    ck_assert_int_eq(account_read(arena, citizen.id, &read, &verified_at), PG_OK);
    ck_assert_int_eq(read.level, LEVEL_REAL_NAME);
    ck_assert_int_eq(pg_query(arena, &read_ciphers, PG_NO_ARGS, &rows), PG_OK);
    ck_assert_int_lt(str_find(pg_bin(arena, rows, 0, 0), STR("13800138000")), 0);
    ck_assert_int_lt(str_find(pg_bin(arena, rows, 0, 1), STR("张伟")), 0);
    ck_assert_int_lt(str_find(pg_bin(arena, rows, 0, 2), STR(ID_NUMBER)), 0);
    pg_close();
}

START_TEST(a_verified_name_raises_the_level_and_every_attempt_is_kept)
{
    inside(1, verify);
}
END_TEST

static void conflict(void)
{
    struct citizen read;
    int64_t verified_at;
    open_postgres();
    struct citizen first = account_of(PHONE), second = account_of("+8613900139000");
    ck_assert_int_eq(account_verify(arena, &first, VERIFICATION_MATCHED, STR("张伟"), STR(ID_NUMBER)), PG_OK);
    ck_assert_int_eq(account_verify(arena, &second, VERIFICATION_MATCHED, STR("张伟"), STR(ID_NUMBER)), PG_CONFLICT);
    ck_assert_int_eq(second.level, LEVEL_PHONE);
    ck_assert_int_eq(attempts(&second, "conflict"), 1);
    ck_assert_int_eq(attempts(&second, "matched"), 0);
    /* again as oneself, and as somebody else */
    ck_assert_int_eq(account_verify(arena, &first, VERIFICATION_MATCHED, STR("张伟"), STR(ID_NUMBER)), PG_OK);
    ck_assert_int_eq(account_verify(arena, &first, VERIFICATION_MATCHED, STR("李四"), STR("110105194912310038")), PG_CONFLICT);
    ck_assert_int_eq(attempts(&first, "conflict"), 1);
    ck_assert_int_eq(account_read(arena, first.id, &read, &verified_at), PG_OK);
    ck_assert(str_is(read.name, "张伟") && str_is(read.id_number, ID_NUMBER));
    pg_close();
}

START_TEST(an_identity_has_one_account_and_an_account_one_identity)
{
    inside(1, conflict);
}
END_TEST

static void swap(void)
{
    struct citizen read;
    int64_t verified_at;
    open_postgres();
    struct citizen first = account_of(PHONE), second = account_of("+8613900139000");
    ck_assert_int_eq(account_verify(arena, &first, VERIFICATION_MATCHED, STR("张伟"), STR(ID_NUMBER)), PG_OK);
    ck_assert_int_eq(pg_query(arena, &swap_names, PG_ARGS(pg_text(first.id)), NULL), PG_OK);
    ck_assert_int_eq(account_read(arena, second.id, &read, &verified_at), PG_OK);
    ck_assert_uint_eq(read.name.len, 0);
    pg_close();
}

START_TEST(a_sealed_name_says_nothing_in_another_row)
{
    inside(1, swap);
}
END_TEST

static void set_up(void)
{
    log_set_level(LOG_ERROR);
    arena = arena_open();
    make_keys();
    postgres_copy(&postgres, &migrated);
}

static void tear_down(void)
{
    arena_close(arena);
    drop_keys();
    server_destroy(&postgres);
}

int main(void)
{
    Suite *suite = suite_create("identity account");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_unchecked_fixture(all, make_migrated, drop_migrated);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_phone_finds_its_account_again);
    tcase_add_test(all, a_hundred_first_logins_at_once_make_one_account);
    tcase_add_test(all, a_verified_name_raises_the_level_and_every_attempt_is_kept);
    tcase_add_test(all, an_identity_has_one_account_and_an_account_one_identity);
    tcase_add_test(all, a_sealed_name_says_nothing_in_another_row);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
