/* GET /v1/services/{slug}/feed/events: each change of a feed, as it is noticed. A stream is a fiber that looks at the worker's
 * feed once a second: that costs next to nothing, and needs no list of who has to be told what. */
#include "feed_events.h"

#include "answer.h"
#include "feed.h"
#include "handlers.h"

#include <shimin/arena.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/sse.h>

#include <stdio.h>
#include <string.h>

enum {
    STREAMS_MOST = 512, /* a worker */
    STREAM_SECONDS = 600,
    HEARTBEAT_SECONDS = 15,
    LOOK_SECONDS = 1,
    GRACE_SECONDS = 30, /* for the client to take what was written last */
    RETRY_MS = 3000,
    RETRY_SWITCHED_MS = 60000,
    RETRY_FULL_SECONDS = 30,
};

static _Thread_local unsigned streams;
static _Thread_local bool stopping;

void streams_stop(void)
{
    stopping = true;
}

static bool send_event(struct request *request, struct arena *arena, const struct sse_event *event)
{
    struct text frame = text_open(arena, event->data.len + 256);
    sse_write(&frame, event);
    return reply_stream_write(request, text_str(&frame));
}

static bool send_items(struct request *request, const struct feed *feed)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text data = text_open(arena, 4096);
    struct json_out out = json_write(&data);
    feed_write(&out, arena, feed);
    const struct sse_event event = {
        .id = str_copy(arena, feed_items_tag(feed)), .event = STR("items"), .data = text_str(&data), .retry = RETRY_MS};
    return send_event(request, arena, &event);
}

static bool send_heartbeat(struct request *request)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text frame = text_open(arena, 8);
    sse_write_heartbeat(&frame);
    return reply_stream_write(request, text_str(&frame));
}

/* The service is closed to readers: the last event says so. */
static void send_switched(struct request *request, struct switch_state state)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text data = text_open(arena, 256);
    struct json_out out = json_write(&data);
    json_object(&out);
    json_field_c(&out, "position", switch_position_name(state.position));
    json_key(&out, "reason");
    json_object(&out);
    json_field(&out, "zh", state.reason.zh);
    json_field(&out, "en", state.reason.en);
    json_end(&out);
    if (state.until)
        json_field(&out, "until", time_rfc3339(arena, state.until));
    json_end(&out);
    const struct sse_event event = {.event = STR("switched"), .data = text_str(&data), .retry = RETRY_SWITCHED_MS};
    (void)send_event(request, arena, &event);
}

/* Its time is over, or the worker's is: come again, not all at the same moment. */
static void send_end(struct request *request)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    uint16_t chance;
    random_bytes(&chance, sizeof chance);
    const struct sse_event event = {.retry = RETRY_MS / 2 + chance % RETRY_MS};
    (void)send_event(request, arena, &event);
}

/* By the catalogue as it is now, not as it was when the stream began; a service that has left it is off. */
static struct switch_state state_now(struct request *request, struct str slug)
{
    const struct snapshot *snapshot = catalogue_snapshot();
    const struct service *service = snapshot_service(snapshot, slug);
    if (service)
        return request_switch(request, snapshot, service);
    return (struct switch_state){.position = SWITCH_OFF, .reason = BILINGUAL("服务已下线", "The service has been withdrawn")};
}

static void stream(struct request *request, struct feed *feed, struct str seen)
{
    struct str slug = request_service(request)->slug;
    int64_t end = deadline_in(seconds(STREAM_SECONDS)), heartbeat = 0;
    char sent[64] = "";
    if (seen.len < sizeof sent)
        memcpy(sent, seen.at ? seen.at : "", seen.len);
    for (bool alive = true; alive && clock_steady() < end && !stopping;) {
        struct switch_state state = state_now(request, slug);
        if (state.position == SWITCH_OFF) {
            send_switched(request, state);
            return;
        }
        feed_refresh(feed, deadline_in(seconds(LOOK_SECONDS)));
        bool news = !str_is(feed_items_tag(feed), sent);
        if (news) {
            snprintf(sent, sizeof sent, "%.*s", STR_ARG(feed_items_tag(feed)));
            alive = send_items(request, feed);
        } else if (clock_steady() >= heartbeat) {
            alive = send_heartbeat(request);
        }
        if (news || clock_steady() >= heartbeat)
            heartbeat = deadline_in(seconds(HEARTBEAT_SECONDS));
        alive = alive && fiber_sleep(seconds(LOOK_SECONDS)) == WAIT_DONE;
    }
    if (!fiber_cancelled())
        send_end(request);
}

void stream_feed(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct feed *feed = feed_of(request_service(request));
    if (streams >= STREAMS_MOST || stopping) {
        struct problem *problem =
            problem_new(arena, PROBLEM_OVERLOADED, BILINGUAL("订阅者过多，请稍后再试", "Too many subscribers; try again soon"));
        problem->retry_after = RETRY_FULL_SECONDS;
        reply_problem(request, problem);
        return;
    }
    feed_refresh(feed, DEADLINE_NEVER);
    if (!feed_is_known(feed)) {
        reply_problem(request, feed_problem(arena, feed));
        return;
    }
    reply_header(request, "x-accel-buffering", STR("no")); /* nginx would hold events back */
    reply_stream_open(request, 200, "text/event-stream", deadline_in(seconds(STREAM_SECONDS + GRACE_SECONDS)));
    if (str_is(request_method(request), "HEAD"))
        return;
    streams++;
    stream(request, feed, request_header(request, "last-event-id"));
    streams--;
}
