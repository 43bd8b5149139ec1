/* A pull: claim the service, ask for every page, then keep all of it in one transaction. Postgres is not held while a
 * department is waited for, and a pull that was cut short changes nothing. */
#include "pull.h"

#include "collect.h"
#include "item.h"
#include "publications_queries.h"

#include <shimin/department.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>

enum {
    LEASE_SECONDS = 360, /* longer than PULL_SECONDS of job.c: nobody else begins before this one has given up */
    PAGES_MOST = 2000,
    RETRY_LEAST = 5,
    RETRY_MOST = 600,
    RELEASE_SECONDS = 3,
};

static const char *const outcome_names[PULL_OUTCOMES] = {
    [PULL_DONE] = "done",
    [PULL_NOT_DUE] = "not_due",
    [PULL_FAILED] = "department_failed",
    [PULL_SUSPICIOUS] = "suspicious",
    [PULL_NOT_KEPT] = "store_failed",
};

const char *pull_outcome_name(enum pull_outcome outcome)
{
    return outcome_names[outcome];
}

struct str pull_definition(struct arena *arena, const struct service *service)
{
    uint64_t digest = str_hash(json_text(arena, operation_of(service)));
    return str_printf(arena, "%016llx", (unsigned long long)digest);
}

struct pull {
    struct arena *arena;
    const struct snapshot *snapshot;
    const struct service *service;
    struct str owner, definition;
    int64_t known, failures; /* as the claim found them */
    struct collection *collection;
    int64_t as_of;
};

/* Gateways that started together do not ask together for ever after: each service has an offset of its own, up to 5 %. */
static int64_t spread_refresh(const struct service *service)
{
    int64_t refresh = refresh_seconds(service);
    return refresh + (int64_t)(str_hash(service->slug) % 1000) * refresh / 20000;
}

static bool claim(struct pull *pull)
{
    const struct pg_result *row;
    pull->owner = id_new(pull->arena);
    pull->definition = pull_definition(pull->arena, pull->service);
    if (pg_query(pull->arena, &sql_claim_publication,
                 PG_ARGS(pg_text(pull->service->slug), pg_text(pull->definition), pg_integer(spread_refresh(pull->service)),
                         pg_integer(LEASE_SECONDS), pg_text(pull->owner)),
                 &row) != PG_OK ||
        !pg_rows(row))
        return false;
    pull->known = pg_int(row, 0, 0);
    pull->failures = pg_int(row, 0, 1);
    return true;
}

/* One page into the collection; the page's own memory ends with it. -1 when the department failed, else the number of items. */
static int64_t ask_page(struct pull *pull, struct str page_cursor)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct department_question question = {
        .arena = arena, .snapshot = pull->snapshot, .service = pull->service, .page_cursor = page_cursor};
    struct department_answer answer;
    const struct problem *problem = department_ask(&question, &answer);
    if (problem) {
        log_warning("pulling %.*s: %.*s", STR_ARG(pull->service->slug), STR_ARG(problem_slug(problem->type)));
        return -1;
    }
    if (!answer.items || answer.items->type != JSON_ARRAY) {
        log_warning("pulling %.*s: the answer has no list", STR_ARG(pull->service->slug));
        return -1;
    }
    pull->as_of = answer.as_of;
    collection_add(pull->collection, answer.items);
    return answer.items->count;
}

static bool ask_all(struct pull *pull)
{
    const struct json *page = json_get(operation_of(pull->service), "page");
    if (!page)
        return ask_page(pull, STR_NONE) >= 0;
    int64_t size = json_get_integer(page, "size", 1), first = json_get_integer(page, "first", 1);
    for (int64_t number = first; number < first + PAGES_MOST; number++) {
        int64_t count = ask_page(pull, str_printf(pull->arena, "%lld", (long long)number));
        if (count < 0)
            return false;
        if (count < size)
            return true;
    }
    log_warning("pulling %.*s: more than %d pages", STR_ARG(pull->service->slug), PAGES_MOST);
    return false;
}

/* The row of the service is taken first, so that whoever lost the lease stops here. */
static bool keep(struct pull *pull)
{
    CLEANUP(pg_rollback) struct pg_transaction *tx = NULL;
    bool places = pull->service->archetype == ARCHETYPE_LOCATE;
    struct pg_value slug = pg_text(pull->service->slug), source = pg_text(pull->service->department->slug);
    const struct pg_result *kept;
    if (pg_begin(pull->arena, &tx) != PG_OK ||
        pg_in(tx, &sql_keep_publication,
              PG_ARGS(slug, pg_text(pull->owner), pg_text(pull->definition), pg_time(pull->as_of), source,
                      pg_integer((int64_t)pull->collection->count)),
              &kept) != PG_OK ||
        pg_affected(kept) != 1)
        return false;
    for (const struct batch *batch = pull->collection->first; batch; batch = batch->next) {
        struct pg_value items = pg_text(text_str(&batch->json));
        enum pg_status status = places ? pg_in(tx, &sql_keep_places, PG_ARGS(slug, items, source, pg_time(pull->as_of)), NULL)
                                       : pg_in(tx, &sql_keep_documents, PG_ARGS(slug, items, source), NULL);
        if (status != PG_OK)
            return false;
    }
    if (pg_in(tx, places ? &sql_drop_places : &sql_drop_documents, PG_ARGS(slug), NULL) != PG_OK)
        return false;
    return pg_commit(&tx) == PG_OK;
}

/* 5, 10, 20 … seconds, never more than the refresh or ten minutes; half of it by chance, so that failures do not march in step.
 */
static int64_t retry_seconds(const struct pull *pull)
{
    uint32_t chance;
    random_bytes(&chance, sizeof chance);
    int64_t most = refresh_seconds(pull->service) < RETRY_MOST ? refresh_seconds(pull->service) : RETRY_MOST;
    int64_t wait = (int64_t)RETRY_LEAST << (pull->failures < 10 ? pull->failures : 10);
    wait = wait < most ? wait : most;
    return wait / 2 + 1 + chance % (wait / 2 + 1);
}

/* Also when the gateway stops in the middle: the others shall not wait for the lease to end. */
static void give_back(struct pull *pull)
{
    fiber_shield();
    fiber_set_deadline(deadline_in(seconds(RELEASE_SECONDS)));
    if (pg_query(pull->arena, &sql_fail_publication,
                 PG_ARGS(pg_text(pull->service->slug), pg_text(pull->owner), pg_integer(retry_seconds(pull))), NULL) != PG_OK)
        log_warning("pulling %.*s: its lease stays until it ends", STR_ARG(pull->service->slug));
    fiber_unshield();
}

static enum pull_outcome carry_out(struct pull *pull)
{
    if (!ask_all(pull))
        return PULL_FAILED;
    int64_t count = (int64_t)pull->collection->count;
    if (pull->collection->skipped)
        log_warning("pulling %.*s: %zu items without id, name or title were left out", STR_ARG(pull->service->slug),
                    pull->collection->skipped);
    if (count * 2 < pull->known) {
        log_error("pulling %.*s: %lld items where %lld are known; the old ones stay", STR_ARG(pull->service->slug),
                  (long long)count, (long long)pull->known);
        return PULL_SUSPICIOUS;
    }
    return keep(pull) ? PULL_DONE : PULL_NOT_KEPT;
}

enum pull_outcome pull_service(const struct snapshot *snapshot, const struct service *service)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct pull pull = {
        .arena = arena, .snapshot = snapshot, .service = service, .collection = collection_open(arena, service)};
    if (!claim(&pull))
        return PULL_NOT_DUE;
    enum pull_outcome outcome = carry_out(&pull);
    if (outcome != PULL_DONE)
        give_back(&pull);
    else
        log_info("pulled %.*s: %zu items", STR_ARG(service->slug), pull.collection->count);
    return outcome;
}
