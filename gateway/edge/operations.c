/* Health and metrics. A new probe is a function and a line in the table. */
#include "edge/operations.h"

#include "catalogue/presence.h"
#include "edge_queries.h"

#include <shimin/catalogue.h>
#include <shimin/clock.h>
#include <shimin/metrics.h>
#include <shimin/pg.h>
#include <shimin/redis.h>

#include <stdatomic.h>

static atomic_bool draining;

void operations_drain(void)
{
    draining = true;
}

static bool serving(struct arena *arena)
{
    (void)arena;
    return !draining;
}

static bool has_catalogue(struct arena *arena)
{
    (void)arena;
    return catalogue_snapshot() != NULL;
}

/* A server that hangs keeps its connections: only a question tells. It is given up after the store's patience. */
static bool postgres_answers(struct arena *arena)
{
    return pg_query(arena, &sql_ping, PG_NO_ARGS, NULL) == PG_OK;
}

static bool redis_answers(struct arena *arena)
{
    struct redis_reply reply;
    return redis_command(arena, &reply, "PING") == REDIS_OK;
}

/* Which snapshot the worker runs: what /admin/v1/gateways says of the whole gateway. */
static void tell_snapshot(struct text *text)
{
    const struct snapshot *snapshot = catalogue_snapshot();
    if (snapshot)
        text_printf(text, ": snapshot %.*s", STR_ARG(snapshot_version(snapshot)));
}

/* What stops here is not the traffic: switches may be missed, which the administrators' list of gateways shows as well. */
static bool is_heard_of(struct arena *arena)
{
    (void)arena;
    int64_t silence = presence_silence();
    return silence >= 0 && silence < seconds(PRESENCE_STALE_SECONDS);
}

/* Since when that list has nothing new of this gateway. */
static void tell_contact(struct text *text)
{
    int64_t silence = presence_silence();
    if (silence < 0)
        text_add_c(text, ": no contact yet");
    else
        text_printf(text, ": last contact %lld.%lld s ago", (long long)(silence / seconds(1)),
                    (long long)(silence % seconds(1) / milliseconds(100)));
}

/* What must hold for requests to be sent here. Without Redis or Postgres the gateway still serves what it can, but no login or
 * query of a citizen; `required` ones make /readyz answer 503. */
static const struct probe {
    const char *name;
    bool (*passes)(struct arena *arena); /* may wait */
    bool required;
    void (*tell)(struct text *text); /* more about it; NULL: nothing */
} probes[] = {
    {"serving", serving, true, NULL},           {"catalogue", has_catalogue, true, tell_snapshot},
    {"postgres", postgres_answers, true, NULL}, {"presence", is_heard_of, false, tell_contact},
    {"redis", redis_answers, true, NULL},
};

static void live(struct request *request)
{
    reply_bytes(request, 200, "text/plain; charset=utf-8", STR("ok\n"));
}

static void ready(struct request *request)
{
    struct text text = text_open(request_arena(request), 128);
    bool all = true, required = true;
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        bool passes = probes[i].passes(request_arena(request));
        all = all && passes;
        required = required && (passes || !probes[i].required);
        text_printf(&text, "[%c] %s", passes ? '+' : '-', probes[i].name);
        if (probes[i].tell)
            probes[i].tell(&text);
        text_add_char(&text, '\n');
    }
    text_add_c(&text, required ? "ready\n" : "not ready\n");
    bool verbose = str_starts(request_query(request), STR("verbose"));
    reply_bytes(request, required ? 200 : 503, "text/plain; charset=utf-8", verbose || !all ? text_str(&text) : STR("ok\n"));
}

static void metrics(struct request *request)
{
    reply_bytes(request, 200, "text/plain; version=0.0.4; charset=utf-8", metrics_render(request_arena(request)));
}

static const struct {
    const char *path;
    void (*handle)(struct request *request);
} pages[] = {{"/livez", live}, {"/readyz", ready}, {"/metrics", metrics}};

void operations_handle(struct request *request)
{
    for (size_t i = 0; i < COUNT_OF(pages); i++)
        if (str_is(request_path(request), pages[i].path)) {
            pages[i].handle(request);
            return;
        }
    reply_fault(request, PROBLEM_NOT_FOUND,
                BILINGUAL("这里只有 /livez、/readyz 和 /metrics", "There are /livez, /readyz and /metrics here"));
}
