/* Handing a reply to libh2o: what remains to be decided about it, its fields, and its body piece by piece. */
#include "http/send.h"

#include <shimin/log.h>
#include <string.h>

#include "http/gzip.h"
#include "http/negotiate.h"
#include "http/server_internal.h"

/* A body goes out in pieces of this size, so that a reader who takes nothing is told from one who is slow. */
enum { PIECE = 128 * 1024 };

/* On every reply of a public listener (standards §1.7). */
static const struct field security_fields[] = {
    {STR("x-content-type-options"), STR("nosniff")},
    {STR("content-security-policy"), STR("default-src 'none'; frame-ancestors 'none'")},
    {STR("referrer-policy"), STR("no-referrer")},
    {STR("cross-origin-resource-policy"), STR("same-site")},
};
static const struct field transport_security = {STR("strict-transport-security"), STR("max-age=31536000; includeSubDomains")};

/* The same as libh2o has fields, with the names looked up; the last is transport_security. */
static h2o_header_t fixed[COUNT_OF(security_fields) + 1];
static h2o_iovec_t fixed_names[COUNT_OF(fixed)];

/* What a 304 repeats (RFC 9110 §15.4.5); fields of the representation are left out. */
static const struct str not_in_304[] = {STR("content-type"), STR("content-language"), STR("content-encoding"),
                                        STR("last-modified")};

/* HTTP/1 has a phrase after the status that nobody need read; these are for people with a terminal. */
static const struct {
    unsigned status;
    const char *phrase;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const char *reason_of(unsigned status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].phrase;
    return "";
}

static h2o_iovec_t iovec(struct str s)
{
    return h2o_iovec_init(s.at, s.len);
}

void send_prepare(void)
{
    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        const struct field *field = i < COUNT_OF(security_fields) ? &security_fields[i] : &transport_security;
        const h2o_token_t *token = h2o_lookup_token(field->name.at, field->name.len);
        fixed_names[i] = iovec(field->name);
        fixed[i] = (h2o_header_t){token ? (h2o_iovec_t *)&token->buf : &fixed_names[i], NULL, iovec(field->value)};
    }
}

static void add(h2o_req_t *h2o, struct str name, struct str value)
{
    h2o_add_header_by_str(&h2o->pool, &h2o->res.headers, name.at, name.len, 1, NULL, value.at, value.len);
}

static void add_vary(struct request *request, bool encoded)
{
    char vary[64];
    size_t length = 0;
    const char *between = "";
    const struct {
        bool used;
        const char *name;
    } names[] = {
        {!request->listener->internal && request->connection->server->settings->origin_count, "Origin"},
        {encoded, "Accept-Encoding"},
        {request->language_asked, "Accept-Language"},
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!names[i].used)
            continue;
        length += (size_t)snprintf(vary + length, sizeof vary - length, "%s%s", between, names[i].name);
        between = ", ";
    }
    if (length)
        add(request->h2o, STR("vary"), str_copy(request->arena, (struct str){vary, length}));
}

static bool left_out(const struct reply *reply, struct str name)
{
    for (size_t i = 0; reply->status == 304 && i < COUNT_OF(not_in_304); i++)
        if (str_equal(name, not_in_304[i]))
            return true;
    return false;
}

/* Compressing more would hold the loop, and everybody on it, for tens of milliseconds. */
enum { GZIP_MOST = 1 << 20 };

static bool may_compress(const struct request *request)
{
    const struct http_settings *settings = request->connection->server->settings;
    const struct reply *reply = &request->reply;
    return settings->gzip_level && reply->type && reply->body.len >= settings->gzip_minimum && reply->body.len <= GZIP_MOST &&
           gzip_suits(reply->type);
}

/* A handler that sets one of the security fields means its own instead of ours. */
static void add_own(h2o_req_t *h2o, const struct field *field)
{
    for (size_t i = 0; i < h2o->res.headers.size && i < COUNT_OF(security_fields); i++)
        if (str_equal(field->name, security_fields[i].name)) {
            h2o->res.headers.entries[i].value = iovec(field->value);
            return;
        }
    add(h2o, field->name, field->value);
}

void send_head(struct request *request, size_t length)
{
    h2o_req_t *h2o = request->h2o;
    struct reply *reply = &request->reply;
    h2o->res.status = (int)reply->status;
    h2o->res.reason = reason_of(reply->status);
    h2o->res.content_length = length;
    h2o_vector_reserve(&h2o->pool, &h2o->res.headers, COUNT_OF(fixed) + reply->field_count + 8);
    if (!request->listener->internal) {
        size_t count = COUNT_OF(fixed) - !request->listener->tls;
        memcpy(h2o->res.headers.entries, fixed, count * sizeof *fixed);
        h2o->res.headers.size = count;
    }
    if (reply->type && reply->status != 304)
        add(h2o, STR("content-type"), str_of(reply->type));
    if (reply->type && reply->status != 304 && request->language_asked)
        add(h2o, STR("content-language"), request->chinese ? STR("zh-CN") : STR("en"));
    add(h2o, STR("cache-control"), reply->cache_control ? str_of(reply->cache_control) : STR("no-store"));
    add(h2o, STR("x-request-id"), request_trace_id(request));
    if (reply->etag.at)
        add(h2o, STR("etag"), str_printf(request->arena, "\"%.*s\"", STR_ARG(reply->etag)));
    for (unsigned i = 0; i < reply->field_count; i++)
        if (!left_out(reply, reply->fields[i].name))
            add_own(h2o, &reply->fields[i]);
    request->status = reply->status;
    request->generator.handed_over = true;
}

/* A 200 whose ETag the client has becomes a 304. */
static void revalidate(struct request *request)
{
    struct reply *reply = &request->reply;
    if (reply->status == 200 && reply->etag.at)
        reply_not_modified(request, reply->etag);
}

static bool compress(struct request *request)
{
    struct reply *reply = &request->reply;
    if (!negotiate_gzip(request_header(request, "accept-encoding")))
        return false;
    struct str compressed = reply->gzip;
    if (!compressed.at)
        compressed = gzip_compress(request->arena, reply->body, request->connection->server->settings->gzip_level);
    if (!compressed.at)
        return false;
    reply->body = compressed;
    if (reply->etag.at)
        reply->etag = str_printf(request->arena, "%.*s" NEGOTIATE_GZIP_SUFFIX, STR_ARG(reply->etag));
    reply_header(request, "content-encoding", STR("gzip"));
    return true;
}

static void proceed(h2o_generator_t *base, h2o_req_t *h2o)
{
    struct generator *generator = (struct generator *)base;
    struct str rest = generator->request->reply.body;
    rest = str_slice(rest, generator->sent, rest.len);
    bool last = rest.len <= PIECE;
    h2o_iovec_t piece = h2o_iovec_init(rest.at, last ? rest.len : PIECE);
    generator->sent += piece.len;
    generator->progressed = clock_steady();
    generator->waiting = true;
    h2o_send(h2o, &piece, piece.len > 0, last ? H2O_SEND_STATE_FINAL : H2O_SEND_STATE_IN_PROGRESS);
}

static void send_whole(struct request *request)
{
    struct reply *reply = &request->reply;
    struct generator *generator = &request->generator;
    bool varies = may_compress(request);
    revalidate(request);
    if (may_compress(request))
        compress(request);
    bool bodiless = reply->status == 204 || reply->status == 304;
    bool head = str_is(request->method, "HEAD");
    size_t length = reply->body.len;
    if (bodiless || head)
        reply->body = STR_NONE;
    send_head(request, bodiless ? SIZE_MAX : length);
    add_vary(request, varies || reply->status == 304);
    request->bytes = reply->body.len;
    *generator = (struct generator){.base = {proceed, NULL}, .request = request, .handed_over = true};
    h2o_start_response(request->h2o, &generator->base);
    proceed(&generator->base, request->h2o);
}

void request_finish(struct request *request)
{
    struct reply *reply = &request->reply;
    if (!request->h2o) {
        if (reply->kind != REPLY_STREAM)
            request->status = 499; /* nginx's number for a client that closed the request */
        return;
    }
    if (reply->kind == REPLY_NONE) {
        log_error("%.*s %.*s made no reply", STR_ARG(request->method), STR_ARG(request->route));
        reply_fault(request, PROBLEM_INTERNAL, (struct bilingual){{0}, {0}});
    }
    if (reply->kind == REPLY_STREAM) {
        stream_end(request);
        return;
    }
    if (reply->kind == REPLY_JSON) {
        json_end_all(&reply->json);
        reply->body = text_str(&reply->text);
    }
    send_whole(request);
}
