/* The loader: notices from Postgres start it. Definitions are compiled aside, which may take long; switches are laid over the
 * newest definitions there are, and go out at once, whatever is being compiled. */
#include "catalogue/loader.h"

#include "catalogue/definitions.h"
#include "catalogue/document.h"
#include "catalogue/keeping.h"
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

/* How a load ended. */
enum load {
    LOAD_DONE,
    LOAD_REFUSED, /* it is faulty and waits for the next change */
    LOAD_LATER,   /* it could not be read, or not be compiled in time */
};

static enum load load_definitions(void);
static enum load load_switches(void);

/* Each runs in a fiber of its own, one at a time. Lives on the first worker only, as does all that follows. */
static struct task {
    enum load (*load)(void);
    bool wanted, running;
    struct timer retry;
} definitions = {.load = load_definitions}, switches = {.load = load_switches};

static struct {
    struct snapshot *latest; /* what is out; the loader's own reference */
    struct snapshot *fresh;  /* newer definitions, which go out with the switches of that moment; or NULL */
    int64_t version;         /* of the definitions that were read last, refused ones too; 0: none */
    bool doubtful;           /* Postgres may be another by now, for which its number proves nothing */
} loader;

static struct metric *reloads;  /* catalogue_reloads_total{outcome} */
static struct metric *duration; /* catalogue_reload_duration_seconds{what,step} */

__attribute__((constructor)) static void register_metrics(void)
{
    reloads = metric_register(METRIC_COUNTER, "catalogue_reloads_total", "outcome", "Snapshots built, by what became of them.");
    duration =
        metric_register(METRIC_HISTOGRAM, "catalogue_reload_duration_seconds", "what,step",
                        "What a new snapshot takes: to be read from Postgres, and to be built and handed to the workers.");
}

/* ---- tasks ---- */

static void start(struct task *task);

static void retry(struct timer *timer)
{
    start(CONTAINER_OF(timer, struct task, retry));
}

/* Wishes that come while it runs are fulfilled by its next turn. One that could not be fulfilled is kept and tried again: the
 * notice of it came, and will not come a second time. */
static void run(void *argument)
{
    struct task *task = argument;
    while (task->wanted) {
        task->wanted = false;
        if (task->load() != LOAD_LATER)
            continue;
        task->wanted = true;
        timer_set(&task->retry, deadline_in(seconds(RETRY_SECONDS)), retry);
        break;
    }
    task->running = false;
}

static void start(struct task *task)
{
    task->wanted = true;
    if (task->running)
        return;
    task->running = true;
    fiber_start(run, task, deadline_in(seconds(RELOAD_SECONDS)));
}

/* ---- building and handing out ---- */

/* One compilation, done on an offload thread: it reads the disk and burns the processor. */
struct compilation {
    struct arena *arena;
    const struct catalogue_document *parts; /* to be joined first; or NULL */
    struct str document;
    struct snapshot *base; /* set: only its switches change */
    struct snapshot *result;
    struct text faults;
};

static void compile(void *argument)
{
    struct compilation *work = argument;
    if (work->parts)
        work->document = catalogue_document_join(work->arena, work->parts);
    work->result = work->base ? snapshot_with_switches(work->base, work->document, &work->faults)
                              : snapshot_compile(work->document, last_good_contract, &work->faults);
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

/* Switches must hold soon; definitions give way to requests. */
static enum load build(struct compilation *work)
{
    work->faults = text_open(work->arena, 256);
    if (!offload_patiently(work->base ? offload : offload_aside, compile, work))
        return LOAD_LATER;
    return work->result ? LOAD_DONE : refuse(work->faults.at);
}

static void announce(struct snapshot *snapshot)
{
    metric_count(reloads, STR("published"));
    snapshot_retire(loader.latest);
    loader.latest = snapshot;
    snapshot_reference(snapshot);
    snapshot_publish(snapshot);
}

static struct snapshot *newest(void)
{
    return loader.fresh ? loader.fresh : loader.latest;
}

static bool has_services(const struct snapshot *snapshot)
{
    const struct service *first;
    return snapshot && snapshot_services(snapshot, &first) > 0;
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
        if (!offload_patiently(offload, keep_contract, &work) || !work.kept)
            return false;
    }
    return true;
}

/* ---- definitions ---- */

/* They wait there for the switches, which are read when they are there: so what goes out has the newest of both. */
static void hand_over(struct snapshot *snapshot)
{
    snapshot_retire(loader.fresh);
    loader.fresh = snapshot;
    start(&switches);
}

static enum load compile_definitions(struct arena **arena, const struct catalogue_document *document)
{
    struct compilation work = {.arena = *arena, .parts = document};
    int64_t began = clock_steady();
    enum load outcome = build(&work);
    if (outcome != LOAD_DONE)
        return outcome;
    count_step("definitions", "build", began);
    if (has_services(work.result)) {
        keep_on_disk(*arena, work.document, false);
        *arena = NULL;
    }
    hand_over(work.result);
    return LOAD_DONE;
}

static enum load read_definitions(struct arena **arena)
{
    struct catalogue_document document;
    int64_t began = clock_steady();
    if (!catalogue_document_read(*arena, &document))
        return LOAD_LATER;
    count_step("definitions", "read", began);
    loader.version = document.version;
    /* A database that was emptied, or is another, must not empty the gateways; so an empty document is not kept either. */
    if (!document.services && (has_services(newest()) || last_good_document(*arena).at))
        return refuse("Postgres has no service, and there were some: is it the right database?\n");
    struct inspection inspection = {.arena = *arena, .digests = document.digests};
    if (!offload_patiently(offload, find_missing, &inspection) || !fetch_contracts(*arena, &inspection))
        return LOAD_LATER;
    return compile_definitions(arena, &document);
}

/* One notice may tell of what an earlier one has brought already. */
static bool is_known(struct arena *arena)
{
    const struct pg_result *row;
    return !loader.doubtful && loader.version && pg_query(arena, &sql_catalogue_version, PG_NO_ARGS, &row) == PG_OK &&
           pg_rows(row) == 1 && pg_int(row, 0, 0) == loader.version;
}

static enum load load_definitions(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    if (is_known(arena))
        return LOAD_DONE;
    loader.doubtful = false;
    enum load outcome = read_definitions(&arena);
    loader.doubtful |= outcome == LOAD_LATER;
    return outcome;
}

/* ---- switches ---- */

static enum load lay_over(struct arena *arena, struct str document)
{
    int64_t began = clock_steady();
    struct compilation work = {.arena = arena, .document = document, .base = newest()};
    snapshot_reference(work.base);
    enum load outcome = build(&work);
    if (outcome == LOAD_DONE) {
        if (loader.fresh == work.base) { /* and no newer one came meanwhile */
            snapshot_retire(loader.fresh);
            loader.fresh = NULL;
        }
        announce(work.result);
        count_step("switches", "build", began);
    }
    snapshot_retire(work.base);
    return outcome;
}

static enum load load_switches(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *row;
    int64_t began = clock_steady();
    if (pg_query(arena, &sql_switches_document, PG_NO_ARGS, &row) != PG_OK || pg_rows(row) != 1)
        return LOAD_LATER;
    count_step("switches", "read", began);
    enum load outcome = lay_over(arena, pg_str(row, 0, 0));
    if (outcome == LOAD_DONE && has_services(loader.latest)) {
        keep_on_disk(arena, pg_str(row, 0, 0), true);
        arena = NULL;
    }
    return outcome;
}

/* ---- notices ---- */

static void noticed(struct str payload, void *argument)
{
    (void)argument;
    start(str_is(payload, "switches") ? &switches : &definitions);
}

/* Notices may have been missed. What was read just before the first LISTEN was read from the same Postgres. */
static void restored(void *argument)
{
    static bool before;
    (void)argument;
    loader.doubtful |= before;
    before = true;
    start(&definitions);
    start(&switches);
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
    struct compilation first = {.arena = arena, .document = document};
    if (build(&first) != LOAD_DONE)
        return false;
    /* once, so that no worker begins with a service open that was switched off */
    struct compilation over = {.arena = arena, .document = last_good_switches(arena), .base = first.result};
    bool newer = switches_version(arena, over.document) >= switches_version(arena, document);
    if (newer && build(&over) == LOAD_DONE)
        snapshot_retire(first.result);
    announce(over.result ? over.result : first.result);
    return true;
}

static bool open_first(struct str directory)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    if (!last_good_open(directory) || (load_definitions() != LOAD_DONE && !load_last_good(arena)))
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
