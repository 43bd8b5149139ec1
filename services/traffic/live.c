/* Live numbers: a stream looks once a second, and sends what has changed. */
#include "handlers.h"
#include "traffic_queries.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <shimin/pg.h>
#include <shimin/sse.h>

enum {
    STREAMS_MOST = 64, /* a worker */
    STREAM_SECONDS = 60,
    HEARTBEAT_SECONDS = 15,
    LOOK_SECONDS = 1,
    GRACE_SECONDS = 10, /* for the client to take what was written last */
    RETRY_MS = 1000,
    RETRY_FULL_SECONDS = 10,
};

static _Thread_local unsigned streams;
static _Thread_local bool stopping;

void live_stop(void)
{
    stopping = true;
}

static bool send_numbers(struct request *request, struct arena *arena, struct str numbers)
{
    struct text frame = text_open(arena, numbers.len + 128);
    const struct sse_event event = {.event = STR("traffic"), .data = numbers, .retry = RETRY_MS};
    sse_write(&frame, &event);
    return reply_stream_write(request, text_str(&frame));
}

static bool send_heartbeat(struct request *request, struct arena *arena)
{
    struct text frame = text_open(arena, 8);
    sse_write_heartbeat(&frame);
    return reply_stream_write(request, text_str(&frame));
}

/* One look; false when the client has left. While Postgres is away the stream stays, and says so by saying nothing. */
static bool look(struct request *request, struct str department, uint64_t *seen, int64_t *heartbeat)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *rows;
    bool known = pg_query(arena, &sql_read_live, PG_ARGS(pg_text(department)), &rows) == PG_OK;
    uint64_t tag = known ? str_hash(pg_str(rows, 0, 0)) : *seen;
    bool news = tag != *seen, alive = true;
    if (news)
        alive = send_numbers(request, arena, pg_str(rows, 0, 0));
    else if (clock_steady() >= *heartbeat)
        alive = send_heartbeat(request, arena);
    if (news || clock_steady() >= *heartbeat)
        *heartbeat = deadline_in(seconds(HEARTBEAT_SECONDS));
    *seen = tag;
    return alive;
}

void stream_traffic(struct request *request)
{
    struct str department;
    if (!traffic_scope(request, &department))
        return;
    if (streams >= STREAMS_MOST || stopping) {
        struct problem *problem = problem_new(request_arena(request), PROBLEM_OVERLOADED,
                                              BILINGUAL("订阅者过多，请稍后再试", "Too many subscribers; try again soon"));
        problem->retry_after = RETRY_FULL_SECONDS;
        reply_problem(request, problem);
        return;
    }
    int64_t end = deadline_in(seconds(STREAM_SECONDS)), heartbeat = 0;
    uint64_t seen = 0;
    reply_header(request, "x-accel-buffering", STR("no")); /* nginx would hold events back */
    reply_stream_open(request, 200, "text/event-stream", deadline_in(seconds(STREAM_SECONDS + GRACE_SECONDS)));
    if (str_is(request_method(request), "HEAD"))
        return;
    streams++;
    while (!stopping && clock_steady() < end && look(request, department, &seen, &heartbeat))
        if (fiber_sleep(seconds(LOOK_SECONDS)) != WAIT_DONE)
            break;
    streams--;
}
