/* Webhooks: the endpoints of a department, and their keys. */
#include "handlers.h"
#include "webhooks_queries.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/webhook.h>

MODULE_CONTRACT(webhooks);

enum { ENDPOINTS_MOST = 20, STORE_RETRY_SECONDS = 2, OVERLAP_HOURS = 24 };

/* ---- what all share ---- */

void webhook_reply_absent(struct request *request)
{
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个回调", "There is no such webhook"));
}

void webhook_reply_unavailable(struct request *request)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = STORE_RETRY_SECONDS;
    reply_problem(request, problem);
}

void webhook_reply_bad(struct request *request, struct str pointer, struct bilingual why)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_VALIDATION, (struct bilingual){0});
    struct problem_error *error = arena_new(request_arena(request), struct problem_error);
    *error = (struct problem_error){.pointer = pointer, .detail = why};
    problem->errors = error;
    problem->error_count = 1;
    reply_problem(request, problem);
}

bool webhook_id_of(struct request *request, struct str *id)
{
    *id = request_string(request, "id");
    if (id_is_uuid(*id))
        return true;
    webhook_reply_absent(request);
    return false;
}

void webhook_audit(struct request *request, struct str id, struct str detail)
{
    request_audit(request, str_printf(request_arena(request), "webhook:%.*s", STR_ARG(id)), detail);
}

/* ---- reading ---- */

static void reply_text(struct request *request, enum pg_status status, const struct pg_result *rows)
{
    if (status != PG_OK)
        webhook_reply_unavailable(request);
    else
        reply_bytes(request, 200, "application/json", pg_str(rows, 0, 0));
}

void list_event_types(struct request *request)
{
    const struct pg_result *rows;
    enum pg_status status = pg_query(request_arena(request), &sql_list_types, PG_NO_ARGS, &rows);
    reply_text(request, status, rows);
}

void list_webhooks(struct request *request)
{
    const struct pg_result *rows;
    enum pg_status status =
        pg_query(request_arena(request), &sql_list_webhooks, PG_ARGS(pg_text(request_actor(request)->department)), &rows);
    reply_text(request, status, rows);
}

void list_all_webhooks(struct request *request)
{
    const struct pg_result *rows;
    enum pg_status status =
        pg_query(request_arena(request), &sql_list_webhooks, PG_ARGS(pg_text(request_string(request, "department"))), &rows);
    reply_text(request, status, rows);
}

/* The webhook as it is, of the actor's department; NULL after a reply. */
static const struct pg_result *find(struct request *request, struct str id)
{
    const struct pg_result *rows;
    if (pg_query(request_arena(request), &sql_read_webhook, PG_ARGS(pg_text(id), pg_text(request_actor(request)->department)),
                 &rows) != PG_OK) {
        webhook_reply_unavailable(request);
        return NULL;
    }
    if (pg_rows(rows))
        return rows;
    webhook_reply_absent(request);
    return NULL;
}

static void reply_webhook(struct request *request, struct str id)
{
    const struct pg_result *rows = find(request, id);
    if (!rows)
        return;
    reply_etag(request, pg_str(rows, 0, 1));
    reply_bytes(request, 200, "application/json", pg_str(rows, 0, 0));
}

void read_webhook(struct request *request)
{
    struct str id;
    if (webhook_id_of(request, &id))
        reply_webhook(request, id);
}

/* ---- writing ---- */

/* false after a reply: a type that is none, or no database. */
static bool check_types(struct request *request, const struct json *types)
{
    const struct pg_result *rows;
    struct arena *arena = request_arena(request);
    if (!types)
        return true;
    if (pg_query(arena, &sql_unknown_types, PG_ARGS(pg_text(json_text(arena, types))), &rows) != PG_OK) {
        webhook_reply_unavailable(request);
        return false;
    }
    if (!pg_rows(rows))
        return true;
    webhook_reply_bad(request, STR("/types"),
                      BILINGUAL("含有未知的事件类型，见 GET /department/v1/webhooks/types",
                                "holds a type of event that there is not: see GET /department/v1/webhooks/types"));
    return false;
}

static bool ask(struct request *request, struct str url, struct webhook_consent *consent)
{
    const struct problem *problem = webhook_ask(request_arena(request), request_actor(request)->department, url, consent);
    if (problem)
        reply_problem(request, problem);
    return !problem;
}

static struct pg_value rate_value(const struct webhook_consent *consent)
{
    return consent->rate ? pg_integer(consent->rate) : pg_null();
}

static void reply_made(struct request *request, struct str id, const struct webhook_key_made *key)
{
    struct arena *arena = request_arena(request);
    const struct pg_result *rows = find(request, id);
    if (!rows)
        return;
    struct json_out *out = reply_json(request, 201);
    json_object(out);
    json_key(out, "webhook");
    json_put_raw(out, pg_str(rows, 0, 0));
    json_field(out, "secret", key->shown);
    reply_etag(request, pg_str(rows, 0, 1));
    reply_header(request, "location", str_printf(arena, "/department/v1/webhooks/%.*s", STR_ARG(id)));
}

void add_webhook(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request), *types = json_get(body, "types");
    const struct actor *actor = request_actor(request);
    struct str url = json_get_string(body, "url", STR(""));
    struct webhook_consent consent;
    if (!check_types(request, types) || !ask(request, url, &consent))
        return;
    struct webhook_key_made key = webhook_key_make(arena, STR("v1"));
    const struct pg_result *rows;
    if (pg_query(arena, &sql_add_webhook,
                 PG_ARGS(pg_text(actor->department), pg_text(url), pg_text(json_get_string(body, "description", STR(""))),
                         pg_text(json_text(arena, types)), pg_boolean(consent.agreed), rate_value(&consent),
                         pg_text(actor_label(arena, actor)), pg_text(key.id), pg_bytes(key.cipher), pg_integer(ENDPOINTS_MOST)),
                 &rows) != PG_OK) {
        webhook_reply_unavailable(request);
    } else if (!pg_rows(rows)) {
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("每个部门至多二十个回调", "A department may have twenty webhooks at most"));
    } else {
        webhook_audit(request, pg_str(rows, 0, 0), STR(""));
        reply_made(request, pg_str(rows, 0, 0), &key);
    }
}

void change_webhook(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request), *types = json_get(body, "types");
    struct str id, state = json_get_string(body, "state", STR_NONE), url = json_get_string(body, "url", STR_NONE);
    int64_t version;
    if (!webhook_id_of(request, &id) || !request_if_match(request, &version) || !check_types(request, types))
        return;
    const struct pg_result *rows = find(request, id);
    if (!rows)
        return;
    webhook_audit(request, id, STR(""));
    struct webhook_consent consent = {0};
    if (!url.at && str_is(state, "active"))
        url = pg_str(rows, 0, 2); /* what was retired or paused is asked again before it gets anything */
    if (url.at && !ask(request, url, &consent))
        return;
    if (pg_query(arena, &sql_change_webhook,
                 PG_ARGS(pg_text(id), pg_text(request_actor(request)->department), pg_integer(version), pg_text(url),
                         pg_boolean(consent.agreed), rate_value(&consent),
                         pg_text(json_get_string(body, "description", STR_NONE)),
                         pg_text(types ? json_text(arena, types) : STR_NONE), pg_text(state)),
                 &rows) != PG_OK)
        webhook_reply_unavailable(request);
    else if (!pg_rows(rows))
        reply_fault(request, PROBLEM_PRECONDITION_FAILED, (struct bilingual){0});
    else
        reply_webhook(request, id);
}

void remove_webhook(struct request *request)
{
    struct str id;
    int64_t version;
    if (!webhook_id_of(request, &id) || !request_if_match(request, &version))
        return;
    const struct pg_result *rows = find(request, id);
    if (!rows)
        return;
    webhook_audit(request, id, STR(""));
    if (pg_query(request_arena(request), &sql_remove_webhook,
                 PG_ARGS(pg_text(id), pg_text(request_actor(request)->department), pg_integer(version)), &rows) != PG_OK)
        webhook_reply_unavailable(request);
    else if (pg_is_null(rows, 0, 0))
        reply_fault(request, PROBLEM_PRECONDITION_FAILED, (struct bilingual){0});
    else
        reply_empty(request, 204);
}

void rotate_key(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str id, scheme = json_get_string(request_body(request), "scheme", STR("v1"));
    if (!webhook_id_of(request, &id) || !find(request, id))
        return;
    webhook_audit(request, id, scheme);
    struct webhook_key_made key = webhook_key_make(arena, scheme);
    bool is_public = str_is(scheme, "v1a");
    int64_t overlap = json_get_integer(request_body(request), "overlap_hours", OVERLAP_HOURS) * 3600;
    CLEANUP(pg_rollback) struct pg_transaction *tx = NULL;
    if (pg_begin(arena, &tx) != PG_OK ||
        pg_in(tx, &sql_end_keys, PG_ARGS(pg_text(id), pg_text(scheme), pg_double((double)overlap)), NULL) != PG_OK ||
        pg_in(tx, &sql_add_key,
              PG_ARGS(pg_text(key.id), pg_text(id), pg_text(scheme), pg_bytes(key.cipher),
                      pg_text(is_public ? key.shown : STR_NONE), pg_text(actor_label(arena, request_actor(request)))),
              NULL) != PG_OK ||
        pg_commit(&tx) != PG_OK) {
        webhook_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 201);
    json_object(out);
    json_field(out, "id", key.id);
    json_field(out, "scheme", scheme);
    json_field(out, is_public ? "public_key" : "secret", key.shown);
    reply_header(request, "location", str_printf(arena, "/department/v1/webhooks/%.*s", STR_ARG(id)));
}

const struct module webhooks_module = {
    .name = "webhooks",
    .contract = webhooks_contract,
    .contract_size = &webhooks_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"listEventTypes", list_event_types},
            {"listWebhooks", list_webhooks},
            {"listAllWebhooks", list_all_webhooks},
            {"addWebhook", add_webhook},
            {"readWebhook", read_webhook},
            {"changeWebhook", change_webhook},
            {"removeWebhook", remove_webhook},
            {"rotateWebhookKey", rotate_key},
            {"sendTestEvent", send_test},
            {"listDeliveries", list_deliveries},
            {"replayDelivery", replay_delivery},
            {"replayEvents", replay_events},
            {0},
        },
};
