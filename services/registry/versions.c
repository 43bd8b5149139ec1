/* Versions that are served: on trial, promoted, rolled back, retired. */
#include "registry.h"

#include "registry_queries.h"

#include <math.h>

static void reply_live(struct request *request, struct str service)
{
    const struct pg_result *rows;
    if (!store_failed(request, pg_query(request_arena(request), &sql_live_version, PG_ARGS(pg_text(service)), &rows)))
        reply_row(request, 200, rows);
}

/* The number, or 0 after a reply when there is none in that state. */
static int64_t number_of(struct request *request, struct str service, const char *state, struct bilingual none)
{
    const struct pg_result *rows;
    struct arena *arena = request_arena(request);
    if (store_failed(request, pg_query(arena, &sql_version_of_state,
                                       PG_ARGS(owner_of(request), pg_text(service), pg_text(str_of(state))), &rows)))
        return 0;
    if (pg_rows(rows))
        return pg_int(rows, 0, 0);
    if (store_failed(request, pg_query(arena, &sql_version_exists, PG_ARGS(owner_of(request), pg_text(service)), &rows)))
        return 0;
    if (pg_rows(rows))
        reply_fault(request, PROBLEM_CONFLICT, none);
    else
        reply_missing(request);
    return 0;
}

static void go_live(struct request *request, struct str service, int64_t number, const char *happening)
{
    const struct pg_result *rows;
    if (version_is_unfit(request, service, number) ||
        store_failed(request, pg_query(request_arena(request), &sql_go_live,
                                       PG_ARGS(pg_text(service), pg_integer(number), pg_text(label_of(request)),
                                               pg_text(str_of(happening))),
                                       &rows)))
        return;
    if (pg_bool(rows, 0, 0))
        reply_live(request, service);
    else
        reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("版本的状态已改变", "The version's state has changed meanwhile"));
}

/* A version on trial is taken down; without one, the version that was live before is live again. */
void rollback_service(struct request *request)
{
    struct str service = request_string(request, "service");
    const struct pg_result *rows;
    audit_object(request, "service", service);
    if (store_failed(request, pg_query(request_arena(request), &sql_withdraw_canary,
                                       PG_ARGS(owner_of(request), pg_text(service), pg_text(label_of(request))), &rows)))
        return;
    if (pg_rows(rows)) {
        reply_live(request, service);
        return;
    }
    int64_t number =
        number_of(request, service, "superseded", BILINGUAL("没有更早的版本可退", "There is no earlier version to go back to"));
    if (number)
        go_live(request, service, number, "rolled back");
}

/* Its versions and their history stay; a new version may bring it back. */
void remove_service(struct request *request)
{
    struct str service = request_string(request, "service");
    const struct pg_result *rows;
    audit_object(request, "service", service);
    if (store_failed(request, pg_query(request_arena(request), &sql_remove_service,
                                       PG_ARGS(pg_text(service), pg_text(label_of(request))), &rows)))
        return;
    if (pg_rows(rows))
        reply_empty(request, 204);
    else
        reply_missing(request);
}

void promote_service(struct request *request)
{
    struct str service = request_string(request, "service");
    audit_object(request, "service", service);
    int64_t number = number_of(request, service, "canary", BILINGUAL("没有试行的版本", "No version is on trial"));
    if (number)
        go_live(request, service, number, "promoted");
}

void share_service(struct request *request)
{
    struct str service = request_string(request, "service");
    int64_t share = lround(json_as_double(json_get(request_body(request), "share")) * 100);
    const struct pg_result *rows;
    audit_object(request, "service", service);
    if (!number_of(request, service, "canary", BILINGUAL("没有试行的版本", "No version is on trial")))
        return;
    if (!store_failed(request,
                      pg_query(request_arena(request), &sql_change_share,
                               PG_ARGS(owner_of(request), pg_text(service), pg_integer(share), pg_text(label_of(request))),
                               &rows)))
        reply_row(request, 200, rows);
}

/* Callers are sent there. false after a reply. */
static bool successor_is_good(struct request *request, struct str service, struct str successor)
{
    const struct service *named = successor.at ? snapshot_service(request_snapshot(request), successor) : NULL;
    if (!successor.at || (named && !str_equal(named->slug, service)))
        return true;
    refuse_member(request, PROBLEM_VALIDATION, STR("/successor"),
                  BILINGUAL("须为目录中另一项服务", "must be another service of the catalogue"));
    return false;
}

void retire_service_version(struct request *request)
{
    struct str service = request_string(request, "service");
    const struct json *body = request_body(request);
    struct str successor = json_get_string(body, "successor", STR_NONE);
    const struct pg_result *rows;
    audit_object(request, "service", service);
    if (!successor_is_good(request, service, successor))
        return;
    if (!store_failed(request, pg_query(request_arena(request), &sql_retire_version,
                                        PG_ARGS(pg_text(department_of(request)), pg_text(service),
                                                pg_integer(request_integer(request, "number", 0)),
                                                pg_text(json_get_string(body, "sunset_at", STR_NONE)),
                                                pg_text(json_text(request_arena(request), json_get(body, "notice"))),
                                                pg_text(label_of(request)), pg_text(successor)),
                                        &rows))) {
        if (pg_rows(rows))
            reply_row(request, 200, rows);
        else if (number_of(request, service, "live", BILINGUAL("只有在用的版本可停用", "Only what is served can be retired")))
            reply_fault(request, PROBLEM_CONFLICT,
                        BILINGUAL("版本未在用，或停用时间已过", "This version is not served, or the time has passed"));
    }
}

void read_service_probe(struct request *request)
{
    const struct pg_result *rows;
    if (!store_failed(request,
                      pg_query(request_arena(request), &sql_read_probe,
                               PG_ARGS(pg_text(department_of(request)), pg_text(request_string(request, "service"))), &rows)))
        reply_row(request, 200, rows);
}
