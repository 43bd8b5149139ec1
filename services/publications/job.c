/* Every few seconds: read from Postgres what was pulled by whom, take over what is new into memory and onto disk, and pull what
 * is due. The row of a service in Postgres is the truth; this only looks at it often enough. */
#include "job.h"

#include "item.h"
#include "mirror.h"
#include "publications_queries.h"
#include "pull.h"

#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/worker.h>

#include <string.h>

enum { TICK_SECONDS = 3, TICK_DEADLINE = 30, FIRST_TICK_MS = 200, PULLS_AT_ONCE = 3, PULL_SECONDS = 300, SLUG_MOST = 64 };

/* A service that this process has met; there are as many as the catalogue has had, and they stay. */
struct entry {
    struct entry *next;
    char slug[SLUG_MOST + 1];
    int64_t pulled_at; /* of the copy in memory; 0: there is none */
    struct fiber *pulling;
};

static struct entry *entries;
static unsigned pulls_running;
static struct fiber *ticking;
static bool stopping;
static struct metric *pulls, *age;

/* Families are registered before threads start, and modules have no earlier hook. */
__attribute__((constructor)) static void register_metrics(void)
{
    pulls = metric_register(METRIC_COUNTER, "publication_pulls_total", "service,outcome",
                            "Pulls of places and texts from departments.");
    age = metric_register(METRIC_GAUGE, "publication_age_seconds", "service", "Seconds since the last complete pull.");
}

static struct entry *entry_of(struct str slug)
{
    struct entry *entry = entries;
    while (entry && !str_is(slug, entry->slug))
        entry = entry->next;
    if (entry || slug.len > SLUG_MOST)
        return entry;
    entry = memory_alloc(sizeof *entry);
    memcpy(entry->slug, slug.at, slug.len);
    entry->next = entries;
    return entries = entry;
}

/* ---- copies ---- */

struct copying {
    struct str slug, text;
    struct mirror *mirror;
};

static void parse_copy(void *argument)
{
    struct copying *copying = argument;
    copying->mirror = mirror_parse(copying->slug, copying->text);
}

static void load_copy(void *argument)
{
    struct copying *copying = argument;
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    copying->text = mirror_load(arena, copying->slug);
    if (copying->text.at)
        parse_copy(copying);
}

static void save_copy(void *argument)
{
    struct copying *copying = argument;
    if (!mirror_save(copying->slug, copying->text))
        log_debug("no copy of %.*s is on disk", STR_ARG(copying->slug));
}

static void take_over(struct entry *entry, struct mirror *mirror)
{
    entry->pulled_at = mirror->pulled_at;
    mirror_publish(mirror);
}

/* From what another gateway, or this one, has put into Postgres. */
static void copy_from_store(struct entry *entry, const struct service *service, const struct pg_result *rows, size_t row)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_statement *statement = service->archetype == ARCHETYPE_LOCATE ? &sql_copy_places : &sql_copy_documents;
    const struct pg_result *items;
    if (pg_query(arena, statement, PG_ARGS(pg_text(service->slug)), &items) != PG_OK)
        return;
    struct copying copying = {
        .slug = service->slug,
        .text = mirror_text(arena, pg_wall(rows, row, 2), pg_wall(rows, row, 3), pg_str(rows, row, 4), pg_str(items, 0, 0)),
    };
    if (!offload(parse_copy, &copying))
        return;
    if (!copying.mirror) {
        log_error("the copy of %.*s cannot be read; is it too large?", STR_ARG(service->slug));
        return;
    }
    take_over(entry, copying.mirror);
    if (!offload(save_copy, &copying))
        log_warning("the copy of %.*s was not written to disk", STR_ARG(service->slug));
}

static void copy_from_disk(struct entry *entry, const struct service *service)
{
    struct copying copying = {.slug = service->slug};
    if (offload(load_copy, &copying) && copying.mirror)
        take_over(entry, copying.mirror);
}

/* ---- pulls ---- */

static void pull(void *argument)
{
    struct entry *entry = argument;
    const struct snapshot *snapshot = snapshot_pin();
    const struct service *service = snapshot_service(snapshot, str_of(entry->slug));
    entry->pulling = fiber_self();
    enum pull_outcome outcome = service && !stopping ? pull_service(snapshot, service) : PULL_NOT_DUE;
    if (outcome != PULL_NOT_DUE)
        metric_count(pulls, str_of(entry->slug), str_of(pull_outcome_name(outcome)));
    snapshot_unpin(snapshot);
    entry->pulling = NULL;
    pulls_running--;
    if (outcome == PULL_DONE && ticking)
        fiber_wake(ticking);
}

static bool is_due(struct arena *arena, const struct service *service, const struct pg_result *rows, size_t row)
{
    if (row == SIZE_MAX)
        return true;
    int64_t now = pg_wall(rows, row, 6);
    if (!pg_is_null(rows, row, 5) && pg_wall(rows, row, 5) > now)
        return false;
    return pg_is_null(rows, row, 3) || pg_wall(rows, row, 3) + seconds(refresh_seconds(service)) <= now ||
           !str_equal(pg_str(rows, row, 1), pull_definition(arena, service));
}

/* The store's rules are stricter (claim_publication): this only saves asking it in vain. */
static void pull_if_due(struct arena *arena, struct entry *entry, const struct service *service, const struct pg_result *rows,
                        size_t row)
{
    if (entry->pulling || pulls_running == PULLS_AT_ONCE || !is_due(arena, service, rows, row))
        return;
    pulls_running++;
    fiber_start(pull, entry, deadline_in(seconds(PULL_SECONDS)));
}

/* ---- the tick ---- */

static bool is_kept(const struct snapshot *snapshot, const struct service *service)
{
    return (service->archetype == ARCHETYPE_LOCATE || service->archetype == ARCHETYPE_CONTENT) && operation_of(service) &&
           snapshot_switch(snapshot, service, NULL).position != SWITCH_OFF;
}

static size_t row_of(const struct pg_result *rows, struct str slug)
{
    for (size_t row = 0; row < pg_rows(rows); row++)
        if (str_equal(pg_str(rows, row, 0), slug))
            return row;
    return SIZE_MAX;
}

static void look_after(struct arena *arena, struct entry *entry, const struct service *service, const struct pg_result *rows)
{
    size_t row = row_of(rows, service->slug);
    if (row != SIZE_MAX && !pg_is_null(rows, row, 3)) {
        int64_t pulled_at = pg_wall(rows, row, 3);
        metric_set(metric_cell(age, &service->slug, 1), (double)(pg_wall(rows, row, 6) - pulled_at) / 1e6);
        if (pulled_at != entry->pulled_at)
            copy_from_store(entry, service, rows, row);
    }
    pull_if_due(arena, entry, service, rows, row);
}

static void tick(const struct snapshot *snapshot)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *rows;
    const struct service *services;
    bool store = pg_query(arena, &sql_list_publications, PG_NO_ARGS, &rows) == PG_OK;
    size_t count = snapshot_services(snapshot, &services);
    for (size_t i = 0; i < count && !stopping; i++) {
        struct entry *entry = is_kept(snapshot, &services[i]) ? entry_of(services[i].slug) : NULL;
        if (entry && store)
            look_after(arena, entry, &services[i], rows);
        else if (entry && !entry->pulled_at)
            copy_from_disk(entry, &services[i]);
    }
}

/* A fiber's deadline can only come nearer: each tick runs in one of its own. */
static void tick_once(void *argument)
{
    (void)argument;
    const struct snapshot *snapshot = snapshot_pin();
    if (!snapshot)
        return;
    tick(snapshot);
    snapshot_unpin(snapshot);
}

static void run(void *argument)
{
    (void)argument;
    ticking = fiber_self();
    while (!stopping) {
        struct fiber_group group = {0};
        fiber_spawn(&group, tick_once, NULL);
        (void)fiber_join(&group, deadline_in(seconds(TICK_DEADLINE)));
        if (!stopping)
            (void)fiber_wait(deadline_in(catalogue_snapshot() ? seconds(TICK_SECONDS) : milliseconds(FIRST_TICK_MS)));
    }
    ticking = NULL;
}

void job_start(void)
{
    fiber_start(run, NULL, DEADLINE_NEVER);
}

void job_stop(void)
{
    stopping = true;
    if (ticking)
        fiber_cancel(ticking);
    for (const struct entry *entry = entries; entry; entry = entry->next)
        if (entry->pulling)
            fiber_cancel(entry->pulling);
}
