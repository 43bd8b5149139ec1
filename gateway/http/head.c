/* The head of a request: what is refused before any handler sees it. */
#include "http/head.h"

#include <string.h>

#include "http/picohttpparser.h"

static const struct str methods[] = {STR("GET"),    STR("POST"), STR("PUT"),    STR("PATCH"),
                                     STR("DELETE"), STR("HEAD"), STR("OPTIONS")};

static const struct {
    enum problem_type type;
    struct bilingual detail;
} refusals[] = {
    [HEAD_BAD_TARGET] = {PROBLEM_BAD_REQUEST, BILINGUAL("请求目标无效", "The request target is not valid")},
    [HEAD_NO_HOST] = {PROBLEM_BAD_REQUEST, BILINGUAL("缺少 Host", "The Host field is missing")},
    [HEAD_AMBIGUOUS_BODY] = {PROBLEM_BAD_REQUEST, BILINGUAL("请求体长度有歧义", "The length of the body is ambiguous")},
    [HEAD_BAD_HOST] = {PROBLEM_BAD_REQUEST, BILINGUAL("Host 重复或无效", "The Host field is there twice or not valid")},
    [HEAD_FOLDED] = {PROBLEM_BAD_REQUEST, BILINGUAL("请求头不得折行", "A field must not be folded")},
    [HEAD_TOO_LARGE] = {PROBLEM_HEADERS_TOO_LARGE, BILINGUAL("请减少请求头", "Send fewer or shorter fields")},
    [HEAD_TARGET_TOO_LONG] = {PROBLEM_TARGET_TOO_LONG, {{0}, {0}}},
    [HEAD_UNKNOWN_METHOD] = {PROBLEM_METHOD_UNKNOWN, {{0}, {0}}},
    [HEAD_BODY_TOO_LARGE] = {PROBLEM_BODY_TOO_LARGE, {{0}, {0}}},
};

struct str head_path(struct str target)
{
    if (str_starts(target, STR("/"))) /* nearly all */
        return target;
    struct str scheme = {target.at, 0};
    ptrdiff_t after = str_find(target, STR("://"));
    if (after > 0)
        scheme = str_slice(target, 0, (size_t)after);
    if (!str_equal_nocase(scheme, STR("http")) && !str_equal_nocase(scheme, STR("https")))
        return target;
    struct str rest = str_slice(target, (size_t)after + 3, target.len);
    const char *slash = memchr(rest.at, '/', rest.len);
    return slash ? str_slice(rest, (size_t)(slash - rest.at), rest.len) : STR("/");
}

static bool is_known(struct str method)
{
    for (size_t i = 0; i < COUNT_OF(methods); i++)
        if (str_equal(methods[i], method))
            return true;
    return false;
}

static bool is_clean(struct str target)
{
    bool clean = true;
    for (size_t i = 0; i < target.len; i++)
        clean &= (unsigned char)target.at[i] > ' ' && target.at[i] != 0x7f;
    return clean;
}

/* As RFC 3986 §3.2.2 writes a host and a port, without telling the kinds apart; no user's name. */
static bool is_host(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        bool is_word = (c | 0x20U) - 'a' < 26U || c - (unsigned)'0' < 10U;
        if (!is_word && (c >= 0x80 || c < ' ' || !strchr("-._~%!$&'()*+,;=:[]", c)))
            return false;
    }
    return true;
}

/* libh2o takes the first Content-Length, lets Transfer-Encoding win, keeps the last Host, and a folded line goes unnoticed;
 * another server on the way may see each differently, so a head that says more than one thing is refused. It is read again from
 * the connection's buffer, where it stays until the reply is sent. */
static enum head_fault check_ambiguity(h2o_req_t *h2o)
{
    h2o_buffer_t *input = h2o->conn->callbacks->get_socket(h2o->conn)->input;
    struct phr_header fields[H2O_MAX_HEADERS];
    size_t count = COUNT_OF(fields), method_length, path_length;
    const char *method, *path;
    int minor;
    if (phr_parse_request(input->bytes, input->size, &method, &method_length, &path, &path_length, &minor, fields, &count, 0) <
        0)
        return HEAD_AMBIGUOUS_BODY;
    unsigned lengths = 0, hosts = 0;
    for (size_t i = 0; i < count; i++) {
        struct str name = {fields[i].name, fields[i].name_len}, value = {fields[i].value, fields[i].value_len};
        if (!name.at) /* RFC 9112 §5.2 */
            return HEAD_FOLDED;
        if (name.len == 4 && str_equal_nocase(name, STR("host")) && (++hosts > 1 || !is_host(value)))
            return HEAD_BAD_HOST;
        if (str_equal_nocase(name, STR("content-length")) || str_equal_nocase(name, STR("transfer-encoding")))
            lengths++;
        /* RFC 9112 §7.1.1: what libh2o takes for a chunk's extension another may take for its size; so nothing behind is read
         */
        if (str_equal_nocase(name, STR("transfer-encoding")))
            h2o->http1_is_persistent = 0;
    }
    return lengths > 1 && h2o->entity.base ? HEAD_AMBIGUOUS_BODY : HEAD_FINE;
}

enum head_fault head_check(h2o_req_t *h2o, size_t most_head, size_t most_body, size_t *bytes)
{
    struct str target = {h2o->path.base, h2o->query_at < h2o->path.len ? h2o->query_at : h2o->path.len};
    struct str method = {h2o->method.base, h2o->method.len};
    size_t size = h2o->path.len + method.len;
    /* 32 bytes a field is what HTTP/2 counts too (RFC 9113 §6.5.2), against many tiny ones from the compression table */
    for (size_t i = 0; i < h2o->headers.size; i++)
        size += h2o->headers.entries[i].name->len + h2o->headers.entries[i].value.len + 32;
    *bytes = size;
    if (size > 4 * most_head)
        return HEAD_ABUSIVE;
    enum head_fault ambiguous = h2o->version < 0x200 ? check_ambiguity(h2o) : HEAD_FINE;
    if (ambiguous)
        return ambiguous;
    if (size > most_head)
        return h2o->path.len > size / 2 ? HEAD_TARGET_TOO_LONG : HEAD_TOO_LARGE;
    if (!is_known(method))
        return HEAD_UNKNOWN_METHOD;
    if (h2o->entity.len > most_body)
        return HEAD_BODY_TOO_LARGE;
    struct str path = head_path(target);
    if (!is_clean((struct str){h2o->path.base, h2o->path.len}) ||
        !(str_starts(path, STR("/")) || (str_is(path, "*") && str_is(method, "OPTIONS"))))
        return HEAD_BAD_TARGET;
    if (h2o->version == 0x101 && h2o->input.authority.base == h2o->hostconf->authority.hostport.base)
        return HEAD_NO_HOST; /* libh2o put its own name in */
    return HEAD_FINE;
}

void head_refuse(struct request *request, enum head_fault fault)
{
    reply_fault(request, refusals[fault].type, refusals[fault].detail);
}
