/* Calls of webhooks, and the handshake before the first. */
#include "federation/webhook.h"
#include "crypto/field.h"
#include "crypto/webhook_key.h"
#include "federation/backend.h"
#include "federation/plan.h"
#include "federation/settings.h"
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/webhook.h>

#define CONNECT_TIME seconds(5)
#define HANDSHAKE_TIME seconds(10)
#define ANSWER_BYTES (64u << 10)

static const char *const outcome_names[WEBHOOK_OUTCOMES] = {
    [WEBHOOK_DELIVERED] = "delivered", [WEBHOOK_REDIRECT] = "redirect",   [WEBHOOK_REFUSED] = "refused",
    [WEBHOOK_GONE] = "gone",           [WEBHOOK_SLOW_DOWN] = "slow_down", [WEBHOOK_CONNECT_FAILED] = "connect_failed",
    [WEBHOOK_TIMEOUT] = "timeout",     [WEBHOOK_RESET] = "reset",         [WEBHOOK_GARBAGE] = "garbage",
    [WEBHOOK_TOO_LARGE] = "too_large", [WEBHOOK_CANCELLED] = "cancelled",
};

static const enum webhook_outcome of_upstream[] = {
    [UPSTREAM_OK] = WEBHOOK_DELIVERED,        [UPSTREAM_CONNECT_FAILED] = WEBHOOK_CONNECT_FAILED,
    [UPSTREAM_TIMEOUT] = WEBHOOK_TIMEOUT,     [UPSTREAM_RESET] = WEBHOOK_RESET,
    [UPSTREAM_STALE] = WEBHOOK_RESET,         [UPSTREAM_GARBAGE] = WEBHOOK_GARBAGE,
    [UPSTREAM_TOO_LARGE] = WEBHOOK_TOO_LARGE, [UPSTREAM_FULL] = WEBHOOK_TOO_LARGE,
    [UPSTREAM_CANCELLED] = WEBHOOK_CANCELLED,
};

const char *webhook_outcome_name(enum webhook_outcome outcome)
{
    return outcome_names[outcome];
}

struct str webhook_origin(void)
{
    struct address address;
    const char *url = federation_settings()->url;
    return url && address_parse(str_of(url), &address) ? address.host : STR("localhost");
}

/* What goes into the request line: no fragment, and nothing that would end it. A query is the department's business. */
static bool split(struct str url, struct address *address, struct str *path)
{
    ptrdiff_t query = str_find(url, STR("?"));
    struct str before = query < 0 ? url : str_slice(url, 0, (size_t)query);
    if (!str_starts(url, STR("https://")) || !address_parse(before, address))
        return false;
    for (size_t i = before.len; i < url.len; i++)
        if ((unsigned char)url.at[i] <= ' ' || (unsigned char)url.at[i] >= 0x7f || url.at[i] == '#')
            return false;
    struct str rest = str_slice(url, sizeof "https://" - 1, url.len);
    ptrdiff_t slash = str_find(rest, STR("/"));
    *path = slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len);
    return slash >= 0 || query < 0; /* "https://host?query" has no path */
}

/* At each connection, of the very address that is connected to. */
static const char *refusal(const struct sockaddr *address, void *reach)
{
    return reach_refusal(reach, address);
}

bool webhook_open(struct arena *arena, struct str department, struct str url, struct webhook_target *target)
{
    struct address address;
    if (!split(url, &address, &target->path))
        return false;
    target->path = str_copy(arena, target->path);
    const struct upstream_settings settings = {
        .host = address.host,
        .port = address.port,
        .tls = true,
        .ca_file = federation_settings()->ca_file,
        .refusal = refusal,
        .argument = (void *)backend_reach(department),
    };
    target->upstream = upstream_open(&settings);
    return target->upstream != NULL;
}

void webhook_close(struct webhook_target *target)
{
    upstream_close(target->upstream);
    target->upstream = NULL;
}

static enum webhook_outcome of_status(unsigned status)
{
    return status == 410                    ? WEBHOOK_GONE
           : status == 429                  ? WEBHOOK_SLOW_DOWN
           : status >= 200 && status <= 299 ? WEBHOOK_DELIVERED
           : status >= 300 && status <= 399 ? WEBHOOK_REDIRECT
                                            : WEBHOOK_REFUSED;
}

enum webhook_outcome webhook_call(const struct webhook_target *target, struct arena *arena, const struct webhook_call *call,
                                  struct upstream_response *response)
{
    int64_t connect = deadline_in(CONNECT_TIME);
    const struct upstream_request request = {
        .method = call->method,
        .target = target->path,
        .fields = call->fields,
        .field_count = call->field_count,
        .body = call->body,
        .most = ANSWER_BYTES,
        .connect_deadline = connect < call->deadline ? connect : call->deadline,
        .deadline = call->deadline,
        .fresh = true,
    };
    *response = (struct upstream_response){0};
    enum upstream_status status = upstream_call(target->upstream, &request, arena, response);
    /* a body that is too large takes nothing back from what its head says */
    bool answered = status == UPSTREAM_OK || (status == UPSTREAM_TOO_LARGE && response->status);
    return answered ? of_status(response->status) : of_upstream[status];
}

/* ---- for the module ---- */

struct webhook_key_made webhook_key_make(struct arena *arena, struct str scheme_name)
{
    enum webhook_scheme scheme = WEBHOOK_V1;
    if (!webhook_scheme_named(scheme_name, &scheme))
        fatal("there is no scheme %.*s of webhooks", STR_ARG(scheme_name));
    struct str secret = webhook_key_new(arena), id = id_new(arena);
    return (struct webhook_key_made){
        .id = id,
        .shown = webhook_key_text(arena, scheme, secret),
        .cipher = field_encrypt(arena, federation_settings()->keyring, STR("webhook_key.secret"), id, secret),
    };
}

static const struct problem *unfit(struct arena *arena, struct bilingual why)
{
    struct problem *problem =
        problem_new(arena, PROBLEM_VALIDATION, BILINGUAL("该地址不能用作回调", "The address cannot be used for webhooks"));
    struct problem_error *error = arena_new(arena, struct problem_error);
    *error = (struct problem_error){.pointer = STR("/url"), .detail = why};
    problem->errors = error;
    problem->error_count = 1;
    return problem;
}

static const struct problem *no_answer(struct arena *arena, const struct upstream_response *response)
{
    static const struct bilingual reasons[UPSTREAM_FAULTS] = {
        [UPSTREAM_FAULT_NAME] = {STR("域名无法解析"), STR("the name does not resolve")},
        [UPSTREAM_FAULT_ADDRESS] = {STR("域名指向不允许的地址"), STR("the name leads to an address that is not allowed")},
        [UPSTREAM_FAULT_CONNECT] = {STR("拒绝连接或不可达"), STR("the connection is refused, or there is no way there")},
        [UPSTREAM_FAULT_CERTIFICATE] = {STR("证书不受信任、已过期或与域名不符"),
                                        STR("the certificate is not trusted, has expired, or is for another name")},
        [UPSTREAM_FAULT_TLS] = {STR("TLS 握手失败"), STR("the TLS handshake fails")},
        [UPSTREAM_FAULT_LATE_CONNECT] = {STR("五秒内未能连接"), STR("no connection within five seconds")},
        [UPSTREAM_FAULT_LATE_HEAD] = {STR("十秒内没有应答"), STR("no answer within ten seconds")},
        [UPSTREAM_FAULT_LATE_BODY] = {STR("应答未能及时结束"), STR("the answer does not end in time")},
    };
    struct bilingual reason = reasons[response->fault];
    return unfit(arena, reason.zh.len ? reason : BILINGUAL("应答不是有效的 HTTP", "the answer is no valid HTTP"));
}

/* CloudEvents' HTTP Web Hooks §4. An endpoint that answers without WebHook-Allowed-Origin does not know the handshake. */
static const struct problem *read_consent(struct arena *arena, const struct upstream_response *response,
                                          struct webhook_consent *consent)
{
    struct str allowed = str_trim(upstream_field(response, STR("webhook-allowed-origin")));
    if (!allowed.len)
        return NULL;
    if (!str_is(allowed, "*") && !str_equal_nocase(allowed, webhook_origin()))
        return unfit(arena, BILINGUAL("该地址只允许其他来源（WebHook-Allowed-Origin）",
                                      "the endpoint allows another origin only (WebHook-Allowed-Origin)"));
    consent->agreed = true;
    struct str rate = str_trim(upstream_field(response, STR("webhook-allowed-rate")));
    if (!str_to_i64(rate, &consent->rate) || consent->rate < 0 || consent->rate > 1000000)
        consent->rate = 0;
    return NULL;
}

const struct problem *webhook_ask(struct arena *arena, struct str department, struct str url, struct webhook_consent *consent)
{
    struct webhook_target target;
    *consent = (struct webhook_consent){0};
    if (!webhook_open(arena, department, url, &target))
        return unfit(arena, BILINGUAL("须为 https 地址", "must be an https address"));
    const struct field fields[] = {
        {STR("webhook-request-origin"), webhook_origin()},
        {STR("user-agent"), STR("shimin/" SHIMIN_VERSION)},
    };
    struct webhook_call call = {
        .method = STR("OPTIONS"), .fields = fields, .field_count = COUNT_OF(fields), .deadline = deadline_in(HANDSHAKE_TIME)};
    if (fiber_deadline() < call.deadline)
        call.deadline = fiber_deadline() - milliseconds(200); /* so that there is time to say so */
    struct upstream_response response;
    (void)webhook_call(&target, arena, &call, &response); /* a 404 or a 405 is an answer */
    webhook_close(&target);
    return response.status ? read_consent(arena, &response, consent) : no_answer(arena, &response);
}
