/* Workers: start, messages, hooks, the loop's own events, and stop. */
#include "inside.h"

#include <h2o.h>
#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/metrics.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_uint opened, stopped, counted;

/* ---- start ---- */

static bool open_slowly(void *argument)
{
    (void)argument;
    fiber_sleep(milliseconds(10) * worker_index());
    opened++;
    return true;
}

static void count(void *argument)
{
    (void)argument;
    ck_assert_ptr_null(fiber_self());
    ck_assert_uint_eq(opened, 3);
    counted++;
}

static void await(const atomic_uint *value, unsigned expected)
{
    for (int64_t end = deadline_in(seconds(20)); *value < expected && clock_steady() < end;)
        usleep(1000);
    ck_assert_uint_eq(*value, expected);
}

START_TEST(workers_serve_once_all_have_opened)
{
    ck_assert(workers_start(3, open_slowly, NULL));
    ck_assert_uint_eq(opened, 3);
    ck_assert_uint_eq(worker_count(), 3);
    workers_post(count, NULL);
    await(&counted, 3);
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
    ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

static bool open_and_post(void *argument)
{
    (void)argument;
    while (worker_index() > 0 && opened == 0)
        fiber_yield();
    if (worker_index() == 1)
        worker_post(worker_at(0), count, NULL);
    return open_slowly(NULL);
}

START_TEST(a_message_to_a_worker_that_has_opened_waits_for_the_others)
{
    ck_assert(workers_start(3, open_and_post, NULL));
    await(&counted, 1);
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}
END_TEST

static bool open_but_one(void *argument)
{
    fiber_sleep(milliseconds(2));
    if (worker_index() == *(unsigned *)argument)
        return false;
    if (worker_index() == 2)
        fiber_sleep(seconds(50)); /* would be late; abandoned */
    return true;
}

START_TEST(one_worker_that_cannot_open_stops_all)
{
    unsigned bad = 1;
    int64_t before = clock_steady();
    ck_assert(!workers_start(3, open_but_one, &bad));
    ck_assert_int_lt(clock_steady() - before, seconds(10));
    ck_assert_uint_eq(worker_count(), 0);
}
END_TEST

static bool open_looking(void *argument)
{
    char name[16], *names = argument;
    struct sigaction pipe;
    sigset_t blocked;
    pthread_getname_np(pthread_self(), name, sizeof name);
    strcpy(names, name);
    sigaction(SIGPIPE, NULL, &pipe);
    ck_assert(pipe.sa_handler == SIG_IGN);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(sigismember(&blocked, SIGTERM));
    return true;
}

START_TEST(threads_are_named_and_signals_are_left_to_main)
{
    char name[16];
    sigset_t blocked;
    ck_assert(workers_start(1, open_looking, name));
    ck_assert_str_eq(name, "worker-0");
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ck_assert(!sigismember(&blocked, SIGTERM));
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}
END_TEST

/* ---- messages ---- */

enum { POSTERS = 4, POSTS = 5000 };

struct posted {
    unsigned poster, number;
};
static struct posted posted[POSTERS][POSTS];
static unsigned seen[POSTERS]; /* the worker's */
static atomic_uint received;

static void receive(void *argument)
{
    struct posted *message = argument;
    ck_assert_uint_eq(message->number, seen[message->poster]); /* in the order of posting */
    seen[message->poster]++;
    received++;
}

static void *post_many(void *argument)
{
    unsigned poster = (unsigned)(uintptr_t)argument;
    for (unsigned i = 0; i < POSTS; i++) {
        posted[poster][i] = (struct posted){poster, i};
        worker_post(worker_at(0), receive, &posted[poster][i]);
    }
    return NULL;
}

static bool open_at_once(void *argument)
{
    (void)argument;
    return true;
}

START_TEST(messages_of_other_threads_arrive_once_and_in_order)
{
    pthread_t threads[POSTERS];
    ck_assert(workers_start(1, open_at_once, NULL));
    for (unsigned i = 0; i < POSTERS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, (void *)(uintptr_t)i), 0);
    for (unsigned i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    await(&received, POSTERS * POSTS);
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}
END_TEST

/* A ball between two workers. */
static void pass(void *argument)
{
    if (++received < 2000)
        worker_post(worker_at(1 - worker_index()), pass, argument);
}

START_TEST(workers_post_to_each_other)
{
    ck_assert(workers_start(2, open_at_once, NULL));
    worker_post(worker_at(0), pass, NULL);
    await(&received, 2000);
    workers_stop(NULL, NULL, deadline_in(seconds(20)));
}
END_TEST

/* ---- the turn ---- */

static unsigned queued, flushed, flushes;

static void flush(void *argument)
{
    (void)argument;
    ck_assert_ptr_null(fiber_self());
    if (flushed < queued)
        flushes++;
    flushed = queued;
}

static void queue_one(void *argument)
{
    (void)argument;
    queued++;
    fiber_yield();
    ck_assert_uint_eq(flushed, queued);
}

static void batch(void)
{
    struct fiber_group group = {0};
    worker_at_turn_end(flush, NULL);
    for (int i = 0; i < 50; i++)
        fiber_spawn(&group, queue_one, NULL);
    ck_assert_int_eq(fiber_join(&group, DEADLINE_NEVER), WAIT_DONE);
    ck_assert_uint_eq(queued, 50);
    ck_assert_uint_eq(flushes, 1);
}

START_TEST(what_the_fibers_of_one_turn_queue_is_flushed_once_at_its_end)
{
    inside(batch);
}
END_TEST

static void on_event(h2o_socket_t *socket, const char *error)
{
    ck_assert_ptr_null(error);
    ck_assert_ptr_null(fiber_self());
    fiber_wake(socket->data);
}

static void write_and_read(void)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    h2o_socket_t *writer = h2o_evloop_socket_create(worker_loop(worker_self()), ends[0], 0);
    h2o_socket_t *reader = h2o_evloop_socket_create(worker_loop(worker_self()), ends[1], 0);
    writer->data = reader->data = fiber_self();
    int64_t before = clock_steady();
    for (int i = 0; i < 100; i++) {
        h2o_iovec_t bytes = h2o_iovec_init(H2O_STRLIT("ping"));
        h2o_socket_write(writer, &bytes, 1, on_event);
        ck_assert_int_eq(fiber_wait(deadline_in(seconds(50))), WAIT_DONE);
        h2o_socket_read_start(reader, on_event);
        ck_assert_int_eq(fiber_wait(deadline_in(seconds(50))), WAIT_DONE);
        h2o_socket_read_stop(reader);
        h2o_buffer_consume(&reader->input, reader->input->size);
    }
    ck_assert_int_lt(clock_steady() - before, seconds(5));
    h2o_socket_close(writer);
    h2o_socket_close(reader);
}

START_TEST(a_write_that_a_fiber_completes_is_announced_without_waiting_for_other_events)
{
    inside(write_and_read);
}
END_TEST

static bool busy;

static void yield_until_told(void *argument)
{
    (void)argument;
    while (busy)
        fiber_yield();
}

static void read_while_others_yield(void)
{
    busy = true;
    for (int i = 0; i < 5; i++)
        fiber_start(yield_until_told, NULL, DEADLINE_NEVER);
    write_and_read();
    ck_assert_int_eq(fiber_sleep(milliseconds(5)), WAIT_DONE);
    busy = false;
}

START_TEST(fibers_that_only_yield_do_not_starve_input_or_timers)
{
    inside(read_while_others_yield);
}
END_TEST

static bool shows(struct arena *arena, const char *line)
{
    struct str text = metrics_render(arena);
    return memmem(text.at, text.len, line, strlen(line)) != NULL;
}

static void show_metrics(void)
{
    struct arena *arena = arena_open();
    for (int i = 0; i < 9; i++)
        fiber_start(yield_until_told, NULL, DEADLINE_NEVER);
    fiber_sleep(1000);
    ck_assert(shows(arena, "\nfibers_started_total 10\n"));
    usleep(60000); /* what no fiber should do */
    fiber_sleep(1000);
    ck_assert(shows(arena, "\nfibers_running 1\n"));
    ck_assert(!shows(arena, "\nworker_slow_turns_total 0\n"));
    arena_close(arena);
}

START_TEST(the_metrics_count_fibers_and_turns_that_held_the_worker)
{
    inside(show_metrics);
}
END_TEST

/* ---- stop ---- */

static atomic_uint finished;

static void finish_later(void *argument)
{
    (void)argument;
    fiber_sleep(milliseconds(30));
    finished++;
}

static bool open_with_work(void *argument)
{
    (void)argument;
    for (int i = 0; i < 10; i++)
        fiber_start(finish_later, NULL, DEADLINE_NEVER);
    return true;
}

static void stop_with_work(void *argument)
{
    (void)argument;
    ck_assert_ptr_null(fiber_self());
    ck_assert_ptr_nonnull(worker_self());
    stopped++;
    fiber_start(finish_later, NULL, DEADLINE_NEVER);
}

START_TEST(stop_waits_for_the_fibers_that_run_and_those_it_starts)
{
    ck_assert(workers_start(2, open_with_work, NULL));
    workers_stop(stop_with_work, NULL, deadline_in(seconds(20)));
    ck_assert_uint_eq(stopped, 2);
    ck_assert_uint_eq(finished, 22);
}
END_TEST

static void never_end(void *argument)
{
    (void)argument;
    fiber_sleep(seconds(50));
    finished++;
}

static void remember(void *argument)
{
    char *memory = strdup("known to this stack only"); /* no leak as long as the fiber sleeps */
    (void)argument;
    fiber_sleep(seconds(50));
    free(memory);
}

static bool open_with_endless_work(void *argument)
{
    (void)argument;
    fiber_start(never_end, NULL, DEADLINE_NEVER);
    fiber_start(remember, NULL, DEADLINE_NEVER);
    return true;
}

START_TEST(stop_abandons_what_is_left_at_the_deadline)
{
    int64_t before = clock_steady();
    ck_assert(workers_start(2, open_with_endless_work, NULL));
    workers_stop(NULL, NULL, deadline_in(milliseconds(50)));
    ck_assert_int_ge(clock_steady() - before, milliseconds(50));
    ck_assert_int_lt(clock_steady() - before, seconds(10));
    ck_assert_uint_eq(finished, 0);
}
END_TEST

static void block(void *argument)
{
    (void)argument;
    usleep(100000);
    finished++;
}

static void offload_block(void *argument)
{
    (void)argument;
    ck_assert(offload(block, NULL));
    ck_abort_msg("its worker has ended");
}

static bool open_with_offload(void *argument)
{
    (void)argument;
    fiber_start(offload_block, NULL, DEADLINE_NEVER);
    fiber_yield();
    fiber_yield();
    return true;
}

START_TEST(a_worker_that_ends_before_its_offloaded_work_is_not_touched_by_it)
{
    ck_assert(workers_start(1, open_with_offload, NULL));
    workers_stop(NULL, NULL, deadline_in(0));
}
END_TEST

START_TEST(workers_can_start_again_after_a_stop)
{
    for (int i = 0; i < 5; i++) {
        ck_assert(workers_start(2, open_at_once, NULL));
        workers_stop(NULL, NULL, DEADLINE_NEVER);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tests = tcase_create("worker");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, workers_serve_once_all_have_opened);
    tcase_add_test(tests, a_message_to_a_worker_that_has_opened_waits_for_the_others);
    tcase_add_test(tests, one_worker_that_cannot_open_stops_all);
    tcase_add_test(tests, threads_are_named_and_signals_are_left_to_main);
    tcase_add_test(tests, messages_of_other_threads_arrive_once_and_in_order);
    tcase_add_test(tests, workers_post_to_each_other);
    tcase_add_test(tests, what_the_fibers_of_one_turn_queue_is_flushed_once_at_its_end);
    tcase_add_test(tests, a_write_that_a_fiber_completes_is_announced_without_waiting_for_other_events);
    tcase_add_test(tests, fibers_that_only_yield_do_not_starve_input_or_timers);
    tcase_add_test(tests, the_metrics_count_fibers_and_turns_that_held_the_worker);
    tcase_add_test(tests, stop_waits_for_the_fibers_that_run_and_those_it_starts);
    tcase_add_test(tests, stop_abandons_what_is_left_at_the_deadline);
    tcase_add_test(tests, a_worker_that_ends_before_its_offloaded_work_is_not_touched_by_it);
    tcase_add_test(tests, workers_can_start_again_after_a_stop);
    suite_add_tcase(suite, tests);
    return run_all(suite);
}
