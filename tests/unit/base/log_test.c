/* The log: whole lines of JSON on standard output. */
#include "../suite.h"

#include <shimin/clock.h>
#include <shimin/json.h>
#include <shimin/log.h>

#include <pthread.h>
#include <string.h>
#include <unistd.h>

static int before, file;

static void capture(void)
{
    char path[] = "/tmp/shimin-log-test-XXXXXX";
    file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    unlink(path);
    before = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
}

static struct str captured(void)
{
    dup2(before, STDOUT_FILENO);
    close(before);
    off_t size = lseek(file, 0, SEEK_END);
    char *text = arena_alloc(arena, (size_t)size + 1);
    ck_assert_int_eq(pread(file, text, (size_t)size, 0), size);
    close(file);
    return (struct str){text, (size_t)size};
}

static const struct json *parse_line(struct str line)
{
    struct json_error error;
    const struct json *json = json_parse(arena, line, &json_limits_request, &error);
    ck_assert_msg(json != NULL, "%.*s: %s", STR_ARG(line), json ? "" : error.reason);
    return json;
}

START_TEST(a_message_is_one_json_object_a_line)
{
    capture();
    log_info("hello \"%s\"\n\\ %c\x80 市民", "x", 1);
    struct str line = captured();
    const struct json *json = parse_line(line);
    int64_t wall;
    ck_assert(time_parse_rfc3339(json_get_string(json, "timestamp", STR("")), &wall));
    ASSERT_STR(json_get_string(json, "level", STR("")), "info");
    ASSERT_STR(json_get_string(json, "service", STR("")), "shimin");
    ASSERT_STR(json_get_string(json, "msg", STR("")), "hello \"x\"\n\\ \x01\xEF\xBF\xBD 市民");
    ck_assert(str_ends(line, STR("}\n")) && str_find(line, STR("\n")) == (ptrdiff_t)line.len - 1);
}
END_TEST

START_TEST(a_long_message_is_cut_between_characters)
{
    char message[9000];
    for (size_t i = 0; i + 3 < sizeof(message); i += 3)
        memcpy(message + i, "市", 4);
    char controls[3000];
    memset(controls, 1, sizeof(controls) - 1);
    controls[sizeof(controls) - 1] = '\0';
    capture();
    log_error("x%s", message);
    log_error("%s", controls);
    struct str rest = captured();
    parse_line(str_cut(&rest, '\n'));
    parse_line(str_cut(&rest, '\n'));
}
END_TEST

START_TEST(lines_below_the_level_are_dropped)
{
    capture();
    log_debug("no");
    log_set_level(LOG_ERROR);
    log_warning("no");
    log_set_level(LOG_DEBUG);
    log_debug("yes");
    struct str line = captured();
    ASSERT_STR(json_get_string(parse_line(line), "msg", STR("")), "yes");
    enum log_level level;
    ck_assert(log_level_named(STR("warning"), &level) && level == LOG_WARNING);
    ck_assert(!log_level_named(STR("loud"), &level));
}
END_TEST

START_TEST(access_lines_wait_for_the_flush_or_for_32_kib)
{
    capture();
    log_line(STR("one\n"));
    ck_assert_int_eq(lseek(file, 0, SEEK_END), 0);
    log_flush();
    ck_assert_int_eq(lseek(file, 0, SEEK_END), 4);
    static char large[40000];
    memset(large, 'x', sizeof(large));
    for (int i = 0; i < 40; i++)
        log_line((struct str){large, 1000});
    ck_assert_int_ge(lseek(file, 0, SEEK_END), 30000);
    log_line((struct str){large, sizeof(large)});
    ck_assert_int_eq(lseek(file, 0, SEEK_END), 80004);
    captured();
}
END_TEST

static void *write_lines(void *argument)
{
    (void)argument;
    for (int i = 0; i < 2000; i++)
        log_line(STR("{\"line\":\"of a thread\"}\n"));
    return NULL;
}

START_TEST(lines_of_many_threads_stay_whole_and_are_written_when_a_thread_ends)
{
    capture();
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, write_lines, NULL);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct str rest = captured();
    size_t lines = 0;
    while (rest.len > 0) {
        ASSERT_STR(str_cut(&rest, '\n'), "{\"line\":\"of a thread\"}");
        lines++;
    }
    ck_assert_uint_eq(lines, 8000);
}
END_TEST

RUN_TESTS("log", a_message_is_one_json_object_a_line, a_long_message_is_cut_between_characters,
          lines_below_the_level_are_dropped, access_lines_wait_for_the_flush_or_for_32_kib,
          lines_of_many_threads_stay_whole_and_are_written_when_a_thread_ends)
