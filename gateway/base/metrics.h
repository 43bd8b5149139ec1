/* The inside of the metrics, for counting (metrics.c) and for the scrape (metrics_render.c). */
#ifndef SHIMIN_BASE_METRICS_H
#define SHIMIN_BASE_METRICS_H

#include <shimin/metrics.h>

#include <pthread.h>

#define METRIC_LABELS_MAX 8
#define METRIC_BUCKETS 14

/* What one thread counted of one combination. Only that thread writes, with relaxed stores; the scrape reads. */
struct metric_cell {
    struct metric_cell *next; /* of the same combination */
    bool owned;               /* a thread counts here; under metrics_lock */
    double value;             /* of a histogram: the sum */
    uint64_t buckets[];       /* of a histogram: METRIC_BUCKETS and the one beyond, not cumulated */
};

struct metric_combination {
    struct metric_combination *next;  /* of the family, the oldest first */
    struct metric_combination *chain; /* of the same hash */
    struct metric_cell *cells;
    uint64_t hash;
    struct str values[];
};

struct metric {
    struct metric *next;
    enum metric_kind kind;
    const char *name;
    const char *help;
    struct str labels[METRIC_LABELS_MAX];
    size_t label_count;
    struct metric_combination *first, **last;
    struct metric_combination **table; /* by hash */
    size_t count;
};

extern const double metric_bounds[METRIC_BUCKETS];
/* Families, combinations and lists of cells change only under this lock; counting takes it only to make a cell. */
extern pthread_mutex_t metrics_lock;
extern struct metric *metrics_first;

#endif
