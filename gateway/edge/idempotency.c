/* Keys and first answers in Postgres, by principal, method and route. */
#include "edge/idempotency.h"

#include "crypto/digest.h"
#include "edge_queries.h"
#include "http/request_internal.h"

#include <shimin/metrics.h>
#include <shimin/pg.h>

enum { KEY_MOST = 255, RETRY_SECONDS = 2 };

static struct metric *replays;

__attribute__((constructor)) static void register_metrics(void)
{
    replays = metric_register(METRIC_COUNTER, "idempotency_replays_total", "",
                              "First answers given again to a repeated Idempotency-Key.");
}

/* A structured-field String, or the bare token that older clients send (standards: accept both). */
static struct str read_key(struct str field)
{
    struct str key = str_trim(field);
    if (key.len >= 2 && key.at[0] == '"' && key.at[key.len - 1] == '"')
        key = str_slice(key, 1, key.len - 1);
    bool good = key.len > 0 && key.len <= KEY_MOST;
    for (size_t i = 0; good && i < key.len; i++)
        good = key.at[i] > 0x20 && key.at[i] < 0x7f && key.at[i] != '"' && key.at[i] != '\\';
    return good ? key : STR_NONE;
}

/* Guests are told apart by address. */
static struct str principal(const struct exchange *exchange)
{
    const struct request *request = exchange->request;
    return request->citizen ? request->citizen->id : request_client_address(request);
}

/* What makes it the same request: where it went and what it said. */
static struct str fingerprint(struct exchange *exchange)
{
    struct request *request = exchange->request;
    struct arena *arena = request_arena(request);
    struct str body = request_raw_body(request);
    struct text all = text_open(arena, body.len + 256);
    text_add(&all, request_path(request));
    text_add_char(&all, '\n');
    text_add(&all, request_query(request));
    text_add_char(&all, '\n');
    text_add(&all, body);
    unsigned char *digest = arena_alloc(arena, DIGEST_SIZE);
    digest_sha256(text_str(&all), digest);
    return (struct str){(const char *)digest, DIGEST_SIZE};
}

#define KEY_OF(exchange)                                                                                                       \
    pg_text(principal(exchange)), pg_text(request_method((exchange)->request)), pg_text((exchange)->route->operation->path),   \
        pg_text((exchange)->idempotency_key)

static bool fail(struct exchange *exchange, enum problem_type type, struct bilingual detail, int64_t retry_after)
{
    struct problem *problem = problem_new(request_arena(exchange->request), type, detail);
    problem->retry_after = retry_after;
    reply_problem(exchange->request, problem);
    exchange->idempotency_key = STR_NONE;
    return false;
}

static bool fail_store(struct exchange *exchange)
{
    return fail(exchange, PROBLEM_STORE_UNAVAILABLE,
                BILINGUAL("暂时无法受理，请用同一 Idempotency-Key 再试",
                          "It cannot be taken now; try again with the same Idempotency-Key"),
                RETRY_SECONDS);
}

static bool replay(struct exchange *exchange, const struct pg_result *row)
{
    struct request *request = exchange->request;
    const char *type = pg_is_null(row, 0, 3) ? NULL : str_to_c(request_arena(request), pg_str(row, 0, 3));
    metric_add(metric_cell(replays, NULL, 0), 1);
    if (type)
        reply_bytes(request, (unsigned)pg_int(row, 0, 2), type, pg_bin(request_arena(request), row, 0, 4));
    else
        reply_empty(request, (unsigned)pg_int(row, 0, 2));
    reply_header(request, "idempotency-replayed", STR("true"));
    if (!pg_is_null(row, 0, 5))
        reply_header(request, "location", pg_str(row, 0, 5));
    exchange->idempotency_key = STR_NONE;
    return false;
}

static bool answer_second(struct exchange *exchange, struct str print)
{
    const struct pg_result *row;
    if (pg_query(request_arena(exchange->request), &sql_read_key, PG_ARGS(KEY_OF(exchange), pg_bytes(print)), &row) != PG_OK)
        return fail_store(exchange);
    if (!pg_rows(row) || str_is(pg_str(row, 0, 0), "running"))
        return fail(exchange, PROBLEM_IN_PROGRESS,
                    BILINGUAL("同一请求正在办理，请稍后再试", "The same request is under way; try again unchanged in a moment"),
                    RETRY_SECONDS);
    if (!pg_bool(row, 0, 1))
        return fail(exchange, PROBLEM_KEY_REUSED,
                    BILINGUAL("此 Idempotency-Key 已用于另一请求", "This Idempotency-Key was used for another request"), 0);
    return replay(exchange, row);
}

bool idempotency_begin(struct exchange *exchange)
{
    struct request *request = exchange->request;
    struct str field = request_header(request, "idempotency-key");
    enum idempotency wanted = exchange->route->idempotency;
    if (wanted == IDEMPOTENCY_NONE || (wanted == IDEMPOTENCY_OPTIONAL && !field.at))
        return true;
    exchange->idempotency_key = read_key(field);
    if (!exchange->idempotency_key.at)
        return fail(exchange, PROBLEM_IDEMPOTENCY_KEY_MISSING,
                    BILINGUAL("请带 Idempotency-Key：1 到 255 个可见字符，如一个 UUID",
                              "Send Idempotency-Key: 1 to 255 visible characters, such as a UUID"),
                    0);
    struct str print = fingerprint(exchange);
    const struct pg_result *row;
    if (pg_query(request_arena(request), &sql_claim_key, PG_ARGS(KEY_OF(exchange), pg_bytes(print)), &row) != PG_OK)
        return fail_store(exchange);
    return pg_rows(row) == 1 || answer_second(exchange, print);
}

void idempotency_end(struct exchange *exchange)
{
    struct request *request = exchange->request;
    struct reply *reply = &request->reply;
    if (!exchange->idempotency_key.at || reply->kind == REPLY_STREAM)
        return;
    enum pg_status status;
    fiber_shield();
    if (reply->kind == REPLY_NONE || reply->status >= 500) {
        status = pg_query(request_arena(request), &sql_free_key, PG_ARGS(KEY_OF(exchange)), NULL);
    } else {
        if (reply->kind == REPLY_JSON)
            json_end_all(&reply->json);
        struct str body = reply->kind == REPLY_JSON ? text_str(&reply->text) : reply->body;
        struct str location = STR_NONE;
        for (unsigned i = 0; i < reply->field_count; i++)
            if (str_is(reply->fields[i].name, "location"))
                location = reply->fields[i].value;
        status = pg_query(request_arena(request), &sql_keep_answer,
                          PG_ARGS(KEY_OF(exchange), pg_integer(reply->status), pg_text(str_of(reply->type)), pg_text(location),
                                  pg_bytes(body)),
                          NULL);
    }
    fiber_unshield();
    /* an answer that could not be kept still goes to the citizen; its key stays claimed for a minute */
    (void)status;
}
