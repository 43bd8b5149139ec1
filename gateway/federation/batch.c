/* Batched rows: a queue of chunks, a fiber that empties it, and the spool for when that fails. */
#include "federation/batch.h"
#include "federation/metrics.h"
#include "federation/room.h"
#include "federation/spool.h"
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/worker.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define FLUSH_TIME seconds(5)
#define RETRY_FIRST milliseconds(100)
#define RETRY_MOST seconds(2)
#define REFUSALS_MOST 10 /* of one chunk, before its rows are tried one by one */
#define WORKERS_MOST 256
#define REPLAY_BYTES (256 * 1024)

struct chunk {
    struct chunk *next;
    size_t rows;
    size_t len, room;
    char *at; /* each row ends in '\n' */
};

struct batch {
    struct batch *next; /* of all batches: they are kept, like the worker, until the process ends */
    struct batch_settings settings;
    struct chunk *first, *last;
    struct chunk *sending; /* the first, while the fiber waits for it: nothing may be added to it */
    size_t rows;
    bool flushing, closing, has_spool, spooled;
    unsigned refusals;
    size_t replay_offset;
    int64_t retry;
    struct spool spool, refused;
    struct room room;
    struct timer timer;
    struct metric_cell *waiting;
};

static _Atomic(struct batch *) all_batches;

static void count(struct batch *batch, const char *outcome, size_t rows)
{
    const struct str labels[] = {str_of(batch->settings.name), str_of(outcome)};
    metric_add(metric_cell(federation_metrics.batch_rows, labels, 2), (double)rows);
}

/* ---- the queue ---- */

static struct chunk *chunk_for(struct batch *batch, size_t len)
{
    struct chunk *chunk = batch->last;
    if (!chunk || chunk == batch->sending || chunk->rows >= batch->settings.rows_a_flush) {
        chunk = memory_alloc(sizeof *chunk);
        if (batch->last)
            batch->last->next = chunk;
        else
            batch->first = chunk;
        batch->last = chunk;
    }
    if (chunk->len + len > chunk->room) {
        chunk->room = (chunk->len + len) * 2;
        chunk->at = memory_grow(chunk->at, chunk->room);
    }
    return chunk;
}

static void drop_first(struct batch *batch)
{
    struct chunk *chunk = batch->first;
    batch->first = chunk->next;
    if (!batch->first)
        batch->last = NULL;
    batch->rows -= chunk->rows;
    metric_set(batch->waiting, (double)batch->rows);
    free(chunk->at);
    free(chunk);
}

/* ---- the disk, on an offload thread where there is room ---- */

struct append_job {
    const struct spool *spool;
    struct str lines;
    bool good;
};

static void append(void *argument)
{
    struct append_job *job = argument;
    job->good = spool_append(job->spool, job->lines);
}

static bool spool_lines(const struct spool *spool, struct str lines)
{
    struct append_job job = {.spool = spool, .lines = lines};
    if (!fiber_self() || !offload(append, &job))
        append(&job);
    return job.good;
}

/* Moves the oldest chunk to disk. Its rows are lost only when memory is at four times its bound as well. */
static bool spool_first(struct batch *batch)
{
    struct chunk *chunk = batch->first;
    batch->sending = chunk;
    bool good = batch->has_spool && spool_lines(&batch->spool, (struct str){chunk->at, chunk->len});
    batch->sending = NULL;
    if (good) {
        count(batch, "spooled", chunk->rows);
        batch->spooled = true;
    } else if (batch->closing || batch->rows > 4 * batch->settings.rows_in_memory) {
        log_error("%s: %zu rows are lost: neither Postgres nor the spool takes them", batch->settings.name, chunk->rows);
        count(batch, "lost", chunk->rows);
    } else {
        return false;
    }
    drop_first(batch);
    return true;
}

/* ---- sending ---- */

/* Lines as a JSON array; empty and broken lines are left out. */
static struct str rows_array(struct arena *arena, struct str lines, size_t *rows)
{
    struct text text = text_open(arena, lines.len + 2);
    *rows = 0;
    while (lines.at && lines.len) {
        struct str line = str_cut(&lines, '\n');
        if (!line.len)
            continue;
        text_add_char(&text, (*rows)++ ? ',' : '[');
        text_add(&text, line);
    }
    if (*rows)
        text_add_char(&text, ']');
    return text_str(&text);
}

static enum pg_status send_lines(struct batch *batch, struct str lines)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    size_t rows;
    struct str array = rows_array(arena, lines, &rows);
    return rows ? pg_query(arena, batch->settings.statement, PG_ARGS(pg_text(array)), NULL) : PG_OK;
}

static bool is_refusal(enum pg_status status)
{
    return status == PG_REFUSED || status == PG_CONFLICT;
}

/* One row that the database will not have must not hold up the others: it is put aside in a file for a human. */
static enum pg_status send_singly(struct batch *batch, struct str lines)
{
    while (lines.at && lines.len) {
        struct str line = str_cut(&lines, '\n');
        if (!line.len)
            continue;
        enum pg_status status = send_lines(batch, line);
        if (status == PG_OK)
            continue;
        if (!is_refusal(status))
            return status;
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        struct str whole = str_printf(arena, "%.*s\n", STR_ARG(line));
        bool kept = batch->has_spool && spool_lines(&batch->refused, whole);
        log_error("%s: the database refuses a row; it %s", batch->settings.name, kept ? "was put aside" : "is lost");
        count(batch, kept ? "refused" : "lost", 1);
    }
    return PG_OK;
}

/* The statement refuses for reasons that pass (a read-only standby, a migration under way) as well as for a bad row. */
static bool send_first(struct batch *batch)
{
    struct chunk *chunk = batch->first;
    struct str lines = {chunk->at, chunk->len};
    batch->sending = chunk;
    enum pg_status status = send_lines(batch, lines);
    if (is_refusal(status) && ++batch->refusals >= REFUSALS_MOST)
        status = send_singly(batch, lines);
    batch->sending = NULL;
    if (status != PG_OK)
        return false;
    batch->refusals = 0;
    count(batch, "written", chunk->rows);
    drop_first(batch);
    return true;
}

/* ---- reading the spool back ---- */

struct read_job {
    struct batch *batch;
    struct arena *arena;
    struct str lines;
    bool nothing;
};

static void read_back(void *argument)
{
    struct read_job *job = argument;
    struct batch *batch = job->batch;
    job->nothing = !spool_begin(&batch->spool);
    if (job->nothing)
        return;
    job->lines = spool_read(&batch->spool, job->arena, REPLAY_BYTES, &batch->replay_offset);
    if (!job->lines.len) {
        spool_end(&batch->spool);
        batch->replay_offset = 0;
    }
}

static size_t count_rows(struct str lines)
{
    size_t rows = 0;
    while (lines.at && lines.len)
        rows += str_cut(&lines, '\n').len > 0;
    return rows;
}

static bool replay_piece(struct batch *batch, bool *more)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct read_job job = {.batch = batch, .arena = arena};
    size_t before = batch->replay_offset;
    if (!offload(read_back, &job))
        return false;
    *more = !job.nothing;
    if (!job.lines.len)
        return true;
    enum pg_status status = send_lines(batch, job.lines);
    if (is_refusal(status)) /* a torn or refused row among them */
        status = send_singly(batch, job.lines);
    if (status != PG_OK)
        batch->replay_offset = before;
    else
        count(batch, "replayed", count_rows(job.lines));
    return status == PG_OK;
}

static bool replay(struct batch *batch)
{
    bool more = true;
    while (more && batch->spooled)
        if (!replay_piece(batch, &more))
            return false;
    batch->spooled = false;
    return true;
}

/* ---- the flushing fiber ---- */

static bool empty(struct batch *batch)
{
    while (batch->first)
        if (!send_first(batch))
            return false;
    return batch->closing || replay(batch);
}

static void on_timer(struct timer *timer);

static void run(struct batch *batch)
{
    batch->flushing = true;
    bool good = empty(batch);
    if (!good)
        while (batch->first && (batch->closing || batch->rows > batch->settings.rows_in_memory))
            if (!spool_first(batch))
                break;
    batch->flushing = false;
    batch->retry = good ? 0 : batch->retry ? (batch->retry * 2 < RETRY_MOST ? batch->retry * 2 : RETRY_MOST) : RETRY_FIRST;
    room_call(&batch->room);
    if (!batch->closing && (batch->first || batch->spooled))
        timer_set(&batch->timer, clock_steady() + (good ? batch->settings.period : batch->retry), on_timer);
}

static void flush_fiber(void *argument)
{
    struct batch *batch = argument;
    if (!batch->flushing)
        run(batch);
}

static void start(struct batch *batch)
{
    fiber_start(flush_fiber, batch, deadline_in(FLUSH_TIME));
}

static void on_timer(struct timer *timer)
{
    struct batch *batch = CONTAINER_OF(timer, struct batch, timer);
    if (!batch->flushing)
        start(batch);
}

/* Files of a run with more workers. */
static void adopt_orphans(struct batch *batch)
{
    struct spool orphan;
    for (unsigned worker = worker_index() + worker_count(); worker < WORKERS_MOST; worker += worker_count())
        if (spool_open(&orphan, batch->settings.spool_dir, batch->settings.name, worker, 0))
            spool_adopt(&batch->spool, &orphan);
}

struct batch *batch_open(const struct batch_settings *settings)
{
    struct batch *batch = memory_alloc(sizeof *batch);
    batch->settings = *settings;
    batch->next = all_batches;
    while (!atomic_compare_exchange_weak(&all_batches, &batch->next, batch))
        ;
    if (!settings->rows_a_flush)
        batch->settings.rows_a_flush = 1024;
    if (!settings->rows_in_memory)
        batch->settings.rows_in_memory = 8192;
    if (!settings->spool_bytes)
        batch->settings.spool_bytes = 256u << 20;
    if (!settings->period)
        batch->settings.period = milliseconds(20);
    const struct str label = str_of(settings->name);
    batch->waiting = metric_cell(federation_metrics.batch_waiting, &label, 1);
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct str refused = str_printf(arena, "%s-refused", settings->name);
    batch->has_spool =
        settings->spool_dir &&
        spool_open(&batch->spool, settings->spool_dir, settings->name, worker_index(), batch->settings.spool_bytes) &&
        spool_open(&batch->refused, settings->spool_dir, refused.at, worker_index(), batch->settings.spool_bytes);
    if (batch->has_spool)
        adopt_orphans(batch);
    batch->spooled = batch->has_spool && spool_is_waiting(&batch->spool);
    if (batch->spooled)
        timer_set(&batch->timer, clock_steady() + RETRY_FIRST, on_timer);
    return batch;
}

void batch_add(struct batch *batch, struct str row)
{
    struct chunk *chunk = chunk_for(batch, row.len + 1);
    memcpy(chunk->at + chunk->len, row.at, row.len);
    chunk->at[chunk->len + row.len] = '\n';
    chunk->len += row.len + 1;
    chunk->rows++;
    metric_set(batch->waiting, (double)++batch->rows);
    if (batch->flushing)
        return;
    if (batch->closing || (batch->rows % batch->settings.rows_a_flush == 0 && !batch->retry))
        start(batch);
    else if (!batch->timer.slot)
        timer_set(&batch->timer, clock_steady() + batch->settings.period, on_timer);
}

bool batch_flush(struct batch *batch)
{
    while (batch->flushing)
        if (room_wait(&batch->room) != WAIT_DONE)
            return false;
    timer_clear(&batch->timer);
    run(batch);
    return !batch->first;
}

void batch_close(struct batch *batch)
{
    batch->closing = true;
    timer_clear(&batch->timer);
    if (batch->first && !batch->flushing)
        start(batch);
}
