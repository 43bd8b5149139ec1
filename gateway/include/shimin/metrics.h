/* Metrics in the text format of Prometheus 0.0.4. Each thread counts in its own cells; a scrape adds them up. */
#ifndef SHIMIN_METRICS_H
#define SHIMIN_METRICS_H

#include <shimin/str.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric; /* a family: a name and the names of its labels */

/* Registers a family; call at start, before threads. `labels` is a comma list such as "method,route,code" or "".
 * The name follows the conventions (base units, counters end in _total). Names are checked and duplicates abort.
 * All strings are static. Histograms have the buckets .005 .01 .025 .05 .075 .1 .25 .5 .75 1 2.5 5 7.5 10 (seconds). */
struct metric *metric_register(enum metric_kind kind, const char *name, const char *labels, const char *help);

struct metric_cell;
/* The cell of one combination of label values (n = number of labels), made on first use, of the calling thread. Keep the
 * pointer where the combination is known in advance; it is valid for the thread's life. At most 10 000 combinations a family;
 * beyond that all go to one cell whose values are "other". */
struct metric_cell *metric_cell(struct metric *metric, const struct str *values, size_t n);
void metric_add(struct metric_cell *cell, double value);     /* counter, gauge */
void metric_set(struct metric_cell *cell, double value);     /* gauge; a scrape sums the threads' values */
void metric_observe(struct metric_cell *cell, double value); /* histogram */
/* metric_cell + metric_add: metric_count(requests, STR("GET"), STR("200")) */
#define metric_count(metric, ...)                                                                                              \
    metric_add(metric_cell((metric), (const struct str[]){__VA_ARGS__},                                                        \
                           sizeof((const struct str[]){__VA_ARGS__}) / sizeof(struct str)),                                    \
               1)

/* All families, HELP and TYPE first, with process_* (cpu_seconds_total, resident_memory_bytes, open_fds,
 * start_time_seconds) and app_build_info. */
struct str metrics_render(struct arena *arena);

#endif
