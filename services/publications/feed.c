/* Feeds in a worker's memory. One question at a time is under way for each, in a fiber of its own: whoever asks first may leave
 * without taking the answer away from the others. */
#include "feed.h"

#include "item.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/department.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>

#include <stdio.h>
#include <string.h>

enum { ASK_SECONDS = 15, RETRY_LEAST = 2, RETRY_MOST = 30 };

/* A fiber that waits for the question under way; on its stack. */
struct waiter {
    struct waiter *next;
    struct fiber *fiber;
};

struct feed {
    struct feed *next;
    struct arena *arena; /* of the copy; NULL: there is none */
    struct str items;    /* a JSON array */
    char items_tag[17];
    struct str source;
    int64_t as_of, asked_at; /* wall */
    int64_t due_at;          /* steady */
    int64_t refresh;         /* seconds */
    bool from_cache;         /* the department's answer was called stale already */
    bool asking;
    unsigned failures; /* since the copy */
    enum problem_type failure;
    int64_t retry_after;
    struct waiter *waiters;
    char slug[];
};

static _Thread_local struct feed *feeds;

struct feed *feed_of(const struct service *service)
{
    struct feed *feed = feeds;
    while (feed && !str_is(service->slug, feed->slug))
        feed = feed->next;
    if (!feed) {
        feed = memory_alloc(sizeof *feed + service->slug.len + 1);
        memcpy(feed->slug, service->slug.at, service->slug.len);
        feed->next = feeds;
        feeds = feed;
    }
    feed->refresh = refresh_seconds(service);
    return feed;
}

/* ---- asking ---- */

static void write_item(struct json_out *out, struct arena *arena, const struct item *item)
{
    int64_t updated_at = item_time(arena, item, "updated_at");
    struct str id = item_text(arena, item, "id");
    if (!id.len)
        return;
    json_object(out);
    json_field(out, "id", id);
    json_field(out, "title", item_text(arena, item, "title"));
    json_key(out, "updated_at");
    if (updated_at)
        json_put(out, time_rfc3339(arena, updated_at));
    else
        json_put_null(out);
    json_key(out, "details");
    json_put_value(out, item->value);
    json_end(out);
}

static void keep_answer(struct feed *feed, const struct service *service, const struct department_answer *answer)
{
    struct arena *arena = arena_open();
    struct text items = text_open(arena, 4096);
    struct json_out out = json_write(&items);
    json_array(&out);
    const struct json *fields = json_get(operation_of(service), "fields");
    for (uint32_t i = 0; answer->items->type == JSON_ARRAY && i < answer->items->count; i++)
        write_item(&out, arena, &(struct item){&answer->items->items[i], fields});
    if (answer->items->type == JSON_OBJECT)
        write_item(&out, arena, &(struct item){answer->items, fields});
    json_end(&out);
    arena_close(feed->arena);
    feed->arena = arena;
    feed->items = text_str(&items);
    feed->source = str_copy(arena, answer->source);
    feed->as_of = answer->as_of;
    feed->asked_at = clock_wall();
    feed->from_cache = answer->stale;
    feed->failures = 0;
    feed->due_at = deadline_in(seconds(feed->refresh));
    snprintf(feed->items_tag, sizeof feed->items_tag, "%016llx", (unsigned long long)str_hash(feed->items));
}

/* 2, 4, 8 … seconds until the next question, at most 30 or the feed's own pace; with some chance in it. */
static void keep_failure(struct feed *feed, enum problem_type type, int64_t retry_after)
{
    int64_t most = feed->refresh < RETRY_MOST ? feed->refresh : RETRY_MOST;
    int64_t wait = (int64_t)RETRY_LEAST << (feed->failures < 4 ? feed->failures : 4);
    uint32_t chance;
    random_bytes(&chance, sizeof chance);
    wait = seconds(wait < most ? wait : most);
    feed->failures++;
    feed->failure = type;
    feed->due_at = deadline_in(wait / 2 + (int64_t)(chance % 1000) * wait / 2000);
    feed->retry_after = retry_after > 0 ? retry_after : wait / seconds(1);
}

static void ask(struct feed *feed)
{
    const struct snapshot *snapshot = snapshot_pin();
    const struct service *service = snapshot ? snapshot_service(snapshot, str_of(feed->slug)) : NULL;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct department_question question = {.arena = arena, .snapshot = snapshot, .service = service};
    struct department_answer answer;
    const struct problem *problem = service ? department_ask(&question, &answer) : NULL;
    if (!service)
        keep_failure(feed, PROBLEM_NOT_FOUND, 0);
    else if (problem)
        keep_failure(feed, problem->type, problem->retry_after);
    else if (!answer.items)
        keep_failure(feed, PROBLEM_DEPARTMENT_CONTRACT, 0);
    else
        keep_answer(feed, service, &answer);
    if (snapshot)
        snapshot_unpin(snapshot);
}

static void ask_and_tell(void *argument)
{
    struct feed *feed = argument;
    ask(feed);
    feed->asking = false;
    for (struct waiter *waiter = feed->waiters; waiter; waiter = waiter->next)
        fiber_wake(waiter->fiber);
}

static void leave(struct feed *feed, const struct waiter *leaver)
{
    struct waiter **at = &feed->waiters;
    while (*at != leaver)
        at = &(*at)->next;
    *at = leaver->next;
}

void feed_refresh(struct feed *feed, int64_t until)
{
    if (clock_steady() < feed->due_at)
        return;
    if (!feed->asking) {
        feed->asking = true;
        fiber_start(ask_and_tell, feed, deadline_in(seconds(ASK_SECONDS)));
    }
    struct waiter waiter = {.next = feed->waiters, .fiber = fiber_self()};
    feed->waiters = &waiter;
    enum wait outcome = WAIT_DONE;
    while (feed->asking && outcome == WAIT_DONE)
        outcome = fiber_wait(until);
    leave(feed, &waiter);
}

/* ---- what is known ---- */

static bool is_stale_feed(const struct feed *feed)
{
    return feed->failures || feed->from_cache || clock_wall() - feed->asked_at > seconds(2 * feed->refresh);
}

bool feed_is_known(const struct feed *feed)
{
    return feed->arena != NULL;
}

/* Nobody has an answer yet: that the question is still under way is the department's delay. */
struct problem *feed_problem(struct arena *arena, const struct feed *feed)
{
    struct problem *problem = problem_new(arena, feed->failures ? feed->failure : PROBLEM_DEADLINE, (struct bilingual){0});
    problem->retry_after = feed->failures ? feed->retry_after : RETRY_LEAST;
    return problem;
}

struct str feed_items_tag(const struct feed *feed)
{
    return str_of(feed->items_tag);
}

struct str feed_tag(struct arena *arena, const struct feed *feed)
{
    return str_printf(arena, "%s%s", feed->items_tag, is_stale_feed(feed) ? "-stale" : "");
}

int64_t feed_due_at(const struct feed *feed)
{
    return feed->due_at;
}

int64_t feed_seconds_left(const struct feed *feed)
{
    int64_t left = feed->due_at - clock_steady();
    return left > 0 ? left / seconds(1) : 0;
}

void feed_write(struct json_out *out, struct arena *arena, const struct feed *feed)
{
    json_object(out);
    json_field_raw(out, "items", feed->items);
    json_field(out, "as_of", time_rfc3339(arena, feed->as_of));
    json_field(out, "source", feed->source);
    json_field_bool(out, "stale", is_stale_feed(feed));
    json_end(out);
}
