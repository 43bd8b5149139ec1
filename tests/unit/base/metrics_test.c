/* Metrics: counting in threads, the text of the scrape, the bound on combinations. */
#include "../suite.h"

#include <shimin/clock.h>
#include <shimin/metrics.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct metric *requests, *duration, *in_flight;

static void check_line(const char *line)
{
    struct str text = str_printf(arena, "\n%.*s", STR_ARG(metrics_render(arena)));
    struct str wanted = str_printf(arena, "\n%s\n", line);
    ck_assert_msg(str_find(text, wanted) >= 0, "no \"%s\" in:\n%.*s", line, STR_ARG(text));
}

static void register_families(void)
{
    requests = metric_register(METRIC_COUNTER, "http_requests_total", "method,code", "Requests\nanswered \\ all.");
    duration = metric_register(METRIC_HISTOGRAM, "http_request_duration_seconds", "", "Duration.");
    in_flight = metric_register(METRIC_GAUGE, "http_requests_in_flight", "", "Requests now.");
}

static void *count(void *argument)
{
    (void)argument;
    for (int i = 0; i < 1000; i++) {
        metric_count(requests, STR("GET"), STR("200"));
        metric_observe(metric_cell(duration, NULL, 0), 0.02);
    }
    return NULL;
}

START_TEST(what_threads_counted_is_added_up_also_after_they_ended)
{
    register_families();
    for (int round = 0; round < 3; round++) {
        pthread_t threads[3];
        for (size_t i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, count, NULL);
        for (size_t i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
    }
    count(NULL);
    check_line("http_requests_total{method=\"GET\",code=\"200\"} 10000");
    check_line("http_request_duration_seconds_bucket{le=\"0.01\"} 0");
    check_line("http_request_duration_seconds_bucket{le=\"0.025\"} 10000");
    check_line("http_request_duration_seconds_bucket{le=\"+Inf\"} 10000");
    check_line("http_request_duration_seconds_count 10000");
}
END_TEST

START_TEST(values_fall_into_the_bucket_whose_bound_they_reach)
{
    register_families();
    struct metric_cell *cell = metric_cell(duration, NULL, 0);
    metric_observe(cell, 0.005);
    metric_observe(cell, 10.5);
    metric_observe(cell, 0);
    check_line("http_request_duration_seconds_bucket{le=\"0.005\"} 2");
    check_line("http_request_duration_seconds_bucket{le=\"10\"} 2");
    check_line("http_request_duration_seconds_bucket{le=\"+Inf\"} 3");
    check_line("http_request_duration_seconds_sum 10.505");
}
END_TEST

START_TEST(gauges_rise_fall_and_are_set)
{
    register_families();
    struct metric_cell *cell = metric_cell(in_flight, NULL, 0);
    metric_add(cell, 3);
    metric_add(cell, -1);
    check_line("http_requests_in_flight 2");
    metric_set(cell, 0.5);
    check_line("http_requests_in_flight 0.5");
    ck_assert_ptr_eq(cell, metric_cell(in_flight, NULL, 0));
}
END_TEST

START_TEST(help_and_labels_are_escaped)
{
    register_families();
    metric_count(requests, STR("a\"\\\nb"), STR("\xff"));
    check_line("# HELP http_requests_total Requests\\nanswered \\\\ all.");
    check_line("# TYPE http_requests_total counter");
    check_line("http_requests_total{method=\"a\\\"\\\\\\nb\",code=\"invalid\"} 1");
}
END_TEST

START_TEST(beyond_ten_thousand_combinations_all_count_as_other)
{
    register_families();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 10100; i++) {
            char text[16];
            struct str values[] = {{text, (size_t)snprintf(text, sizeof(text), "%d", i)}, STR("200")};
            metric_add(metric_cell(requests, values, 2), 1);
        }
    }
    check_line("http_requests_total{method=\"other\",code=\"other\"} 200");
    check_line("http_requests_total{method=\"9999\",code=\"200\"} 2");
}
END_TEST

START_TEST(the_process_is_described)
{
    register_families();
    struct str text = str_printf(arena, "\n%.*s", STR_ARG(metrics_render(arena)));
    const char *start = strstr(text.at, "\nprocess_start_time_seconds ");
    ck_assert_ptr_nonnull(start);
    double age = (double)clock_wall() / 1e6 - strtod(start + 28, NULL);
    ck_assert_msg(age > -2 && age < 600, "started %f seconds ago", age);
    ck_assert_ptr_nonnull(strstr(text.at, "\nprocess_cpu_seconds_total "));
    ck_assert_double_gt(strtod(strstr(text.at, "\nprocess_resident_memory_bytes ") + 31, NULL), 1e5);
    ck_assert_double_ge(strtod(strstr(text.at, "\nprocess_open_fds ") + 18, NULL), 3);
    ck_assert_ptr_nonnull(strstr(text.at, "\napp_build_info{version=\""));
}
END_TEST

RUN_TESTS("metrics", what_threads_counted_is_added_up_also_after_they_ended, values_fall_into_the_bucket_whose_bound_they_reach,
          gauges_rise_fall_and_are_set, help_and_labels_are_escaped, beyond_ten_thousand_combinations_all_count_as_other,
          the_process_is_described)
