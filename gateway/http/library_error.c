/* Errors that libh2o answers itself, before any handler (a broken or too large body, an unknown expectation), as problems.
 *
 * They pass through the filters of the path, or of the host's fallback path when there was none yet: a filter there changes
 * fields and body. What the library writes without filters (a head that is not HTTP) stays text. */
#include "http/server_internal.h"

static const struct {
    int status;
    enum problem_type type;
    struct bilingual detail;
} known[] = {
    {400, PROBLEM_BAD_REQUEST, BILINGUAL("请求体无法读取", "The body cannot be read")},
    {413, PROBLEM_BODY_TOO_LARGE, {{0}, {0}}},
    {417, PROBLEM_BAD_REQUEST, BILINGUAL("无法满足 Expect 的要求", "The expectation cannot be met")},
};

struct replacement {
    h2o_ostream_t base;
    h2o_iovec_t body;
};

static void send_replacement(h2o_ostream_t *base, h2o_req_t *h2o, h2o_iovec_t *pieces, size_t count, h2o_send_state_t state)
{
    struct replacement *replacement = (struct replacement *)base;
    (void)pieces;
    /* The library sends its errors whole, with one call; nothing goes with it in answer to HEAD. */
    h2o_ostream_send_next(base, h2o, &replacement->body, count > 0, state);
}

static void add(h2o_req_t *h2o, const char *name, const char *value)
{
    h2o_add_header_by_str(&h2o->pool, &h2o->res.headers, name, strlen(name), 1, NULL, value, strlen(value));
}

static h2o_iovec_t make_body(h2o_req_t *h2o, const struct problem *problem, bool *chinese)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct request request = {.arena = arena};
    struct field field = {STR("accept-language"), STR_NONE};
    ssize_t at = h2o_find_header(&h2o->headers, H2O_TOKEN_ACCEPT_LANGUAGE, -1);
    if (at >= 0) {
        field.value = (struct str){h2o->headers.entries[at].value.base, h2o->headers.entries[at].value.len};
        request.fields = &field;
        request.field_count = 1;
    }
    trace_begin(&request.trace, STR_NONE);
    *chinese = request_speaks_chinese(&request);
    struct str body = problem_body(&request, problem);
    return h2o_strdup(&h2o->pool, body.at, body.len);
}

static void on_setup(h2o_filter_t *self, h2o_req_t *h2o, h2o_ostream_t **slot)
{
    (void)self;
    /* Our generators have a proceed; that of h2o_send_error has none. */
    for (size_t i = 0; !h2o->_generator->proceed && i < COUNT_OF(known); i++) {
        if (known[i].status != h2o->res.status)
            continue;
        bool chinese;
        struct problem problem = {.type = known[i].type, .detail = known[i].detail};
        struct replacement *replacement = (struct replacement *)h2o_add_ostream(h2o, sizeof *replacement, slot);
        replacement->base.do_send = send_replacement;
        replacement->body = make_body(h2o, &problem, &chinese);
        h2o->res.status = (int)problem_status(problem.type);
        h2o->res.content_length = replacement->body.len;
        h2o->res.headers.size = 0;
        add(h2o, "content-type", "application/problem+json");
        add(h2o, "content-language", chinese ? "zh-CN" : "en");
        add(h2o, "cache-control", "no-store");
        slot = &replacement->base.next;
        break;
    }
    h2o_setup_next_ostream(h2o, slot);
}

void library_error_register(h2o_pathconf_t *path)
{
    h2o_filter_t *filter = h2o_create_filter(path, sizeof *filter);
    filter->on_setup_ostream = on_setup;
}
