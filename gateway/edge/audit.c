/* Audit records go to Postgres in batches, into the hash chain (schema/migrations), or to disk while it is away. */
#include "edge/audit.h"

#include "edge_queries.h"
#include "federation/batch.h"
#include "http/request_internal.h"

#include <shimin/clock.h>
#include <shimin/id.h>

static _Thread_local struct batch *batch;

void audit_open(const char *spool_directory)
{
    batch = batch_open(&(struct batch_settings){.name = "audit", .statement = &sql_append_audit, .spool_dir = spool_directory});
}

/* A public page that a guest reads is in the access log only. What is for staff or clients is recorded whoever tries it. */
static bool matters(const struct exchange *exchange)
{
    const struct request *request = exchange->request;
    if (!exchange->route)
        return false;
    enum http_method method = exchange->route->operation->method;
    bool theirs = exchange->route->roles || exchange->route->scopes;
    return request->citizen || theirs || (method != METHOD_GET && method != METHOD_HEAD);
}

/* Refusals of nobody in particular, so that a flood of them does not fill the audit: each worker writes the first of an address
 * and operation in a minute, and with the next one how many it left out. */
enum { REPEATS = 1024 }; /* a power of two */
#define REPEAT_TIME seconds(60)
static _Thread_local struct repeat {
    uint64_t key;
    int64_t began;
    uint64_t left_out;
} repeats[REPEATS];

/* Whether the record is written; *left_out says how many were not since the last one. Addresses that meet in one place of the
 * table share its minute: a flood from very many addresses is bounded by the table's size. */
static bool is_due(const struct exchange *exchange, uint64_t *left_out)
{
    const struct request *request = exchange->request;
    *left_out = 0;
    /* one that names an account or a client is written: the limits of logins bound those */
    if (request->citizen || request->actor || request->audit_object.len || request->status < 400 || request->status >= 500)
        return true;
    uint64_t key = str_hash(request->client_address) * 31 + str_hash(exchange->route->operation->id);
    struct repeat *repeat = &repeats[(key ^ key >> 32) & (REPEATS - 1)];
    if (repeat->began && clock_steady() - repeat->began < REPEAT_TIME) {
        repeat->left_out++;
        return false;
    }
    *left_out = repeat->left_out;
    *repeat = (struct repeat){.key = key, .began = clock_steady()};
    return true;
}

void audit_record(const struct exchange *exchange)
{
    const struct request *request = exchange->request;
    uint64_t left_out;
    if (!matters(exchange) || !is_due(exchange, &left_out))
        return;
    struct str object = request->audit_object.len ? request->audit_object : exchange->service;
    struct text text = text_open(request->arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "id", id_new(request->arena));
    json_field_i64(&out, "at", clock_wall());
    if (request->citizen) {
        json_field(&out, "actor", request->citizen->id);
        json_field(&out, "session", request->citizen->session_id);
    } else if (request->actor) {
        json_field(&out, "actor", actor_label(request->arena, request->actor));
        json_field(&out, "session", request->actor->session_id);
    }
    json_field(&out, "action", exchange->route->operation->id);
    if (object.len)
        json_field(&out, "object", object);
    if (request->audit_detail.len)
        json_field(&out, "detail", request->audit_detail);
    else if (left_out)
        json_field(&out, "detail", str_printf(request->arena, "and %llu more before it", (unsigned long long)left_out));
    json_field(&out, "address", request->client_address);
    json_field_i64(&out, "status", request->status);
    json_field_c(&out, "trace_id", request->trace.id);
    json_end_all(&out);
    batch_add(batch, text_str(&text));
}

void audit_close(void)
{
    batch_close(batch);
}
