/* One upstream and one call of it: the request is written, the rest is asked of the other files. */
#include "http/upstream.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <string.h>

#include "http/upstream_internal.h"

enum { SMALL_BODY = 8 * 1024 };

static const char *const names[] = {
    [UPSTREAM_OK] = "ok",
    [UPSTREAM_CONNECT_FAILED] = "connect_failed",
    [UPSTREAM_TIMEOUT] = "timeout",
    [UPSTREAM_RESET] = "reset",
    [UPSTREAM_STALE] = "stale",
    [UPSTREAM_GARBAGE] = "garbage",
    [UPSTREAM_TOO_LARGE] = "large",
    [UPSTREAM_FULL] = "full",
    [UPSTREAM_CANCELLED] = "cancelled",
};

static const char *const fault_names[UPSTREAM_FAULTS] = {
    [UPSTREAM_FAULT_NONE] = "none",
    [UPSTREAM_FAULT_NAME] = "name_unresolved",
    [UPSTREAM_FAULT_ADDRESS] = "address_forbidden",
    [UPSTREAM_FAULT_CONNECT] = "connection_refused",
    [UPSTREAM_FAULT_CERTIFICATE] = "certificate",
    [UPSTREAM_FAULT_TLS] = "tls",
    [UPSTREAM_FAULT_LATE_CONNECT] = "late_connection",
    [UPSTREAM_FAULT_LATE_HEAD] = "late_head",
    [UPSTREAM_FAULT_LATE_BODY] = "late_body",
    [UPSTREAM_FAULT_NOT_HTTP] = "not_http",
    [UPSTREAM_FAULT_HEAD_SIZE] = "head_too_large",
    [UPSTREAM_FAULT_FIELDS] = "head_folded",
    [UPSTREAM_FAULT_FRAMING] = "framing",
    [UPSTREAM_FAULT_CHUNK] = "chunk",
    [UPSTREAM_FAULT_SWITCH] = "protocol_switch",
    [UPSTREAM_FAULT_BODY_SIZE] = "body_too_large",
    [UPSTREAM_FAULT_SHARE] = "share_used_up",
    [UPSTREAM_FAULT_CUT] = "connection_cut",
    [UPSTREAM_FAULT_EXTRA] = "extra_bytes",
};

const char *upstream_fault_name(enum upstream_fault fault)
{
    return fault_names[fault];
}

const char *upstream_status_name(enum upstream_status status)
{
    return names[status];
}

void upstream_hold(struct upstream *upstream)
{
    upstream->references++;
}

void upstream_let_go(struct upstream *upstream)
{
    if (--upstream->references)
        return;
    SSL_CTX_free(upstream->tls);
    arena_close(upstream->arena);
}

static void parse_numeric(struct upstream *upstream)
{
    const struct upstream_settings *settings = &upstream->settings;
    const char *host = settings->host.at; /* terminated: our copy */
    struct sockaddr_in *v4 = (struct sockaddr_in *)&upstream->addresses.list[0];
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&upstream->addresses.list[0];
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(settings->port);
        upstream->addresses.lengths[0] = sizeof *v4;
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(settings->port);
        upstream->addresses.lengths[0] = sizeof *v6;
    } else {
        return;
    }
    upstream->numeric = true;
    upstream->addresses.count = 1;
}

static struct str keep(struct arena *arena, struct str s)
{
    return (struct str){str_to_c(arena, s), s.len};
}

static const char *keep_c(struct arena *arena, const char *s)
{
    return s ? str_to_c(arena, str_of(s)) : NULL;
}

struct upstream *upstream_open(const struct upstream_settings *settings)
{
    struct arena *arena = arena_open();
    struct upstream *upstream = arena_new(arena, struct upstream);
    upstream->arena = arena;
    upstream->references = 1;
    upstream->settings = *settings;
    upstream->settings.host = keep(arena, settings->host);
    upstream->settings.server_name = keep(arena, settings->server_name.len ? settings->server_name : settings->host);
    upstream->settings.ca_file = keep_c(arena, settings->ca_file);
    upstream->settings.certificate = keep_c(arena, settings->certificate);
    upstream->settings.private_key = keep_c(arena, settings->private_key);
    upstream->idle.next = upstream->idle.previous = &upstream->idle;
    bool six = str_find(settings->host, STR(":")) >= 0;
    upstream->authority = str_printf(arena, six ? "[%.*s]" : "%.*s", STR_ARG(settings->host));
    if (settings->port != (settings->tls ? 443 : 80))
        upstream->authority = str_printf(arena, "%.*s:%u", STR_ARG(upstream->authority), settings->port);
    parse_numeric(upstream);
    if (settings->tls && !(upstream->tls = upstream_tls_open(upstream))) {
        arena_close(arena);
        return NULL;
    }
    return upstream;
}

void upstream_close(struct upstream *upstream)
{
    if (!upstream)
        return;
    upstream->closed = true;
    link_drop_idle(upstream);
    upstream_let_go(upstream);
}

struct str upstream_authority(const struct upstream *upstream)
{
    return upstream->authority;
}

struct str upstream_field(const struct upstream_response *response, struct str name)
{
    for (size_t i = 0; i < response->field_count; i++)
        if (str_equal(response->fields[i].name, name))
            return response->fields[i].value;
    return STR_NONE;
}

static bool is_clean_bytewise(const char *at, size_t len, char least)
{
    for (size_t i = 0; i < len; i++)
        if ((at[i] >= 0 && at[i] < least && at[i] != '\t') || at[i] == 0x7f)
            return false;
    return true;
}

/* Whether one of eight bytes may be unclean: below `least`, or 0x7f. */
static bool are_suspect(const char *at, char least)
{
    const uint64_t each = UINT64_C(0x0101010101010101), high = each << 7;
    uint64_t eight;
    memcpy(&eight, at, sizeof eight);
    uint64_t deletes = eight ^ each * 0x7f;
    return (((eight - each * (uint64_t)least) & ~eight) | ((deletes - each) & ~deletes)) & high;
}

/* No space or control character where it would end a word or a line. */
static bool is_clean(struct str s, char least)
{
    if (s.len < 8)
        return is_clean_bytewise(s.at, s.len, least);
    bool suspect = are_suspect(s.at + s.len - 8, least);
    for (size_t i = 0; i + 8 < s.len; i += 8)
        suspect |= are_suspect(s.at + i, least);
    return !suspect || is_clean_bytewise(s.at, s.len, least);
}

static bool has(const struct upstream_request *request, const char *name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (str_equal_nocase(request->fields[i].name, str_of(name)))
            return true;
    return false;
}

static bool has_body(const struct upstream_request *request)
{
    return request->body.len || str_is(request->method, "POST") || str_is(request->method, "PUT") ||
           str_is(request->method, "PATCH");
}

static bool write_head(const struct upstream *upstream, const struct upstream_request *request, struct text *head)
{
    if (!is_clean(request->method, '!') || !is_clean(request->target, '!') || !request->target.len)
        return false;
    text_add(head, request->method);
    text_add_char(head, ' ');
    text_add(head, request->target);
    text_add_c(head, " HTTP/1.1\r\n");
    if (!has(request, "host")) {
        text_add_c(head, "host: ");
        text_add(head, upstream->authority);
        text_add_c(head, "\r\n");
    }
    for (size_t i = 0; i < request->field_count; i++) {
        if (!is_clean(request->fields[i].name, '!') || !is_clean(request->fields[i].value, ' '))
            return false;
        text_add(head, request->fields[i].name);
        text_add_c(head, ": ");
        text_add(head, request->fields[i].value);
        text_add_c(head, "\r\n");
    }
    if (has_body(request) && !has(request, "content-length")) {
        text_add_c(head, "content-length: ");
        text_add_i64(head, (int64_t)request->body.len);
        text_add_c(head, "\r\n");
    }
    text_add_c(head, "\r\n");
    return true;
}

static void on_written(h2o_socket_t *socket, const char *error)
{
    struct link *link = socket->data;
    if (!link)
        return;
    /* An error shows in reading too, and what the other side said before it closed may still be there. */
    link->written = !error;
}

static enum upstream_status exchange(struct link *link, const struct upstream_request *request, struct text *head,
                                     struct arena *arena, struct upstream_response *response)
{
    struct str body = request->body;
    if (link->upstream->tls && body.len <= SMALL_BODY) { /* in the record of the head */
        text_add(head, body);
        body.len = 0;
    }
    h2o_iovec_t pieces[] = {h2o_iovec_init(head->at, head->len), h2o_iovec_init(body.at, body.len)};
    bool used = link->used, any, reusable;
    link->used = true;
    link->written = false;
    h2o_socket_write(link->socket, pieces, 1 + (body.len > 0), on_written);
    enum upstream_status status = answer_read(link, request, arena, response, &any, &reusable);
    if (status == UPSTREAM_RESET && used && !any)
        status = UPSTREAM_STALE;
    if (link->socket->input->size && status == UPSTREAM_OK) {
        response->fault = UPSTREAM_FAULT_EXTRA;
        upstream_distrust(link->upstream);
    }
    if (status == UPSTREAM_OK && reusable && link->written)
        link_keep(link);
    else
        link_drop(link);
    return status;
}

enum upstream_status upstream_call(struct upstream *upstream, const struct upstream_request *request, struct arena *arena,
                                   struct upstream_response *response)
{
    *response = (struct upstream_response){0};
    struct text head = text_open(arena, 512);
    if (!write_head(upstream, request, &head))
        return UPSTREAM_GARBAGE;
    upstream_hold(upstream);
    fiber_gather(); /* requests are written one after another */
    struct link *link = request->fresh ? NULL : link_reuse(upstream);
    enum upstream_status status = UPSTREAM_OK;
    if (!link) {
        int64_t deadline = request->deadline;
        if (request->connect_deadline && request->connect_deadline < deadline)
            deadline = request->connect_deadline;
        status = link_connect(upstream, deadline, &link);
        response->fault = status == UPSTREAM_OK        ? UPSTREAM_FAULT_NONE
                          : status == UPSTREAM_TIMEOUT ? UPSTREAM_FAULT_LATE_CONNECT
                                                       : upstream->fault;
        response->detail = status == UPSTREAM_CONNECT_FAILED ? upstream->detail : NULL;
    }
    if (status == UPSTREAM_OK)
        status = exchange(link, request, &head, arena, response);
    if (upstream->extra && !response->fault) {
        response->fault = UPSTREAM_FAULT_EXTRA;
        upstream->extra = false;
    }
    upstream_let_go(upstream);
    return status;
}
