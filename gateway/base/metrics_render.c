/* The scrape: every family as text of Prometheus 0.0.4, and what the kernel knows of the process. */
#include "base/metrics.h"

#include "base/number.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const kind_names[] = {
    [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

static void add_number(struct text *text, double value)
{
    char number[NUMBER_TEXT_MAX];
    if (isnan(value))
        text_add_c(text, "NaN");
    else if (isinf(value))
        text_add_c(text, value < 0 ? "-Inf" : "+Inf");
    else
        text_add(text, (struct str){number, number_write(number, value)});
}

/* Backslash and line feed are escaped, and the quote in label values. */
static void add_escaped(struct text *text, struct str value, bool quoted)
{
    if (!str_is_utf8(value))
        value = STR("invalid");
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c == '\\' || c == '\n' || (quoted && c == '"'))
            text_add_char(text, '\\');
        text_add_char(text, c == '\n' ? 'n' : c);
    }
}

static void add_head(struct text *text, const char *name, const char *kind, const char *help)
{
    text_printf(text, "# HELP %s ", name);
    add_escaped(text, str_of(help), false);
    text_printf(text, "\n# TYPE %s %s\n", name, kind);
}

/* name, suffix and labels, up to the blank before the value; `bound` is a histogram's le, or NULL */
static void add_series(struct text *text, const struct metric *metric, const struct metric_combination *combination,
                       const char *suffix, const char *bound)
{
    text_add_c(text, metric->name);
    text_add_c(text, suffix);
    if (metric->label_count > 0 || bound) {
        text_add_char(text, '{');
        for (size_t i = 0; i < metric->label_count; i++) {
            text_printf(text, "%s%.*s=\"", i ? "," : "", STR_ARG(metric->labels[i]));
            add_escaped(text, combination->values[i], true);
            text_add_char(text, '"');
        }
        if (bound)
            text_printf(text, "%sle=\"%s\"", metric->label_count ? "," : "", bound);
        text_add_char(text, '}');
    }
    text_add_char(text, ' ');
}

static double sum_of(const struct metric_combination *combination)
{
    double sum = 0;
    for (const struct metric_cell *cell = combination->cells; cell; cell = cell->next) {
        double value;
        __atomic_load(&cell->value, &value, __ATOMIC_RELAXED);
        sum += value;
    }
    return sum;
}

/* The count is the sum of the buckets just read, so that a scrape agrees with itself while others count. */
static void add_histogram(struct text *text, const struct metric *metric, const struct metric_combination *combination)
{
    uint64_t below = 0;
    for (size_t i = 0; i <= METRIC_BUCKETS; i++) {
        for (const struct metric_cell *cell = combination->cells; cell; cell = cell->next)
            below += __atomic_load_n(&cell->buckets[i], __ATOMIC_RELAXED);
        char bound[NUMBER_TEXT_MAX] = "+Inf";
        if (i < METRIC_BUCKETS)
            number_write(bound, metric_bounds[i]);
        add_series(text, metric, combination, "_bucket", bound);
        text_add_i64(text, (int64_t)below);
        text_add_char(text, '\n');
    }
    add_series(text, metric, combination, "_sum", NULL);
    add_number(text, sum_of(combination));
    text_add_char(text, '\n');
    add_series(text, metric, combination, "_count", NULL);
    text_add_i64(text, (int64_t)below);
    text_add_char(text, '\n');
}

static void add_family(struct text *text, const struct metric *metric)
{
    add_head(text, metric->name, kind_names[metric->kind], metric->help);
    for (const struct metric_combination *combination = metric->first; combination; combination = combination->next) {
        if (metric->kind == METRIC_HISTOGRAM) {
            add_histogram(text, metric, combination);
            continue;
        }
        add_series(text, metric, combination, "", NULL);
        add_number(text, sum_of(combination));
        text_add_char(text, '\n');
    }
}

/* ---- the process ---- */

static double cpu_seconds(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count > 3 ? count - 3 : 0; /* ".", ".." and the directory itself */
}

/* Field 22 of /proc/self/stat counts ticks since boot (proc(5)); the name before it may hold blanks and brackets. */
static double start_time(void)
{
    char line[1024] = "";
    FILE *file = fopen("/proc/self/stat", "re");
    if (file && !fgets(line, sizeof(line), file))
        line[0] = '\0';
    if (file)
        fclose(file);
    unsigned long long ticks;
    const char *rest = strrchr(line, ')');
    if (!rest ||
        sscanf(rest + 1, " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &ticks) != 1)
        return 0;
    struct timespec wall, boot;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    double age = (double)boot.tv_sec - (double)ticks / (double)sysconf(_SC_CLK_TCK);
    return (double)wall.tv_sec - floor(age);
}

static const struct {
    const char *name, *kind, *help;
    double (*read)(void);
} process_metrics[] = {
    {"process_cpu_seconds_total", "counter", "Processor time used by the process.", cpu_seconds},
    {"process_resident_memory_bytes", "gauge", "Resident memory of the process.", resident_bytes},
    {"process_open_fds", "gauge", "Open file descriptors.", open_descriptors},
    {"process_start_time_seconds", "gauge", "Start of the process since the epoch.", start_time},
};

struct str metrics_render(struct arena *arena)
{
    struct text text = text_open(arena, 16384);
    pthread_mutex_lock(&metrics_lock);
    for (const struct metric *metric = metrics_first; metric; metric = metric->next)
        add_family(&text, metric);
    pthread_mutex_unlock(&metrics_lock);
    for (size_t i = 0; i < COUNT_OF(process_metrics); i++) {
        add_head(&text, process_metrics[i].name, process_metrics[i].kind, process_metrics[i].help);
        text_printf(&text, "%s ", process_metrics[i].name);
        add_number(&text, process_metrics[i].read());
        text_add_char(&text, '\n');
    }
    add_head(&text, "app_build_info", "gauge", "The version that runs; always 1.");
    text_printf(&text, "app_build_info{version=\"%s\",compiler=\"%s\"} 1\n", SHIMIN_VERSION, __VERSION__);
    return text_str(&text);
}
