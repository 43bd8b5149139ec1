/* Once a second the first worker looks which webhooks have something due, and starts a fiber for each: it claims one delivery
 * after the other, calls, and writes down what came of it. Other gateways do the same; a claim is one gateway's for LEASE. */
#include "federation/delivery.h"
#include "crypto/field.h"
#include "crypto/webhook_key.h"
#include "federation/settings.h"
#include "federation/webhook.h"
#include "federation_queries.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/pg.h>
#include <shimin/worker.h>
#include <string.h>

#define PERIOD seconds(1)
#define TICK_TIME seconds(10)
#define ATTEMPT_TIME seconds(15)
#define RUN_TIME seconds(60) /* a fiber begins no attempt after so long; the next look starts another */
#define RUN_LONGEST seconds(90)
#define LEASE_SECONDS 45 /* more than an attempt and its writing down can take */
#define ANSWER_KEPT 1024
#define LANES_AT_ONCE 64

/* Standard Webhooks: after the n-th failure, in seconds; none after the last. */
static const int64_t schedule[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
#define WAIT_LONGEST 86400 /* whatever Retry-After says */

/* A webhook that this gateway has met. They are few, and kept. */
struct lane {
    struct lane *next;
    char webhook[37];
    bool running;
    int64_t not_before; /* steady: by the rate that it allows */
};

struct claim {
    struct arena *arena;
    struct lane *lane;
    struct str delivery, event, document, department, url;
    int64_t attempt, rate;
    const struct json *keys;
};

struct ending {
    enum webhook_outcome outcome;
    struct str name; /* of the outcome, or of the fault */
    unsigned status;
    int64_t took;
    struct str answer;
    int64_t retry_after; /* seconds; 0: not said */
};

static struct lane *lanes; /* of the first worker */
static unsigned running;
static bool looking, stopping;
static struct timer timer;
static struct metric *deliveries;

__attribute__((constructor)) static void register_metrics(void)
{
    deliveries = metric_register(METRIC_COUNTER, "webhook_deliveries_total", "outcome",
                                 "Attempts to deliver an event to a department's webhook.");
}

static struct lane *lane_of(struct str webhook)
{
    struct lane *lane = lanes;
    while (lane && !str_is(webhook, lane->webhook))
        lane = lane->next;
    if (lane || webhook.len >= sizeof lane->webhook)
        return lane;
    lane = memory_alloc(sizeof *lane);
    memcpy(lane->webhook, webhook.at, webhook.len);
    lane->next = lanes;
    return lanes = lane;
}

/* ---- one attempt ---- */

/* All keys that are in force sign, the newest first: during a rotation a receiver finds the one that it knows. */
static struct str signatures(const struct claim *claim, int64_t timestamp)
{
    struct text text = text_open(claim->arena, 256);
    for (uint32_t i = 0; claim->keys && claim->keys->type == JSON_ARRAY && i < claim->keys->count; i++) {
        const struct json *key = &claim->keys->items[i];
        struct str hex = json_get_string(key, "secret", STR("")), id = json_get_string(key, "id", STR("")), secret;
        uint8_t *cipher = arena_alloc(claim->arena, hex.len / 2 + 1);
        enum webhook_scheme scheme;
        if (!webhook_scheme_named(json_get_string(key, "scheme", STR("")), &scheme) || !hex_decode(hex, cipher, hex.len / 2) ||
            !field_decrypt(claim->arena, federation_settings()->keyring, STR("webhook_key.secret"), id,
                           (struct str){(const char *)cipher, hex.len / 2}, &secret)) {
            log_error("the key %.*s of a webhook cannot be used", STR_ARG(id));
            continue;
        }
        if (text.len)
            text_add_char(&text, ' ');
        text_add(&text, webhook_sign(claim->arena, scheme, secret, claim->event, timestamp, claim->document));
    }
    return text_str(&text);
}

/* What may stand in the log of deliveries: at most a KiB, valid UTF-8 without control characters. */
static struct str excerpt(struct arena *arena, struct str body)
{
    size_t len = body.len < ANSWER_KEPT ? body.len : ANSWER_KEPT;
    while (len && len < body.len && ((unsigned char)body.at[len] & 0xc0) == 0x80)
        len--;
    struct str cut = str_slice(body, 0, len);
    bool utf8 = str_is_utf8(cut);
    char *copy = arena_copy(arena, cut.at ? cut.at : "", len);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)copy[i] < ' ' || copy[i] == 0x7f || (!utf8 && (unsigned char)copy[i] >= 0x80))
            copy[i] = copy[i] == '\n' ? '\n' : '?';
    return (struct str){copy, len};
}

static int64_t retry_after(const struct upstream_response *response)
{
    struct str value = str_trim(upstream_field(response, STR("retry-after")));
    int64_t given, wall;
    if (str_to_i64(value, &given))
        return given > 0 ? given : 0;
    if (!value.len || !time_parse_http_date(value, &wall))
        return 0;
    return wall > clock_wall() ? (wall - clock_wall()) / seconds(1) + 1 : 0;
}

static void attempt(const struct claim *claim, const struct webhook_target *target, struct ending *ending)
{
    struct arena *arena = claim->arena;
    int64_t timestamp = clock_wall() / seconds(1), began = clock_steady();
    struct str signature = signatures(claim, timestamp);
    const struct field fields[] = {
        {STR("content-type"), STR("application/cloudevents+json; charset=utf-8")},
        {STR("user-agent"), STR("shimin/" SHIMIN_VERSION)},
        {STR("webhook-id"), claim->event},
        {STR("webhook-timestamp"), str_printf(arena, "%lld", (long long)timestamp)},
        {STR("webhook-signature"), signature},
        {STR("webhook-request-origin"), webhook_origin()},
    };
    const struct webhook_call call = {
        .method = STR("POST"),
        .fields = fields,
        .field_count = COUNT_OF(fields),
        .body = claim->document,
        .deadline = deadline_in(ATTEMPT_TIME),
    };
    struct upstream_response response = {0};
    if (!signature.len) {
        *ending = (struct ending){.outcome = WEBHOOK_REFUSED, .name = STR("not_signed")};
        return;
    }
    ending->outcome = webhook_call(target, arena, &call, &response);
    ending->took = clock_steady() - began;
    bool answered = ending->outcome <= WEBHOOK_SLOW_DOWN;
    ending->status = answered ? response.status : 0;
    ending->name =
        str_of(answered || !response.fault ? webhook_outcome_name(ending->outcome) : upstream_fault_name(response.fault));
    ending->retry_after = answered ? retry_after(&response) : 0;
    if (ending->outcome != WEBHOOK_DELIVERED)
        ending->answer = answered ? excerpt(arena, response.body) : str_of(response.detail);
}

/* ---- what comes of it ---- */

/* Seconds until the next attempt, scattered upwards so that what failed together does not come again together; less than 0:
 * none. */
static double again_in(const struct claim *claim, const struct ending *ending)
{
    if (ending->outcome == WEBHOOK_DELIVERED || ending->outcome == WEBHOOK_GONE || claim->attempt > (int64_t)COUNT_OF(schedule))
        return -1;
    int64_t wait = schedule[claim->attempt > 0 ? claim->attempt - 1 : 0];
    if (ending->retry_after > wait)
        wait = ending->retry_after < WAIT_LONGEST ? ending->retry_after : WAIT_LONGEST;
    uint32_t spread;
    random_bytes(&spread, sizeof spread);
    return (double)wait * (1 + 0.1 * spread / UINT32_MAX);
}

static void write_down(const struct claim *claim, const struct ending *ending)
{
    double again = again_in(claim, ending);
    int64_t delivery;
    metric_count(deliveries, ending->name);
    if (!str_to_i64(claim->delivery, &delivery))
        return;
    /* when this fails the lease ends, and the event is delivered again: at least once */
    if (pg_query(claim->arena, &sql_delivery_ended,
                 PG_ARGS(pg_integer(delivery), pg_integer(claim->attempt), pg_text(ending->name),
                         ending->status ? pg_integer(ending->status) : pg_null(), pg_integer(ending->took / 1000),
                         pg_text(ending->answer.len ? ending->answer : STR_NONE), again < 0 ? pg_null() : pg_double(again),
                         pg_boolean(ending->outcome == WEBHOOK_GONE)),
                 NULL) != PG_OK)
        log_warning("the end of a delivery could not be written down; it will be tried again");
    if (claim->rate > 0)
        claim->lane->not_before = deadline_in(seconds(60) / claim->rate);
}

/* ---- a webhook's fiber ---- */

static bool claim_next(struct claim *claim)
{
    const struct pg_result *rows;
    if (pg_query(claim->arena, &sql_delivery_claim, PG_ARGS(pg_text(str_of(claim->lane->webhook)), pg_integer(LEASE_SECONDS)),
                 &rows) != PG_OK ||
        !pg_rows(rows))
        return false;
    struct json_error error;
    claim->delivery = pg_str(rows, 0, 0);
    claim->attempt = pg_int(rows, 0, 1);
    claim->event = pg_str(rows, 0, 2);
    claim->document = pg_str(rows, 0, 3);
    claim->department = pg_str(rows, 0, 4);
    claim->url = pg_str(rows, 0, 5);
    claim->rate = pg_is_null(rows, 0, 6) ? 0 : pg_int(rows, 0, 6);
    claim->keys = pg_is_null(rows, 0, 7) ? NULL : json_parse(claim->arena, pg_str(rows, 0, 7), &json_limits_document, &error);
    return true;
}

static bool deliver_next(struct lane *lane)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct claim claim = {.arena = arena, .lane = lane};
    struct webhook_target target;
    struct ending ending = {.outcome = WEBHOOK_CONNECT_FAILED, .name = STR("address_forbidden")};
    if (!claim_next(&claim))
        return false;
    if (webhook_open(arena, claim.department, claim.url, &target)) {
        attempt(&claim, &target, &ending);
        webhook_close(&target);
    }
    if (ending.outcome == WEBHOOK_CANCELLED)
        return false; /* the lease ends, and another gateway delivers */
    write_down(&claim, &ending);
    return true;
}

static void run_lane(void *argument)
{
    struct lane *lane = argument;
    int64_t end = deadline_in(RUN_TIME);
    while (!stopping && clock_steady() < end && clock_steady() >= lane->not_before && deliver_next(lane))
        ;
    lane->running = false;
    running--;
}

/* ---- the look ---- */

static void look(void *argument)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *rows;
    (void)argument;
    if (pg_query(arena, &sql_tell_windows, PG_NO_ARGS, NULL) == PG_OK &&
        pg_query(arena, &sql_due_webhooks, PG_NO_ARGS, &rows) == PG_OK) {
        for (size_t row = 0; row < pg_rows(rows) && running < LANES_AT_ONCE && !stopping; row++) {
            struct lane *lane = lane_of(pg_str(rows, row, 0));
            if (!lane || lane->running || clock_steady() < lane->not_before)
                continue;
            lane->running = true;
            running++;
            fiber_start(run_lane, lane, deadline_in(RUN_LONGEST));
        }
    }
    looking = false;
}

static void on_timer(struct timer *at)
{
    if (!looking && pg_is_up()) {
        looking = true;
        fiber_start(look, NULL, deadline_in(TICK_TIME));
    }
    timer_set(at, deadline_in(PERIOD), on_timer);
}

void deliveries_open(void)
{
    if (worker_index() == 0)
        timer_set(&timer, deadline_in(PERIOD), on_timer);
}

void deliveries_close(void)
{
    if (worker_index() != 0)
        return;
    stopping = true;
    timer_clear(&timer);
}
