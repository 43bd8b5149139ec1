/* One JSON line a request, by templates and hashes: no query, no token, no phone, no identity number. */
#include "edge/access_log.h"

#include "crypto/digest.h"
#include "http/request_internal.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <string.h>

enum { USER_HASH_BYTES = 8, USER_ID_MOST = 39, USERS = 2048, CELLS = 512 };

static struct metric *requests, *durations, *in_flight;
static struct hmac *user_key;

__attribute__((constructor)) static void register_metrics(void)
{
    requests =
        metric_register(METRIC_COUNTER, "http_requests_total", "method,route,code", "Requests by their route's template.");
    durations =
        metric_register(METRIC_HISTOGRAM, "http_request_duration_seconds", "route", "From the request's head to its reply.");
    in_flight = metric_register(METRIC_GAUGE, "http_requests_in_flight", "", "Requests that were begun and not yet answered.");
}

void access_log_open(const uint8_t *key)
{
    user_key = hmac_new(DIGEST_SHA256, (struct str){(const char *)key, DIGEST_SIZE});
}

void access_log_started(void)
{
    metric_add(metric_cell(in_flight, NULL, 0), 1);
}

static struct str route_of(const struct exchange *exchange)
{
    return exchange && exchange->route ? exchange->route->operation->path : STR("none");
}

/* The cells of a route and a status, found once a worker: the families' own look-up costs more than all else here. */
static void count(const struct request *request, const struct exchange *exchange, double duration)
{
    static _Thread_local struct {
        const struct route *route;
        unsigned status;
        struct metric_cell *requests, *durations;
    } cells[CELLS], *cell;
    const struct route *route = exchange ? exchange->route : NULL;
    cell = &cells[((route ? route->index : 0) * 7 + request->status) % CELLS];
    if (!cell->requests || cell->route != route || cell->status != request->status || !route) {
        char code[16];
        int length = snprintf(code, sizeof code, "%u", request->status);
        /* the operation's method: HEAD is its GET, as the cell is found by the route */
        struct str method = route ? str_of(method_name(route->operation->method)) : STR("other");
        const struct str values[] = {method, route_of(exchange), {code, (size_t)length}};
        cell->route = route;
        cell->status = request->status;
        cell->requests = metric_cell(requests, values, COUNT_OF(values));
        cell->durations = metric_cell(durations, &values[1], 1);
    }
    metric_add(cell->requests, 1);
    metric_observe(cell->durations, duration);
}

/* Of citizens who came lately. Not in the thread's own memory, which every thread has and which is taken from its stack. */
struct user {
    size_t length;
    char id[USER_ID_MOST];
    char hash[2 * USER_HASH_BYTES + 1];
};
static _Thread_local struct user *users;

/* The hash of a citizen, reckoned when another one was in this place of the table before. */
static const char *user_hash(struct arena *arena, struct str id)
{
    if (!users)
        users = memory_alloc(USERS * sizeof *users);
    struct user *user = &users[str_hash(id) % USERS];
    if (id.len != user->length || memcmp(user->id, id.at, id.len) != 0) {
        uint8_t hash[DIGEST_SIZE];
        hmac_sign(user_key, &id, 1, hash);
        memcpy(user->hash, hex_encode(arena, hash, USER_HASH_BYTES).at, sizeof user->hash);
        user->length = id.len <= USER_ID_MOST ? id.len : 0;
        memcpy(user->id, id.at, user->length);
    }
    return user->hash;
}

static void write_user(struct json_out *out, const struct request *request)
{
    if (request->citizen && user_key)
        json_field_c(out, "user.hash", user_hash(request->arena, request->citizen->id));
}

void access_log(const struct request *request, const struct exchange *exchange)
{
    int64_t took = clock_steady() - request->started;
    if (exchange) /* access_log_started counted it */
        metric_add(metric_cell(in_flight, NULL, 0), -1);
    count(request, exchange, (double)took / 1e6);
    struct text text = text_open(request->arena, 512);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "timestamp", time_rfc3339_micro(request->arena, clock_wall()));
    json_field_c(&out, "level", "info");
    json_field_c(&out, "service", "shimin");
    json_field_c(&out, "msg", "request");
    json_field_c(&out, "trace_id", request->trace.id);
    json_field_c(&out, "span_id", request->trace.span);
    json_field(&out, "http.request.method", request->method);
    json_field(&out, "http.route", route_of(exchange));
    json_field_i64(&out, "http.response.status_code", request->status);
    json_field_i64(&out, "http.response.body.size", (int64_t)request->bytes);
    json_key(&out, "duration_ms");
    json_put_double(&out, (double)took / 1000);
    if (request->upstream_time) {
        json_key(&out, "upstream_ms");
        json_put_double(&out, (double)request->upstream_time / 1000);
    }
    json_field(&out, "client.address", request->client_address);
    write_user(&out, request);
    if (exchange && exchange->service.len)
        json_field(&out, "service.slug", exchange->service);
    json_end_all(&out);
    text_add_char(&text, '\n');
    log_line(text_str(&text));
}
