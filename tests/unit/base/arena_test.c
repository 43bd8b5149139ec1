/* Arenas: alignment, zeroing, growth, deferred functions, threads. */
#include "../suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

static bool is_zero(const unsigned char *at, size_t n)
{
    while (n > 0 && *at == 0) {
        at++;
        n--;
    }
    return n == 0;
}

START_TEST(every_allocation_is_aligned_and_zeroed)
{
    for (size_t n = 0; n < 40000; n += 97) {
        unsigned char *at = arena_alloc(arena, n);
        ck_assert_uint_eq((uintptr_t)at % 16, 0);
        ck_assert(is_zero(at, n));
        memset(at, 0xEE, n);
    }
}
END_TEST

START_TEST(a_reused_block_is_zeroed_again)
{
    for (int round = 0; round < 3; round++) {
        struct arena *again = arena_open();
        unsigned char *at = arena_alloc(again, 2000);
        ck_assert(is_zero(at, 2000));
        memset(at, 0xEE, 2000);
        arena_close(again);
    }
}
END_TEST

START_TEST(growing_keeps_the_old_bytes_and_zeroes_the_new)
{
    unsigned char *at = NULL;
    size_t size = 0;
    for (size_t next = 1; next < 600000; next = next * 3 / 2 + 1) {
        at = arena_grow(arena, at, size, next);
        ck_assert(is_zero(at + size, next - size));
        for (size_t i = size; i < next; i++)
            at[i] = (unsigned char)i;
        size = next;
        if (next % 5 == 0) /* the next growth must copy */
            memset(arena_alloc(arena, 10), 0xEE, 10);
    }
    size_t kept = 0;
    while (kept < size && at[kept] == (unsigned char)kept)
        kept++;
    ck_assert_uint_eq(kept, size);
}
END_TEST

START_TEST(the_latest_allocation_grows_in_place)
{
    char *at = arena_alloc(arena, 16);
    ck_assert_ptr_eq(arena_grow(arena, at, 16, 512), at);
    ck_assert_ptr_eq(arena_grow(arena, at, 512, 100), at);
}
END_TEST

START_TEST(a_large_text_that_grows_leaves_no_copies_behind)
{
    struct text text = text_open(arena, 0);
    while (text.len < 4 << 20)
        text_add(&text, STR("成都市民服务"));
    ck_assert_uint_lt(arena_size(arena), 9 << 20);
}
END_TEST

static char order[8];
static size_t ran;

static void note(void *argument)
{
    order[ran++] = *(const char *)argument;
}

START_TEST(deferred_functions_run_last_first_when_the_arena_closes)
{
    struct arena *own = arena_open();
    char names[] = "abc";
    for (size_t i = 0; i < 3; i++)
        arena_defer(own, note, &names[i]);
    ck_assert_uint_eq(ran, 0);
    arena_close(own);
    ck_assert_str_eq(order, "cba");
}
END_TEST

static void *close_it(void *argument)
{
    arena_close(argument);
    return NULL;
}

START_TEST(another_thread_may_close_an_arena)
{
    for (int i = 0; i < 300; i++) {
        struct arena *own = arena_open();
        memset(arena_alloc(own, 9000), 1, 9000);
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, close_it, own), 0);
        pthread_join(thread, NULL);
    }
}
END_TEST

START_TEST(more_arenas_than_the_pool_keeps_can_be_open)
{
    struct arena *many[1000];
    for (size_t i = 0; i < 1000; i++)
        many[i] = arena_open();
    for (size_t i = 0; i < 1000; i++)
        arena_close(many[i]);
    arena_close(NULL);
}
END_TEST

START_TEST(the_size_is_what_was_taken_from_the_system)
{
    ck_assert_uint_eq(arena_size(arena), 8192);
    arena_alloc(arena, 100000);
    ck_assert_uint_ge(arena_size(arena), 108192);
    ck_assert_uint_lt(arena_size(arena), 109000);
}
END_TEST

START_TEST(an_overflowing_array_aborts)
{
    arena_alloc_array(arena, SIZE_MAX / 2, 3);
}
END_TEST

static int run_aborting(void)
{
    Suite *suite = suite_create("aborts");
    TCase *tcase = tcase_create("aborts");
    tcase_add_checked_fixture(tcase, open_arena, shut_arena);
    tcase_add_test_raise_signal(tcase, an_overflowing_array_aborts, SIGABRT);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}

int main(void)
{
    const TTest *const tests[] = {
        every_allocation_is_aligned_and_zeroed,
        a_reused_block_is_zeroed_again,
        growing_keeps_the_old_bytes_and_zeroes_the_new,
        the_latest_allocation_grows_in_place,
        a_large_text_that_grows_leaves_no_copies_behind,
        deferred_functions_run_last_first_when_the_arena_closes,
        another_thread_may_close_an_arena,
        more_arenas_than_the_pool_keeps_can_be_open,
        the_size_is_what_was_taken_from_the_system,
    };
    return run_tests("arena", open_arena, shut_arena, tests, COUNT_OF(tests)) | run_aborting();
}
