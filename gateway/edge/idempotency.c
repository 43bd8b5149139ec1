/* Keys and first answers in Postgres, by principal, method and route. */
#include "edge/idempotency.h"

#include "crypto/digest.h"
#include "crypto/field.h"
#include "edge_queries.h"
#include "http/request_internal.h"
#include "identity/identity.h"

#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/pg.h>

/* A claim may be taken over so long after its request must have ended; by then what is to be kept under it is kept or given up.
 */
enum {
    KEY_MOST = 255,
    RETRY_SECONDS = 2,
    TAKEOVER_SECONDS = 90,
    TAKEOVER_MOST = 3600,
    SETTLE_SECONDS = 60,
    SETTLE_RETRY_MS = 500
};

static struct metric *replays;

__attribute__((constructor)) static void register_metrics(void)
{
    replays = metric_register(METRIC_COUNTER, "idempotency_replays_total", "",
                              "First answers given again to a repeated Idempotency-Key.");
}

/* A structured-field String, or the bare token that older clients send (standards: accept both). */
struct str idempotency_key_read(struct str field)
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
    struct request *request = exchange->request;
    if (request->actor)
        return actor_label(request->arena, request->actor);
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

/* Answers hold personal data, and of a login the token: they lie encrypted, bound to their key. */
static struct str row_of(const struct exchange *exchange)
{
    return str_printf(request_arena(exchange->request), "%.*s %.*s %.*s %.*s", STR_ARG(principal(exchange)),
                      STR_ARG(request_method(exchange->request)), STR_ARG(exchange->route->operation->path),
                      STR_ARG(exchange->idempotency_key));
}

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
    struct arena *arena = request_arena(request);
    const char *type = pg_is_null(row, 0, 3) ? NULL : str_to_c(arena, pg_str(row, 0, 3));
    struct str body;
    if (type && !field_decrypt(arena, identity_settings()->keyring, STR("idempotency_key.body"), row_of(exchange),
                               pg_bin(arena, row, 0, 4), &body)) {
        log_error("a kept answer cannot be decrypted: is its key missing from the key file?");
        return fail(exchange, PROBLEM_INTERNAL, (struct bilingual){0}, 0);
    }
    metric_add(metric_cell(replays, NULL, 0), 1);
    if (type)
        reply_bytes(request, (unsigned)pg_int(row, 0, 2), type, body);
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
    exchange->idempotency_key = idempotency_key_read(field);
    if (!exchange->idempotency_key.at)
        return fail(exchange, PROBLEM_IDEMPOTENCY_KEY_MISSING,
                    BILINGUAL("请带 Idempotency-Key：1 到 255 个可见字符，如一个 UUID",
                              "Send Idempotency-Key: 1 to 255 visible characters, such as a UUID"),
                    0);
    struct str print = fingerprint(exchange);
    const struct pg_result *row;
    int64_t takeover = (fiber_deadline() - clock_steady()) / seconds(1) + TAKEOVER_SECONDS;
    if (takeover > TAKEOVER_MOST)
        takeover = TAKEOVER_MOST;
    fiber_shield(); /* who left now would leave a claim behind, and nobody to work on it */
    enum pg_status status = pg_query(request_arena(request), &sql_claim_key,
                                     PG_ARGS(KEY_OF(exchange), pg_bytes(print), pg_integer(takeover)), &row);
    fiber_unshield();
    if (status != PG_OK)
        return fail_store(exchange);
    if (!pg_rows(row))
        return answer_second(exchange, print);
    exchange->claimed_at = pg_int(row, 0, 0);
    return true;
}

/* What is to be written about a claimed key. It has an arena of its own, as it may outlive the request. */
struct settlement {
    struct arena *arena;
    const struct pg_statement *statement;
    struct pg_value values[9];
    size_t count;
};

static bool settle(const struct settlement *settlement)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    enum pg_status status = pg_query(scratch, settlement->statement, settlement->values, settlement->count, NULL);
    return status == PG_OK || status == PG_CONFLICT || status == PG_REFUSED;
}

static void settle_later(void *argument)
{
    struct settlement *settlement = argument;
    bool settled = false;
    while (!settled && fiber_sleep(milliseconds(SETTLE_RETRY_MS)) == WAIT_DONE)
        settled = settle(settlement);
    if (!settled)
        log_error("an answer could not be kept under its Idempotency-Key");
    arena_close(settlement->arena);
}

static struct settlement *settlement_of(const struct exchange *exchange)
{
    struct arena *arena = arena_open();
    struct settlement *settlement = arena_new(arena, struct settlement);
    *settlement = (struct settlement){.arena = arena, .statement = &sql_free_key, .count = 5};
    const struct str names[] = {principal(exchange), request_method(exchange->request), exchange->route->operation->path,
                                exchange->idempotency_key};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        settlement->values[i] = pg_text(str_copy(arena, names[i]));
    settlement->values[4] = pg_integer(exchange->claimed_at);
    return settlement;
}

static void keep_answer(const struct exchange *exchange, struct settlement *settlement)
{
    struct reply *reply = &exchange->request->reply;
    struct str location = STR_NONE, sealed = STR_NONE;
    if (reply->kind == REPLY_JSON)
        json_end_all(&reply->json);
    if (reply->type)
        sealed = field_encrypt(settlement->arena, identity_settings()->keyring, STR("idempotency_key.body"), row_of(exchange),
                               reply->kind == REPLY_JSON ? text_str(&reply->text) : reply->body);
    for (unsigned i = 0; i < reply->field_count; i++)
        if (str_is(reply->fields[i].name, "location"))
            location = str_copy(settlement->arena, reply->fields[i].value);
    settlement->statement = &sql_keep_answer;
    settlement->values[5] = pg_integer(reply->status);
    settlement->values[6] = pg_text(str_of(reply->type));
    settlement->values[7] = pg_text(location);
    settlement->values[8] = pg_bytes(sealed);
    settlement->count = 9;
}

/* Answers that say nothing of the request itself. */
static bool may_try_again(const struct reply *reply)
{
    return reply->kind == REPLY_NONE || reply->status >= 500 || reply->status == problem_status(PROBLEM_TOO_MANY_REQUESTS);
}

void idempotency_end(struct exchange *exchange)
{
    const struct reply *reply = &exchange->request->reply;
    if (!exchange->idempotency_key.at || reply->kind == REPLY_STREAM)
        return;
    struct settlement *settlement = settlement_of(exchange);
    if (!may_try_again(reply))
        keep_answer(exchange, settlement);
    fiber_shield();
    bool settled = settle(settlement);
    fiber_unshield();
    /* The answer goes to the citizen all the same. Were it not kept, the write would run a second time when the claim is taken
     * over. */
    if (settled)
        arena_close(settlement->arena);
    else
        fiber_start(settle_later, settlement, deadline_in(seconds(SETTLE_SECONDS)));
}
