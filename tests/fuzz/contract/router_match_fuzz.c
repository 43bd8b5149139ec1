/* The router: the first byte is the method, the second how many bytes are an own template, the rest a path. What matches must
 * be made of the template's segments. */
#include "contract/router.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char routes[] =
    "openapi: 3.1.1\ninfo: {title: t, version: '1'}\npaths:\n"
    "  /: {get: {}}\n"
    "  /a: {get: {}, post: {}}\n"
    "  /a/{x}: {parameters: [{name: x, in: path, required: true}], get: {}, delete: {}}\n"
    "  /a/b: {put: {}}\n"
    "  /a/{x}/c: {parameters: [{name: x, in: path, required: true}], get: {}}\n"
    "  /a/b/{y}: {parameters: [{name: y, in: path, required: true}], get: {}}\n"
    "  /r/{rest}: {parameters: [{name: rest, in: path, required: true, x-shimin-rest: true}], get: {}}\n";

static void check(const struct router *router, enum http_method method, struct str path)
{
    struct route_match match;
    router_match(router, method, path, &match);
    if (match.found != (match.allowed != 0) || (match.operation && !match.found))
        abort();
    for (unsigned i = 0; i < match.value_count; i++) {
        const struct str *value = &match.values[i];
        if (value->len == 0 || value->at < path.at || value->at + value->len > path.at + path.len)
            abort();
    }
    if (match.operation && match.operation->contract && match.value_count != match.operation->path_parameter_count)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct contract *contract;
    struct arena *arena = arena_open();
    struct contract_faults faults;
    if (!contract && !(contract = contract_load(STR("routes"), STR(routes), arena, &faults)))
        abort();
    if (size >= 2 && data[1] <= size - 2) {
        struct router *router = router_new(arena);
        struct str reason;
        for (unsigned i = 0; i < contract->operation_count; i++)
            if (!router_add(router, &contract->operations[i], NULL, &reason))
                abort();
        struct str text = {(const char *)data + 2, size - 2};
        const struct operation own = {.path = str_slice(text, 0, data[1]), .method = METHOD_PATCH};
        bool added = router_add(router, &own, NULL, &reason);
        if (!added && !reason.at)
            abort();
        check(router, data[0] % METHODS, str_slice(text, data[1], text.len));
        check(router, data[0] % METHODS, own.path);
    }
    arena_close(arena);
    return 0;
}
