/* The head of an HTTP/1.1 request as libh2o would have read it: what is let through has one host, one length, a known method
 * and a clean path. */
#include "http/head.h"

#include "http/picohttpparser.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

enum { HEAD_MOST = 2048, BODY_MOST = 4096 };

static struct st_h2o_socket_t socket_of_input;

static h2o_socket_t *get_socket(h2o_conn_t *connection)
{
    (void)connection;
    return &socket_of_input;
}

static unsigned count_hosts(const struct phr_header *fields, size_t count)
{
    unsigned hosts = 0;
    for (size_t i = 0; i < count; i++)
        hosts += str_equal_nocase((struct str){fields[i].name, fields[i].name_len}, STR("host"));
    return hosts;
}

static unsigned count_lengths(const struct phr_header *fields, size_t count)
{
    unsigned lengths = 0;
    for (size_t i = 0; i < count; i++) {
        struct str name = {fields[i].name, fields[i].name_len};
        if (!name.at) /* a folded line */
            abort();
        if (str_equal_nocase(name, STR("content-length")) || str_equal_nocase(name, STR("transfer-encoding")))
            lengths++;
    }
    return lengths;
}

static void check(const h2o_req_t *h2o, const struct phr_header *fields, size_t count, size_t bytes)
{
    struct str target = {h2o->path.base, h2o->query_at < h2o->path.len ? h2o->query_at : h2o->path.len};
    struct str path = head_path(target);
    if (bytes > HEAD_MOST || !path.len || (path.at[0] != '/' && !str_is(path, "*")))
        abort();
    for (size_t i = 0; i < h2o->path.len; i++)
        if ((unsigned char)h2o->path.base[i] <= ' ')
            abort();
    if ((count_lengths(fields, count) > 1 && h2o->entity.base) || count_hosts(fields, count) > 1)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct phr_header fields[H2O_MAX_HEADERS];
    size_t count = COUNT_OF(fields), method_length, path_length;
    const char *method, *path;
    int minor, head = phr_parse_request((const char *)data, size, &method, &method_length, &path, &path_length, &minor, fields,
                                        &count, 0);
    if (head <= 0)
        return 0;
    h2o_iovec_t names[H2O_MAX_HEADERS];
    h2o_header_t entries[H2O_MAX_HEADERS];
    for (size_t i = 0; i < count; i++) {
        names[i] = (h2o_iovec_t){(char *)fields[i].name, fields[i].name_len};
        entries[i] = (h2o_header_t){.name = &names[i], .value = {(char *)fields[i].value, fields[i].value_len}};
    }
    static const h2o_conn_callbacks_t callbacks = {.get_socket = get_socket};
    h2o_conn_t connection = {.callbacks = &callbacks};
    h2o_hostconf_t host = {.authority.hostport = {(char *)"", 0}};
    h2o_buffer_t input = {.bytes = (char *)data, .size = size};
    const char *query = memchr(path, '?', path_length);
    h2o_req_t h2o = {
        .conn = &connection,
        .hostconf = &host,
        .version = 0x100 | minor,
        .method = {(char *)method, method_length},
        .path = {(char *)path, path_length},
        .query_at = query ? (size_t)(query - path) : SIZE_MAX,
        .headers = {.entries = entries, .size = count, .capacity = count},
        .entity = {(size_t)head < size ? (char *)data + head : NULL, size - (size_t)head},
    };
    socket_of_input.input = &input;
    size_t bytes;
    if (head_check(&h2o, HEAD_MOST, BODY_MOST, &bytes) == HEAD_FINE)
        check(&h2o, fields, count, bytes);
    return 0;
}
