/* Sessions with a Redis of their own: copies in workers, how fast a revoke is in force, lifetimes, what is sealed. */
#include "suite.h"

#include "identity/session_cache.h"

#include <shimin/id.h>
#include <shimin/session.h>
#include <stdatomic.h>

#define CITIZEN "0190a000-0000-7000-8000-000000000001"
#define OTHER "0190a000-0000-7000-8000-000000000002"

static struct arena *arena; /* of the test; used by one worker at a time */

static struct citizen citizen_of_level(enum level level)
{
    return (struct citizen){
        .id = STR(CITIZEN),
        .level = level,
        .phone_number = STR("+8613800138000"),
        .name = level >= LEVEL_REAL_NAME ? STR("张伟") : STR(""),
        .id_number = level >= LEVEL_REAL_NAME ? STR("11010519491231002X") : STR(""),
    };
}

static struct session_new open_one(enum level level)
{
    struct session_new made;
    const struct citizen citizen = citizen_of_level(level);
    ck_assert_int_eq(session_open(arena, &citizen, STR("device"), &made), SESSION_FOUND);
    return made;
}

static enum session_outcome find(struct str token)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    const struct citizen *citizen;
    return session_find(scratch, token, &citizen);
}

static int64_t commands_processed(void)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    struct redis_reply reply;
    int64_t count;
    ck_assert_int_eq(redis_command(scratch, &reply, "INFO commandstats"), REDIS_OK);
    ptrdiff_t at = str_find(reply.string, STR("cmdstat_evalsha:calls="));
    if (at < 0)
        return 0;
    struct str rest = str_slice(reply.string, (size_t)at + sizeof "cmdstat_evalsha:calls=" - 1, reply.string.len);
    ck_assert(str_to_i64(str_cut(&rest, ','), &count));
    return count;
}

static bool has_copy(struct str token)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    char key[TOKEN_KEY_LENGTH];
    token_key(token, key);
    return session_cache_find(scratch, key) != NULL;
}

/* Until the invalidation of its own making has come, nothing is kept. */
static void find_until_kept(struct str token)
{
    WAIT_UNTIL(find(token) == SESSION_FOUND && has_copy(token));
}

static void find_and_look(void)
{
    const struct citizen *citizen;
    open_floor();
    struct session_new made = open_one(LEVEL_REAL_NAME);
    ck_assert_int_eq(session_find(arena, made.token, &citizen), SESSION_FOUND);
    ck_assert(str_is(citizen->id, CITIZEN) && citizen->level == LEVEL_REAL_NAME);
    ck_assert(str_is(citizen->name, "张伟") && str_is(citizen->id_number, "11010519491231002X"));
    ck_assert(str_is(citizen->phone_number, "+8613800138000") && str_equal(citizen->session_id, made.id));
    ck_assert_int_eq(find(STR("short")), SESSION_UNKNOWN);
    ck_assert_int_eq(find(STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")), SESSION_UNKNOWN);
    find_until_kept(made.token);
    int64_t before = commands_processed();
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(find(made.token), SESSION_FOUND);
    ck_assert_int_eq(commands_processed(), before);
    close_floor();
}

START_TEST(a_session_is_found_from_the_copy_without_a_round_trip)
{
    inside(1, find_and_look);
}
END_TEST

/* ---- two workers ---- */

static struct session_new shared;
static atomic_int stage;
static _Atomic int64_t revoked_at;

static void revoke_from_the_other(void)
{
    open_floor();
    if (worker_index() == 0) {
        shared = open_one(LEVEL_PHONE);
        stage = 1;
        WAIT_UNTIL(stage == 2);
        ck_assert_int_eq(session_revoke(arena, STR(OTHER), shared.id), SESSION_UNKNOWN);
        ck_assert_int_eq(session_revoke(arena, STR(CITIZEN), shared.id), SESSION_FOUND);
        revoked_at = clock_steady();
        stage = 3;
        ck_assert_int_eq(session_revoke(arena, STR(CITIZEN), shared.id), SESSION_UNKNOWN);
        WAIT_UNTIL(stage == 4);
    } else {
        WAIT_UNTIL(stage == 1);
        find_until_kept(shared.token);
        stage = 2;
        WAIT_UNTIL(stage == 3);
        while (find(shared.token) == SESSION_FOUND)
            ck_assert_int_lt(clock_steady() - revoked_at, seconds(20));
        stage = 4;
    }
    close_floor();
}

START_TEST(a_revoke_is_seen_by_the_other_worker_and_only_the_owner_can)
{
    inside(2, revoke_from_the_other);
}
END_TEST

static void lose_tracking(void)
{
    struct redis_reply reply;
    open_floor();
    struct session_new made = open_one(LEVEL_PHONE);
    find_until_kept(made.token);
    ck_assert_int_eq(redis_command(arena, &reply, "CLIENT KILL TYPE pubsub"), REDIS_OK);
    WAIT_UNTIL(!redis_tracking_is_on());
    ck_assert(!has_copy(made.token));
    /* an invalidation that nobody hears */
    ck_assert_int_eq(session_revoke(arena, STR(CITIZEN), made.id), SESSION_FOUND);
    ck_assert_int_eq(find(made.token), SESSION_UNKNOWN);
    WAIT_UNTIL(redis_tracking_is_on());
    ck_assert_int_eq(find(made.token), SESSION_UNKNOWN);
    close_floor();
}

START_TEST(without_tracking_no_copy_is_trusted)
{
    inside(1, lose_tracking);
}
END_TEST

static void lose_redis(void)
{
    open_floor();
    struct session_new made = open_one(LEVEL_PHONE);
    find_until_kept(made.token);
    server_kill(&redis_server);
    WAIT_UNTIL(!redis_is_up() && !redis_tracking_is_on());
    ck_assert_int_eq(find(made.token), SESSION_UNAVAILABLE);
    close_floor();
}

START_TEST(without_redis_a_session_cannot_be_checked)
{
    inside(1, lose_redis);
}
END_TEST

static void overtake(void)
{
    open_floor();
    struct session_new made = open_one(LEVEL_PHONE);
    const struct citizen citizen = citizen_of_level(LEVEL_PHONE);
    char key[TOKEN_KEY_LENGTH];
    token_key(made.token, key);
    find_until_kept(made.token);
    uint32_t epoch = session_cache_epoch(key);
    ck_assert_int_eq(session_revoke(arena, STR(CITIZEN), made.id), SESSION_FOUND);
    WAIT_UNTIL(session_cache_epoch(key) != epoch);
    session_cache_keep(key, epoch, &citizen, INT64_MAX); /* the answer that was on its way all the while */
    ck_assert(!has_copy(made.token));
    session_cache_keep(key, session_cache_epoch(key), &citizen, clock_wall() - 1);
    ck_assert(!has_copy(made.token));
    close_floor();
}

START_TEST(an_answer_that_an_invalidation_overtook_is_not_kept)
{
    inside(1, overtake);
}
END_TEST

/* ---- lifetimes ---- */

static void expire(void)
{
    open_floor();
    struct session_new phone = open_one(LEVEL_PHONE), verified = open_one(LEVEL_REAL_NAME);
    int64_t begun = clock_steady();
    ck_assert_int_gt(phone.expires_at, verified.expires_at);
    WAIT_UNTIL(find(verified.token) == SESSION_UNKNOWN); /* though it is used all the time: its absolute end */
    ck_assert_int_ge(clock_steady() - begun, milliseconds(500));
    ck_assert_int_eq(find(phone.token), SESSION_FOUND);
    close_floor();
}

START_TEST(a_verified_session_ends_earlier_even_if_used)
{
    settings.session_idle = settings.session_absolute = seconds(60);
    settings.verified_idle = settings.verified_absolute = milliseconds(600);
    inside(1, expire);
}
END_TEST

static void idle(void)
{
    open_floor();
    struct session_new used = open_one(LEVEL_PHONE), idle = open_one(LEVEL_PHONE);
    int64_t until = clock_steady() + seconds(5);
    while (clock_steady() < until) {
        ck_assert_int_eq(find(used.token), SESSION_FOUND);
        (void)fiber_sleep(milliseconds(20));
    }
    ck_assert_int_eq(find(idle.token), SESSION_UNKNOWN);
    close_floor();
}

START_TEST(a_session_that_is_used_goes_on_and_one_that_idles_ends)
{
    settings.session_idle = seconds(2);
    inside(1, idle);
}
END_TEST

/* ---- lists ---- */

static void list(void)
{
    const struct session_entry *entries;
    struct redis_reply reply;
    size_t count;
    char key[TOKEN_KEY_LENGTH];
    open_floor();
    struct session_new first = open_one(LEVEL_PHONE), second = open_one(LEVEL_REAL_NAME);
    ck_assert_int_eq(session_list(arena, STR(CITIZEN), &entries, &count), SESSION_FOUND);
    ck_assert_uint_eq(count, 2);
    token_key(first.token, key);
    ck_assert_int_eq(redis_command(arena, &reply, "DEL s:%b", key, sizeof key), REDIS_OK); /* as its expiry would */
    ck_assert_int_eq(session_list(arena, STR(CITIZEN), &entries, &count), SESSION_FOUND);
    ck_assert_uint_eq(count, 1);
    ck_assert(str_equal(entries[0].id, second.id) && entries[0].level == LEVEL_REAL_NAME &&
              str_is(entries[0].device, "device"));
    ck_assert_int_eq(redis_command(arena, &reply, "HLEN cs:" CITIZEN), REDIS_OK);
    ck_assert_int_eq(reply.integer, 1);
    ck_assert_int_eq(session_list(arena, STR(OTHER), &entries, &count), SESSION_FOUND);
    ck_assert_uint_eq(count, 0);
    (void)open_one(LEVEL_PHONE);
    ck_assert_int_eq(session_revoke_all(arena, STR(CITIZEN)), SESSION_FOUND);
    WAIT_UNTIL(find(second.token) == SESSION_UNKNOWN);
    ck_assert_int_eq(session_list(arena, STR(CITIZEN), &entries, &count), SESSION_FOUND);
    ck_assert_uint_eq(count, 0);
    close_floor();
}

START_TEST(a_list_leaves_out_and_forgets_what_has_ended)
{
    inside(1, list);
}
END_TEST

/* ---- what lies in Redis ---- */

static void look_into_redis(void)
{
    struct redis_reply record, reply;
    char first_key[TOKEN_KEY_LENGTH], second_key[TOKEN_KEY_LENGTH];
    open_floor();
    struct session_new first = open_one(LEVEL_REAL_NAME), second = open_one(LEVEL_REAL_NAME);
    token_key(first.token, first_key);
    token_key(second.token, second_key);
    ck_assert_int_eq(redis_command(arena, &record, "HGETALL s:%b", first_key, sizeof first_key), REDIS_OK);
    static const char *const plain[] = {"11010519491231002X", "张伟", "13800138000"};
    for (size_t i = 0; i < record.count; i++) {
        for (size_t j = 0; j < COUNT_OF(plain); j++)
            ck_assert_int_lt(str_find(record.items[i].string, str_of(plain[j])), 0);
        ck_assert_int_lt(str_find(record.items[i].string, first.token), 0);
    }
    /* one session's sealed name, put into another */
    ck_assert_int_eq(redis_command(arena, &record, "HGET s:%b name", first_key, sizeof first_key), REDIS_OK);
    ck_assert_int_eq(redis_command(arena, &reply, "HSET s:%b name %b", second_key, sizeof second_key, STR_BYTES(record.string)),
                     REDIS_OK);
    ck_assert_int_eq(find(second.token), SESSION_UNKNOWN);
    ck_assert_int_eq(find(first.token), SESSION_FOUND);
    close_floor();
}

START_TEST(personal_values_are_sealed_and_bound_to_their_session)
{
    inside(1, look_into_redis);
}
END_TEST

static void set_up(void)
{
    set_up_redis();
    arena = arena_open();
}

static void tear_down(void)
{
    arena_close(arena);
    tear_down_redis();
}

int main(void)
{
    Suite *suite = suite_create("identity session");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, a_session_is_found_from_the_copy_without_a_round_trip);
    tcase_add_test(all, a_revoke_is_seen_by_the_other_worker_and_only_the_owner_can);
    tcase_add_test(all, without_tracking_no_copy_is_trusted);
    tcase_add_test(all, without_redis_a_session_cannot_be_checked);
    tcase_add_test(all, an_answer_that_an_invalidation_overtook_is_not_kept);
    tcase_add_test(all, a_verified_session_ends_earlier_even_if_used);
    tcase_add_test(all, a_session_that_is_used_goes_on_and_one_that_idles_ends);
    tcase_add_test(all, a_list_leaves_out_and_forgets_what_has_ended);
    tcase_add_test(all, personal_values_are_sealed_and_bound_to_their_session);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
