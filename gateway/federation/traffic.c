/* Traffic counts: cells of the worker, and every two seconds a batch of what has been added to them. */
#include "federation/traffic.h"
#include "federation/batch.h"
#include "federation_queries.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/worker.h>
#include <stdatomic.h>
#include <string.h>

#define PERIOD_SECONDS 2 /* a divisor of 60, so that what is handed in lies within one minute */
#define CHAINS 4096      /* a power of two */
#define CELLS_A_BATCH 500

enum { FIRST_BOUND_BITS = 10 }; /* 1024 microseconds */

struct counts {
    uint64_t calls, took;
    uint32_t latency[TRAFFIC_BUCKETS];
    uint32_t outcomes[TRAFFIC_OUTCOMES];
    uint32_t caches[TRAFFIC_CACHES];
    uint32_t backend[CALL_OUTCOMES];
    uint32_t problems[PROBLEM_TYPES];
};

/* How often an operation had one kind of fault; made with the first of it. */
struct fault_count {
    struct fault_count *next;
    const char *kind;
    uint32_t count;
};

struct traffic_cell {
    struct traffic_cell *chain;   /* of the same hash */
    struct traffic_cell *changed; /* the next that has something to hand in */
    bool has_changed;
    bool is_operation;
    struct str department, name;
    struct counts counts;
    struct fault_count *faults;
};

/* A worker's part. It is kept after the worker's end, when fibers may still be counting: the process ends then as well. */
struct worker_traffic {
    struct worker_traffic *next;
    struct traffic_cells services; /* by the snapshot's index */
    struct traffic_cell *chains[CHAINS];
    struct traffic_cell *changed[2]; /* services, operations */
    struct batch *batch;
    struct timer timer;
    bool closing;
};
static _Thread_local struct worker_traffic *worker;
static _Atomic(struct worker_traffic *) all_workers;

static struct worker_traffic *mine(void)
{
    if (worker)
        return worker;
    worker = memory_alloc(sizeof *worker);
    *worker = (struct worker_traffic){.next = all_workers};
    while (!atomic_compare_exchange_weak(&all_workers, &worker->next, worker))
        ;
    return worker;
}

static const char *const outcome_names[TRAFFIC_OUTCOMES] = {
    [TRAFFIC_OK] = "ok",
    [TRAFFIC_CLIENT_ERROR] = "client_error",
    [TRAFFIC_SERVER_ERROR] = "server_error",
    [TRAFFIC_LEFT] = "left",
};

static const char *const cache_names[TRAFFIC_CACHES] = {
    [TRAFFIC_CACHE_HIT] = "hit",
    [TRAFFIC_CACHE_MISS] = "miss",
    [TRAFFIC_CACHE_STALE] = "stale",
    [TRAFFIC_CACHE_SHARED] = "shared",
};

const char *traffic_cache_name(enum traffic_cache cache)
{
    return cache_names[cache];
}

/* ---- finding a cell ---- */

static struct str keep(struct str s)
{
    char *copy = memory_alloc(s.len + 1);
    if (s.len)
        memcpy(copy, s.at, s.len);
    return (struct str){copy, s.len};
}

static struct traffic_cell *find_cell(bool is_operation, struct str department, struct str name)
{
    struct traffic_cell **chain = &mine()->chains[(str_hash(department) * 31 + str_hash(name) + is_operation) % CHAINS];
    for (struct traffic_cell *cell = *chain; cell; cell = cell->chain)
        if (cell->is_operation == is_operation && str_equal(cell->department, department) && str_equal(cell->name, name))
            return cell;
    struct traffic_cell *cell = memory_alloc(sizeof *cell);
    *cell = (struct traffic_cell){
        .chain = *chain, .is_operation = is_operation, .department = keep(department), .name = keep(name)};
    return *chain = cell;
}

static void widen(struct traffic_cells *cells, unsigned index)
{
    unsigned room = index + index / 2 + 16;
    cells->at = memory_grow(cells->at, room * sizeof(struct traffic_cell *));
    memset(cells->at + cells->room, 0, (room - cells->room) * sizeof(struct traffic_cell *));
    cells->room = room;
}

/* Where the index led last time, or by the names when another snapshot has given it to something else. */
static struct traffic_cell *remembered(struct traffic_cells *cells, unsigned index, bool is_operation, struct str department,
                                       struct str name)
{
    if (index < cells->room) {
        struct traffic_cell *cell = cells->at[index];
        if (cell && str_equal(cell->name, name) && str_equal(cell->department, department))
            return cell;
    } else {
        widen(cells, index);
    }
    return cells->at[index] = find_cell(is_operation, department, name);
}

struct traffic_cell *traffic_of_service(const struct service *service)
{
    return remembered(&mine()->services, service->index, false, service->department ? service->department->slug : STR(""),
                      service->slug);
}

struct traffic_cell *traffic_of_passage(struct str department)
{
    return find_cell(false, department, STR(""));
}

struct traffic_cell *traffic_of_operation(struct traffic_cells *cells, struct str department, struct str operation,
                                          unsigned index)
{
    return remembered(cells, index, true, department, operation);
}

/* ---- handing in ---- */

static void write_count(struct json_out *out, struct arena *arena, const char *kind, const char *name, uint32_t count)
{
    if (count)
        json_field_i64(out, str_printf(arena, "%s.%s", kind, name).at, count);
}

static void write_counts(struct json_out *out, struct arena *arena, const struct traffic_cell *cell)
{
    const struct counts *counts = &cell->counts;
    json_field_i64(out, "calls", (int64_t)counts->calls);
    json_field_i64(out, "took", (int64_t)counts->took);
    json_key(out, "latency");
    json_array(out);
    for (unsigned i = 0; i < TRAFFIC_BUCKETS; i++)
        json_put_i64(out, counts->latency[i]);
    json_end(out);
    json_key(out, "counts");
    json_object(out);
    for (unsigned i = 0; i < TRAFFIC_OUTCOMES; i++)
        write_count(out, arena, "outcome", outcome_names[i], counts->outcomes[i]);
    for (unsigned i = 0; i < TRAFFIC_CACHES; i++)
        write_count(out, arena, "cache", cache_names[i], counts->caches[i]);
    for (unsigned i = 0; i < CALL_OUTCOMES; i++)
        write_count(out, arena, "backend", call_outcome_name(i), counts->backend[i]);
    for (unsigned i = 0; i < PROBLEM_TYPES; i++)
        write_count(out, arena, "problem", str_to_c(arena, problem_slug(i)), counts->problems[i]);
    for (const struct fault_count *fault = cell->faults; fault; fault = fault->next)
        write_count(out, arena, "fault", fault->kind, fault->count);
    json_end(out);
}

static void begin_anew(struct traffic_cell *cell)
{
    cell->counts = (struct counts){0};
    for (struct fault_count *fault = cell->faults; fault; fault = fault->next)
        fault->count = 0;
}

/* Takes up to so many of the changed cells off their list, and begins their counts anew. */
static void write_cells(struct json_out *out, struct arena *arena, bool operations, unsigned *left)
{
    json_key(out, operations ? "operations" : "services");
    json_array(out);
    for (struct traffic_cell *cell; *left && (cell = mine()->changed[operations]); --*left) {
        mine()->changed[operations] = cell->changed;
        cell->has_changed = false;
        json_object(out);
        json_field(out, "department", cell->department);
        json_field(out, operations ? "operation" : "service", cell->name);
        write_counts(out, arena, cell);
        json_end(out);
        begin_anew(cell);
    }
    json_end(out);
}

static void hand_in(int64_t minute)
{
    while (mine()->changed[false] || mine()->changed[true]) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        struct text text = text_open(arena, 4096);
        struct json_out out = json_write(&text);
        unsigned left = CELLS_A_BATCH;
        json_object(&out);
        json_field(&out, "id", id_new(arena));
        json_field_i64(&out, "minute", minute * 60);
        write_cells(&out, arena, false, &left);
        write_cells(&out, arena, true, &left);
        json_end(&out);
        batch_add(mine()->batch, text_str(&text));
    }
}

/* ---- counting ---- */

static void note_change(struct traffic_cell *cell)
{
    if (cell->has_changed)
        return;
    cell->has_changed = true;
    cell->changed = mine()->changed[cell->is_operation];
    mine()->changed[cell->is_operation] = cell;
}

static void count_call(struct counts *counts, int64_t took)
{
    counts->calls++;
    if (took < 0)
        return;
    counts->took += (uint64_t)took;
    unsigned bucket = 0;
    if (took >> FIRST_BOUND_BITS) {
        unsigned octave = 63U - (unsigned)__builtin_clzll((uint64_t)took) - FIRST_BOUND_BITS;
        bucket = 1 + 2 * octave + (unsigned)(took >> (octave + FIRST_BOUND_BITS - 1) & 1);
    }
    counts->latency[bucket < TRAFFIC_BUCKETS ? bucket : TRAFFIC_BUCKETS - 1]++;
}

static enum traffic_outcome outcome_of(unsigned status)
{
    return status == 499   ? TRAFFIC_LEFT
           : status >= 500 ? TRAFFIC_SERVER_ERROR
           : status >= 400 ? TRAFFIC_CLIENT_ERROR
                           : TRAFFIC_OK;
}

void traffic_count_request(struct traffic_cell *cell, unsigned status, enum problem_type problem, int64_t took)
{
    note_change(cell);
    count_call(&cell->counts, took);
    cell->counts.outcomes[outcome_of(status)]++;
    if (problem < PROBLEM_TYPES)
        cell->counts.problems[problem]++;
    if (mine()->closing) /* no timer comes any more */
        hand_in(clock_wall() / seconds(60));
}

void traffic_count_backend(struct traffic_cell *cell, enum call_outcome outcome)
{
    if (!cell)
        return;
    note_change(cell);
    cell->counts.backend[outcome]++;
}

void traffic_count_operation(struct traffic_cell *cell, enum call_outcome outcome, int64_t took)
{
    note_change(cell);
    count_call(&cell->counts, took);
    cell->counts.backend[outcome]++;
}

void traffic_count_fault(struct str department, struct str operation, const char *kind)
{
    struct traffic_cell *cell = find_cell(true, department, operation);
    struct fault_count *fault = cell->faults;
    while (fault && strcmp(fault->kind, kind) != 0)
        fault = fault->next;
    if (!fault) {
        fault = memory_alloc(sizeof *fault);
        *fault = (struct fault_count){.next = cell->faults, .kind = kind};
        cell->faults = fault;
    }
    fault->count++;
    note_change(cell);
}

void traffic_count_cache(struct traffic_cell *cell, enum traffic_cache cache)
{
    if (!cell)
        return;
    note_change(cell);
    cell->counts.caches[cache]++;
}

/* ---- the worker ---- */

/* At even seconds: what was counted since the last lies in the minute of the second before. */
static void on_timer(struct timer *timer)
{
    int64_t now = clock_wall();
    hand_in((now - seconds(1)) / seconds(60));
    timer_set(timer, deadline_in(seconds(PERIOD_SECONDS) - now % seconds(PERIOD_SECONDS)), on_timer);
}

void traffic_open(const char *spool_directory)
{
    mine()->batch =
        batch_open(&(struct batch_settings){.name = "traffic", .statement = &sql_traffic_add, .spool_dir = spool_directory});
    timer_set(&mine()->timer, deadline_in(seconds(PERIOD_SECONDS)), on_timer);
}

void traffic_close(void)
{
    mine()->closing = true;
    timer_clear(&mine()->timer);
    hand_in(clock_wall() / seconds(60));
    batch_close(mine()->batch);
}
