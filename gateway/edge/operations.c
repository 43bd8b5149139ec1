/* Health and metrics. A new probe is a function and a line in the table. */
#include "edge/operations.h"

#include "edge_queries.h"

#include <shimin/catalogue.h>
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

/* What must hold for requests to be sent here. Without Redis or Postgres the gateway still serves what it can, but no login or
 * query of a citizen; `required` ones make /readyz answer 503. */
static const struct probe {
    const char *name;
    bool (*passes)(struct arena *arena); /* may wait */
    bool required;
} probes[] = {
    {"serving", serving, true},
    {"catalogue", has_catalogue, true},
    {"postgres", postgres_answers, true},
    {"redis", redis_answers, true},
};

static void live(struct request *request)
{
    reply_bytes(request, 200, "text/plain; charset=utf-8", STR("ok\n"));
}

static void ready(struct request *request)
{
    struct text text = text_open(request_arena(request), 128);
    bool all = true;
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        bool passes = probes[i].passes(request_arena(request));
        all = all && (passes || !probes[i].required);
        text_printf(&text, "[%c] %s\n", passes ? '+' : '-', probes[i].name);
    }
    text_add_c(&text, all ? "ready\n" : "not ready\n");
    bool verbose = str_starts(request_query(request), STR("verbose"));
    reply_bytes(request, all ? 200 : 503, "text/plain; charset=utf-8", verbose || !all ? text_str(&text) : STR("ok\n"));
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
