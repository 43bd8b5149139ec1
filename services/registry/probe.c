/* Probes: the gate's harmless checks of each live service, again and again, by one gateway at a time. */
#include "gate.h"
#include "registry.h"

#include "registry_queries.h"

#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/worker.h>

enum { TICK_SECONDS = 5, PROBE_SECONDS = 60, TICK_DEADLINE = 90 };

static struct fiber *probing;
static bool stopping;
static struct metric *probes;

/* Families are registered before threads start, and modules have no earlier hook. */
__attribute__((constructor)) static void register_metrics(void)
{
    probes = metric_register(METRIC_COUNTER, "registry_probes_total", "service,outcome", "Probes of registered services.");
}

static void keep(struct arena *arena, const struct version *version, struct str owner, bool passed, struct str checks)
{
    metric_count(probes, version->service, passed ? STR("passed") : STR("failed"));
    if (!passed)
        log_warning("the probe of %.*s fails", STR_ARG(version->service));
    if (pg_query(
            arena, &sql_keep_probe,
            PG_ARGS(pg_text(version->service), pg_text(owner), pg_boolean(passed), pg_text(checks), pg_integer(PROBE_SECONDS)),
            NULL) != PG_OK)
        log_warning("the probe of %.*s was not kept", STR_ARG(version->service));
}

/* Where citizens' calls go, and, when there is such an address, where the next version will be tried. */
static void probe(struct arena *arena, const struct snapshot *snapshot, const struct version *version, struct str owner)
{
    static const char *const environments[] = {"production", "test"};
    struct json_error error;
    const struct json *backend = json_parse(arena, version->backend, &json_limits_request, &error);
    struct text checks = text_open(arena, 1024);
    struct json_out out = json_write(&checks);
    struct draft_order order;
    bool passed = true;
    json_array(&out);
    for (size_t i = 0; i < COUNT_OF(environments); i++) {
        if (!json_get(backend, environments[i]))
            continue;
        if (!version_order(arena, snapshot, version, environments[i], &order) || gate_run(arena, &order, true, &out, &passed)) {
            log_warning("%.*s cannot be probed", STR_ARG(version->service));
            passed = false;
        }
    }
    json_end(&out);
    keep(arena, version, owner, passed, text_str(&checks));
}

/* false when no service's turn has come. */
static bool probe_next(struct arena *arena, const struct snapshot *snapshot)
{
    struct str owner = id_new(arena);
    const struct pg_result *rows;
    if (pg_query(arena, &sql_next_probe, PG_ARGS(pg_text(owner)), &rows) != PG_OK || !pg_rows(rows))
        return false;
    const struct version version = {
        .service = pg_str(rows, 0, 0),
        .number = pg_int(rows, 0, 1),
        .department = pg_str(rows, 0, 2),
        .system = pg_str(rows, 0, 3),
        .sha256 = pg_str(rows, 0, 4),
        .definition = pg_str(rows, 0, 5),
        .contract_name = pg_str(rows, 0, 6),
        .contract_bytes = pg_bin(arena, rows, 0, 7),
        .backend = pg_str(rows, 0, 8),
    };
    probe(arena, snapshot, &version, owner);
    return true;
}

/* A fiber's deadline can only come nearer: each tick runs in one of its own. */
static void tick(void *argument)
{
    (void)argument;
    const struct snapshot *snapshot = snapshot_pin();
    bool more = snapshot != NULL;
    while (more && !stopping && !fiber_cancelled()) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        more = probe_next(arena, snapshot);
    }
    snapshot_unpin(snapshot);
}

static void run(void *argument)
{
    (void)argument;
    probing = fiber_self();
    while (!stopping) {
        (void)fiber_wait(deadline_in(seconds(TICK_SECONDS)));
        struct fiber_group group = {0};
        if (stopping)
            break;
        fiber_spawn(&group, tick, NULL);
        (void)fiber_join(&group, deadline_in(seconds(TICK_DEADLINE)));
    }
    probing = NULL;
}

/* One worker is enough; of several gateways, the store gives each turn to one. */
void probe_start(void)
{
    if (worker_index() == worker_count() - 1)
        fiber_start(run, NULL, DEADLINE_NEVER);
}

void probe_stop(void)
{
    if (worker_index() != worker_count() - 1)
        return;
    stopping = true;
    if (probing)
        fiber_cancel(probing);
}
