/* The loader: a notice from Postgres starts a reload, which is compiled aside and published only if it is whole. */
#include "catalogue/loader.h"

#include "catalogue/definitions.h"
#include "catalogue/last_good.h"
#include "catalogue_queries.h"
#include "store/pg_listen.h"

#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/pg.h>
#include <shimin/worker.h>

/* How long one reload may take, and how long until one that failed is tried again. */
enum { RELOAD_SECONDS = 20, RETRY_SECONDS = 1, FIRST_SNAPSHOT_SECONDS = 30 };

/* Lives on the first worker only. */
static struct {
    struct snapshot *latest; /* the loader's own reference */
    bool want_definitions;
    bool want_switches;
    bool running;
    struct timer retry;
} loader;

/* How a load ended. */
enum load {
    LOAD_DONE,
    LOAD_REFUSED, /* it is faulty and waits for the next change */
    LOAD_LATER,   /* it could not be read, or not be compiled in time */
};

static struct metric *reloads;  /* catalogue_reloads_total{outcome} */
static struct metric *duration; /* catalogue_reload_duration_seconds{what,step} */

__attribute__((constructor)) static void register_metrics(void)
{
    reloads = metric_register(METRIC_COUNTER, "catalogue_reloads_total", "outcome", "Snapshots built, by what became of them.");
    duration =
        metric_register(METRIC_HISTOGRAM, "catalogue_reload_duration_seconds", "what,step",
                        "What a new snapshot takes: to be read from Postgres, and to be built and handed to the workers.");
}

/* One compilation, done on an offload thread: it reads the disk and burns the processor. */
struct compilation {
    struct str document;
    struct snapshot *base; /* set: only its switches change */
    struct snapshot *result;
    struct text faults;
};

static void compile(void *argument)
{
    struct compilation *work = argument;
    work->result = work->base ? snapshot_with_switches(work->base, work->document, &work->faults)
                              : snapshot_compile(work->document, last_good_contract, &work->faults);
}

static bool offload_patiently(void (*function)(void *argument), void *argument)
{
    while (!offload(function, argument))
        if (fiber_sleep(milliseconds(10)) != WAIT_DONE)
            return false;
    return true;
}

static void count_step(const char *what, const char *step, int64_t began)
{
    const struct str labels[] = {str_of(what), str_of(step)};
    metric_observe(metric_cell(duration, labels, 2), (double)(clock_steady() - began) / 1e6);
}

static enum load refuse(const char *faults)
{
    metric_count(reloads, STR("refused"));
    log_error("the catalogue is refused, the last good snapshot stays: %s", faults);
    return LOAD_REFUSED;
}

static enum load build(struct arena *arena, struct str document, struct snapshot *base, struct snapshot **snapshot)
{
    struct compilation work = {.document = document, .base = base, .faults = text_open(arena, 256)};
    if (!offload_patiently(compile, &work))
        return LOAD_LATER;
    if (!work.result)
        return refuse(work.faults.at);
    *snapshot = work.result;
    return LOAD_DONE;
}

static void announce(struct snapshot *snapshot)
{
    metric_count(reloads, STR("published"));
    snapshot_release(loader.latest);
    loader.latest = snapshot;
    snapshot_reference(snapshot);
    snapshot_publish(snapshot);
}

/* ---- the copy on disk: written when the snapshot is out, for to sync a disk may take longer than a switch may ---- */

/* A document and, after it, the switches that were set over it. */
static struct kept {
    struct arena *arena; /* NULL: there is nothing to be written */
    struct str document;
    bool (*write)(struct str document);
} kept[2] = {{.write = last_good_keep_document}, {.write = last_good_keep_switches}};
static bool keeping;

/* What cannot be kept is good all the same; the log has the reason. */
static void write_kept(void *argument)
{
    const struct kept *copy = argument;
    (void)!copy->write(copy->document);
}

static void keep_waiting(void *argument)
{
    (void)argument;
    for (size_t i = 0; i < COUNT_OF(kept); i++) {
        struct kept copy = kept[i];
        if (!copy.arena)
            continue;
        kept[i].arena = NULL;
        (void)offload_patiently(write_kept, &copy);
        arena_close(copy.arena);
        i = SIZE_MAX; /* another may have come meanwhile */
    }
    keeping = false;
}

static void keep(struct str document, bool over_definitions)
{
    struct kept *copy = &kept[over_definitions];
    arena_close(copy->arena);
    copy->arena = arena_open();
    copy->document = str_copy(copy->arena, document);
    if (keeping)
        return;
    keeping = true;
    fiber_start(keep_waiting, NULL, DEADLINE_NEVER);
}

/* Builds over `base` or anew, and hands it out. */
static enum load publish(struct arena *arena, struct str document, struct snapshot *base)
{
    struct snapshot *snapshot;
    enum load outcome = build(arena, document, base, &snapshot);
    if (outcome == LOAD_DONE)
        announce(snapshot);
    return outcome;
}

static bool has_services(void)
{
    const struct service *first;
    return loader.latest && snapshot_services(loader.latest, &first) > 0;
}

/* ---- contracts: read and written on an offload thread, as all that waits for the disk ---- */

struct inspection {
    struct arena *arena;
    struct str digests;  /* of the contracts that are named, a JSON array */
    struct str *missing; /* of those that are not on disk yet */
    size_t missing_count;
};

static void find_missing(void *argument)
{
    struct inspection *inspection = argument;
    struct json_error error;
    const struct json *digests = json_parse(inspection->arena, inspection->digests, &json_limits_document, &error);
    size_t count = digests && digests->type == JSON_ARRAY ? digests->count : 0;
    inspection->missing = arena_array(inspection->arena, struct str, count);
    for (size_t i = 0; i < count; i++)
        if (!last_good_has_contract(digests->items[i].string))
            inspection->missing[inspection->missing_count++] = digests->items[i].string;
}

struct keeping_contract {
    struct str sha256, bytes;
    bool kept;
};

static void keep_contract(void *argument)
{
    struct keeping_contract *work = argument;
    work->kept = last_good_keep_contract(work->sha256, work->bytes);
}

static bool fetch_contracts(struct arena *arena, const struct inspection *inspection)
{
    for (size_t i = 0; i < inspection->missing_count; i++) {
        const struct pg_result *row;
        struct keeping_contract work = {.sha256 = inspection->missing[i]};
        if (pg_query(arena, &sql_contract_bytes, PG_ARGS(pg_text(work.sha256)), &row) != PG_OK)
            return false;
        if (pg_rows(row) != 1)
            continue; /* what is missing here is named when the document is compiled */
        work.bytes = pg_bin(arena, row, 0, 0);
        if (!offload_patiently(keep_contract, &work) || !work.kept)
            return false;
    }
    return true;
}

/* Definitions, and at once over them what is laid over them, which is as old or newer: one snapshot goes out. */
static enum load publish_definitions(struct arena *arena, struct str text)
{
    const struct pg_result *over;
    struct snapshot *definitions;
    if (pg_query(arena, &sql_switches_document, PG_NO_ARGS, &over) != PG_OK || pg_rows(over) != 1)
        return LOAD_LATER;
    int64_t began = clock_steady();
    enum load outcome = build(arena, text, NULL, &definitions);
    if (outcome != LOAD_DONE)
        return outcome;
    outcome = publish(arena, pg_str(over, 0, 0), definitions);
    snapshot_release(definitions);
    count_step("definitions", "build", began);
    if (outcome == LOAD_DONE && has_services()) {
        keep(text, false);
        keep(pg_str(over, 0, 0), true);
    }
    return outcome;
}

static enum load load_definitions(struct arena *arena)
{
    const struct pg_result *row;
    int64_t began = clock_steady();
    if (pg_query(arena, &sql_catalogue_document, PG_NO_ARGS, &row) != PG_OK || pg_rows(row) != 1)
        return LOAD_LATER;
    count_step("definitions", "read", began);
    /* A database that was emptied, or is another, must not empty the gateways; so an empty document is not kept either. */
    if (!pg_int(row, 0, 1) && (has_services() || last_good_document(arena).at))
        return refuse("Postgres has no service, and there were some: is it the right database?\n");
    struct inspection inspection = {.arena = arena, .digests = pg_str(row, 0, 2)};
    if (!offload_patiently(find_missing, &inspection) || !fetch_contracts(arena, &inspection))
        return LOAD_LATER;
    return publish_definitions(arena, pg_str(row, 0, 0));
}

static enum load load_switches(struct arena *arena)
{
    const struct pg_result *row;
    int64_t began = clock_steady();
    if (pg_query(arena, &sql_switches_document, PG_NO_ARGS, &row) != PG_OK || pg_rows(row) != 1)
        return LOAD_LATER;
    count_step("switches", "read", began);
    began = clock_steady();
    enum load outcome = publish(arena, pg_str(row, 0, 0), loader.latest);
    count_step("switches", "build", began);
    if (outcome == LOAD_DONE)
        keep(pg_str(row, 0, 0), true);
    return outcome;
}

static void reload(void *argument);

static void start_reload(void)
{
    if (loader.running)
        return;
    loader.running = true;
    fiber_start(reload, NULL, deadline_in(seconds(RELOAD_SECONDS)));
}

static void retry(struct timer *timer)
{
    (void)timer;
    start_reload();
}

/* Wishes that come while it runs are fulfilled by its next turn. One that could not be fulfilled is kept and tried again: the
 * notice of it came, and will not come a second time. */
static void reload(void *argument)
{
    (void)argument;
    while (loader.want_definitions || loader.want_switches) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        bool definitions = loader.want_definitions || !loader.latest;
        loader.want_definitions = loader.want_switches = false;
        enum load outcome = definitions ? load_definitions(arena) : load_switches(arena);
        if (definitions && outcome == LOAD_REFUSED && loader.latest)
            outcome = load_switches(arena); /* they hold over the definitions that stay */
        if (outcome != LOAD_LATER)
            continue;
        loader.want_definitions |= definitions;
        loader.want_switches = true;
        timer_set(&loader.retry, deadline_in(seconds(RETRY_SECONDS)), retry);
        break;
    }
    loader.running = false;
}

static void noticed(struct str payload, void *argument)
{
    (void)argument;
    if (str_is(payload, "switches"))
        loader.want_switches = true;
    else
        loader.want_definitions = true;
    start_reload();
}

/* Notices may have been missed. */
static void restored(void *argument)
{
    noticed(STR("catalogue"), argument);
}

/* Of either document; -1 without one. */
static int64_t switches_version(struct arena *arena, struct str text)
{
    struct json_error error;
    return text.at ? json_get_integer(json_parse(arena, text, &json_limits_document, &error), "switches_version", 0) : -1;
}

static bool load_last_good(struct arena *arena)
{
    struct str document = last_good_document(arena);
    if (!document.at) {
        log_error("no catalogue: Postgres gives none, and no snapshot is on disk; start Postgres, then run: shimin "
                  "catalogue apply");
        return false;
    }
    log_warning("Postgres gives no catalogue: starting from the last good snapshot on disk");
    struct snapshot *snapshot, *switched;
    if (build(arena, document, NULL, &snapshot) != LOAD_DONE)
        return false;
    /* once, so that no worker begins with a service open that was switched off */
    struct str switches = last_good_switches(arena);
    if (switches_version(arena, switches) >= switches_version(arena, document) &&
        build(arena, switches, snapshot, &switched) == LOAD_DONE) {
        snapshot_release(snapshot);
        snapshot = switched;
    }
    announce(snapshot);
    return true;
}

static bool open_first(struct str directory)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    if (!last_good_open(directory) || (load_definitions(arena) != LOAD_DONE && !load_last_good(arena)))
        return false;
    pg_listen("shimin_catalogue", noticed, restored, NULL);
    /* a change between the load and the LISTEN is caught by `restored`, which the first connection calls as well */
    return true;
}

bool catalogue_open(struct str directory)
{
    if (worker_index() == 0 && !open_first(directory))
        return false;
    int64_t deadline = deadline_in(seconds(FIRST_SNAPSHOT_SECONDS));
    while (!catalogue_snapshot())
        if (clock_steady() > deadline || fiber_sleep(milliseconds(5)) != WAIT_DONE)
            return false;
    return true;
}
