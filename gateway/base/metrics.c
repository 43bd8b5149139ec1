/* Metrics: families, and cells that each thread counts in alone. */
#include "base/metrics.h"

#include <shimin/arena.h>
#include <shimin/log.h>

#include <stdlib.h>
#include <string.h>

#define COMBINATIONS_MAX 10000
#define TABLE_SIZE 4096 /* of a family with labels; a power of two */

/* The cells that this thread counts in, by the hash of family and values. */
struct known {
    struct metric_combination *combination;
    struct metric_cell *cell;
    const struct metric *metric;
};

struct thread_cells {
    struct known *slots; /* open addressing; combination == NULL is free */
    size_t room, count;
};

const double metric_bounds[METRIC_BUCKETS] = {.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10};
pthread_mutex_t metrics_lock = PTHREAD_MUTEX_INITIALIZER;
struct metric *metrics_first;

static struct metric **metrics_last = &metrics_first;
static _Thread_local struct thread_cells mine;
static pthread_key_t cells_key;
static pthread_once_t cells_once = PTHREAD_ONCE_INIT;

/* ---- families ---- */

static bool is_name(struct str name, bool colons)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colons && c == ':');
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0;
}

static void split_labels(struct metric *metric, const char *labels)
{
    for (struct str rest = str_of(labels), label; rest.at && rest.len > 0;) {
        label = str_cut(&rest, ',');
        if (!is_name(label, false) || str_starts(label, STR("__")) || str_is(label, "le"))
            fatal("metric %s: \"%.*s\" is no name for a label", metric->name, STR_ARG(label));
        if (metric->label_count == METRIC_LABELS_MAX)
            fatal("metric %s has more than %d labels", metric->name, METRIC_LABELS_MAX);
        metric->labels[metric->label_count++] = label;
    }
}

struct metric *metric_register(enum metric_kind kind, const char *name, const char *labels, const char *help)
{
    if (!is_name(str_of(name), true))
        fatal("\"%s\" is no name for a metric", name);
    if ((kind == METRIC_COUNTER) != str_ends(str_of(name), STR("_total")))
        fatal("metric %s: counters, and only they, end in _total", name);
    struct metric *metric = memory_alloc(sizeof(*metric));
    metric->kind = kind;
    metric->name = name;
    metric->help = help;
    metric->last = &metric->first;
    split_labels(metric, labels);
    metric->table = memory_alloc(sizeof(struct metric_combination *) * (metric->label_count ? TABLE_SIZE : 1));
    pthread_mutex_lock(&metrics_lock);
    for (const struct metric *other = metrics_first; other; other = other->next)
        if (strcmp(other->name, name) == 0)
            fatal("metric %s is registered twice", name);
    *metrics_last = metric;
    metrics_last = &metric->next;
    pthread_mutex_unlock(&metrics_lock);
    return metric;
}

/* ---- combinations ---- */

static uint64_t hash_values(const struct metric *metric, const struct str *values)
{
    uint64_t hash = (uint64_t)(uintptr_t)metric >> 4;
    for (size_t i = 0; i < metric->label_count; i++)
        hash = (hash ^ str_hash(values[i])) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static bool same_values(const struct metric *metric, const struct metric_combination *combination, const struct str *values)
{
    for (size_t i = 0; i < metric->label_count; i++)
        if (!str_equal(combination->values[i], values[i]))
            return false;
    return true;
}

static struct metric_combination **chain_of(struct metric *metric, uint64_t hash)
{
    return &metric->table[metric->label_count ? hash % TABLE_SIZE : 0];
}

static struct metric_combination *find_combination(struct metric *metric, const struct str *values, uint64_t hash)
{
    struct metric_combination *combination = *chain_of(metric, hash);
    while (combination && (combination->hash != hash || !same_values(metric, combination, values)))
        combination = combination->chain;
    return combination;
}

static struct metric_combination *add_combination(struct metric *metric, const struct str *values, uint64_t hash)
{
    struct metric_combination *combination = memory_alloc(sizeof(*combination) + sizeof(struct str) * metric->label_count);
    combination->hash = hash;
    for (size_t i = 0; i < metric->label_count; i++) {
        char *copy = memory_alloc(values[i].len + 1);
        if (values[i].len > 0)
            memcpy(copy, values[i].at, values[i].len);
        combination->values[i] = (struct str){copy, values[i].len};
    }
    combination->chain = *chain_of(metric, hash);
    *chain_of(metric, hash) = combination;
    *metric->last = combination;
    metric->last = &combination->next;
    metric->count++;
    return combination;
}

/* Beyond the bound all that is new counts as "other": a label that follows what citizens send must not fill the memory. */
static struct metric_combination *combination_of(struct metric *metric, const struct str *values, uint64_t hash)
{
    struct metric_combination *combination = find_combination(metric, values, hash);
    if (combination)
        return combination;
    if (metric->count < COMBINATIONS_MAX)
        return add_combination(metric, values, hash);
    struct str others[METRIC_LABELS_MAX];
    for (size_t i = 0; i < metric->label_count; i++)
        others[i] = STR("other");
    uint64_t other_hash = hash_values(metric, others);
    combination = find_combination(metric, others, other_hash);
    return combination ? combination : add_combination(metric, others, other_hash);
}

/* ---- cells ---- */

/* What the thread counted stays; its cells wait for another thread that counts the same. */
static void release_cells(void *argument)
{
    struct thread_cells *ended = argument;
    pthread_mutex_lock(&metrics_lock);
    for (size_t i = 0; i < ended->room; i++)
        if (ended->slots[i].cell)
            ended->slots[i].cell->owned = false;
    pthread_mutex_unlock(&metrics_lock);
    free(ended->slots);
    *ended = (struct thread_cells){0};
}

static void make_cells_key(void)
{
    if (pthread_key_create(&cells_key, release_cells) != 0)
        fatal("no thread-specific key left");
}

static struct metric_cell *take_cell(const struct metric *metric, struct metric_combination *combination)
{
    struct metric_cell *cell = combination->cells;
    while (cell && cell->owned)
        cell = cell->next;
    if (!cell) {
        size_t buckets = metric->kind == METRIC_HISTOGRAM ? METRIC_BUCKETS + 1 : 0;
        cell = memory_alloc(sizeof(*cell) + sizeof(uint64_t) * buckets);
        cell->next = combination->cells;
        combination->cells = cell;
    }
    cell->owned = true;
    return cell;
}

/* Where the combination is, or would go. */
static struct known *find_known(const struct metric *metric, const struct str *values, uint64_t hash)
{
    size_t at = hash & (mine.room - 1);
    for (; mine.slots[at].combination; at = (at + 1) & (mine.room - 1)) {
        const struct known *known = &mine.slots[at];
        if (known->metric == metric && known->combination->hash == hash && same_values(metric, known->combination, values))
            break;
    }
    return &mine.slots[at];
}

static void widen_known(void)
{
    struct thread_cells old = mine;
    mine.room = old.room ? old.room * 2 : 64;
    mine.slots = memory_alloc(mine.room * sizeof(*mine.slots));
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i].combination)
            *find_known(old.slots[i].metric, old.slots[i].combination->values, old.slots[i].combination->hash) = old.slots[i];
    free(old.slots);
    if (!old.slots) {
        pthread_once(&cells_once, make_cells_key);
        pthread_setspecific(cells_key, &mine);
    }
}

static struct metric_cell *make_known(struct metric *metric, const struct str *values, uint64_t hash)
{
    pthread_mutex_lock(&metrics_lock);
    struct metric_combination *combination = combination_of(metric, values, hash);
    pthread_mutex_unlock(&metrics_lock);
    if (mine.count * 2 >= mine.room)
        widen_known();
    /* "other" may be known although the given values are not. */
    struct known *known = find_known(metric, combination->values, combination->hash);
    if (!known->combination) {
        pthread_mutex_lock(&metrics_lock);
        *known = (struct known){combination, take_cell(metric, combination), metric};
        pthread_mutex_unlock(&metrics_lock);
        mine.count++;
    }
    return known->cell;
}

struct metric_cell *metric_cell(struct metric *metric, const struct str *values, size_t n)
{
    if (n != metric->label_count)
        fatal("metric %s has %zu labels, not %zu", metric->name, metric->label_count, n);
    uint64_t hash = hash_values(metric, values);
    if (mine.room > 0) {
        const struct known *known = find_known(metric, values, hash);
        if (known->combination)
            return known->cell;
    }
    return make_known(metric, values, hash);
}

static void store_sum(double *at, double value)
{
    double sum = *at + value; /* no other thread writes here */
    __atomic_store(at, &sum, __ATOMIC_RELAXED);
}

void metric_add(struct metric_cell *cell, double value)
{
    store_sum(&cell->value, value);
}

void metric_set(struct metric_cell *cell, double value)
{
    __atomic_store(&cell->value, &value, __ATOMIC_RELAXED);
}

void metric_observe(struct metric_cell *cell, double value)
{
    size_t bucket = 0;
    while (bucket < METRIC_BUCKETS && value > metric_bounds[bucket])
        bucket++;
    __atomic_store_n(&cell->buckets[bucket], cell->buckets[bucket] + 1, __ATOMIC_RELAXED);
    store_sum(&cell->value, value);
}
