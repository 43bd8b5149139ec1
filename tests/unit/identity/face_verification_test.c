/* Face verifications with a Redis of their own: whose they are, and that they end once. */
#include "suite.h"

#include <shimin/clock.h>
#include <shimin/face_verification.h>

#define CITIZEN STR("01920000-0000-7000-8000-000000000001")
#define ANOTHER STR("01920000-0000-7000-8000-000000000002")

static struct arena *arena;

static void open_test(void)
{
    arena = arena_open();
    open_floor();
}

static void close_test(void)
{
    close_floor();
    arena_close(arena);
}

static struct face_verification kept(void)
{
    struct face_verification face = {.serial = STR("RL-1"), .expires_at = clock_wall() + seconds(60)};
    ck_assert_int_eq(face_verification_keep(arena, CITIZEN, &face), FACE_DONE);
    return face;
}

static void belong(void)
{
    open_test();
    struct face_verification face = kept(), found;
    ck_assert_int_eq(face_verification_find(arena, CITIZEN, face.id, &found), FACE_DONE);
    ck_assert(str_is(found.serial, "RL-1") && found.expires_at == face.expires_at && found.state == FACE_OPEN);
    ck_assert_int_eq(face_verification_find(arena, ANOTHER, face.id, &found), FACE_UNKNOWN);
    ck_assert_int_eq(face_verification_find(arena, CITIZEN, ANOTHER, &found), FACE_UNKNOWN);
    close_test();
}

START_TEST(a_verification_is_found_by_the_citizen_who_opened_it)
{
    inside(1, belong);
}
END_TEST

static struct str contested;
static unsigned won, lost;

static void end_it(void *argument)
{
    (void)argument;
    enum face_outcome outcome = face_verification_end(arena, contested, FACE_PASSED);
    won += outcome == FACE_DONE;
    lost += outcome == FACE_TAKEN;
}

static void end_at_once(void)
{
    struct fiber_group group = {0};
    struct face_verification found;
    open_test();
    contested = kept().id;
    for (int i = 0; i < 20; i++)
        fiber_spawn(&group, end_it, NULL);
    ck_assert_int_eq(fiber_join(&group, deadline_in(seconds(20))), WAIT_DONE);
    ck_assert_uint_eq(won, 1);
    ck_assert_uint_eq(lost, 19);
    ck_assert_int_eq(face_verification_end(arena, contested, FACE_FAILED), FACE_TAKEN);
    ck_assert_int_eq(face_verification_find(arena, CITIZEN, contested, &found), FACE_DONE);
    ck_assert_int_eq(found.state, FACE_PASSED);
    close_test();
}

START_TEST(it_ends_once_and_stays_as_it_ended)
{
    inside(1, end_at_once);
}
END_TEST

static void outlive(void)
{
    struct redis_reply reply;
    open_test();
    struct face_verification face = kept(), found;
    ck_assert_int_eq(redis_command(arena, &reply, "PTTL face:%b", STR_BYTES(face.id)), REDIS_OK);
    ck_assert(reply.integer > 3600 * 1000 && reply.integer <= 3660 * 1000);
    ck_assert_int_eq(redis_command(arena, &reply, "DEL face:%b", STR_BYTES(face.id)), REDIS_OK);
    ck_assert_int_eq(face_verification_find(arena, CITIZEN, face.id, &found), FACE_UNKNOWN);
    ck_assert_int_eq(face_verification_end(arena, face.id, FACE_PASSED), FACE_TAKEN);
    close_test();
}

START_TEST(one_that_redis_lost_cannot_be_passed)
{
    inside(1, outlive);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity face verification");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 60);
    tcase_add_checked_fixture(all, set_up_redis, tear_down_redis);
    tcase_add_test(all, a_verification_is_found_by_the_citizen_who_opened_it);
    tcase_add_test(all, it_ends_once_and_stays_as_it_ended);
    tcase_add_test(all, one_that_redis_lost_cannot_be_passed);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
