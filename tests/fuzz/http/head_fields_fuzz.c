/* What a client says in single fields: traceparent, Accept-Language, Accept-Encoding, If-None-Match, Origin, the target. */
#include <assert.h>
#include <shimin/arena.h>
#include <string.h>

#include "http/cors.h"
#include "http/head.h"
#include "http/negotiate.h"
#include "http/trace.h"

static const char *const origins[] = {"https://app.example", "https://city.example:8443"};

static bool is_origin(struct str s)
{
    return str_is(s, origins[0]) || str_is(s, origins[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of exactly this size, so that the sanitizer sees a read beyond it. */
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    struct str input = {copy, size}, rest = input;

    struct trace trace = {0};
    if (trace_parse(input, &trace)) {
        assert(strlen(trace.id) == 32 && strlen(trace.parent) == 16);
        char text[TRACE_PARENT_SIZE];
        trace_begin(&trace, input);
        trace_format(&trace, text);
        struct trace again = {0};
        assert(trace_parse(str_of(text), &again) && strcmp(again.id, trace.id) == 0 && strcmp(again.parent, trace.span) == 0);
    }
    negotiate_chinese(input);
    negotiate_gzip(input);
    struct str tag = str_cut(&rest, '\n');
    struct str listed = negotiate_listed_tag(rest, tag);
    assert(!listed.at || str_starts(listed, tag));
    assert(cors_allows(origins, 2, input) == is_origin(input));
    struct str path = head_path(input);
    assert(path.len <= (size ? size : 1));
    free(copy);
    return 0;
}
