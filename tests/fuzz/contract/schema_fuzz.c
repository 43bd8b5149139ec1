/* Schemas: the input is a schema and a value with a NUL between them. Asking for errors must not change the answer. */
#include "contract/schema.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check(struct arena *arena, const struct json *source, const struct json *value, bool openapi_3_0)
{
    const struct schema_options options = {.assert_formats = true, .openapi_3_0 = openapi_3_0};
    struct str reason = STR_NONE;
    const struct schema *schema = schema_compile(arena, source, &options, &reason);
    if (!schema) {
        if (!reason.at)
            abort();
        return;
    }
    (void)schema_types(schema);
    (void)schema_items(schema);
    struct schema_errors errors = {.arena = arena};
    bool quick = schema_validate(schema, value, NULL), full = schema_validate(schema, value, &errors);
    if (full != (errors.count == 0) || quick != full) {
        /* Collecting costs more work: only then may the answers differ, and then both are no. */
        for (size_t i = 0; i < errors.count; i++)
            if (str_is(errors.list[i].keyword, "bounds"))
                return;
        abort();
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const unsigned char *middle = size > 0 ? memchr(data, '\0', size) : NULL;
    if (!middle)
        return 0;
    struct arena *arena = arena_open();
    struct json_error error;
    size_t first = (size_t)(middle - data);
    const struct json *source = json_parse(arena, (struct str){(const char *)data, first}, &json_limits_request, &error);
    const struct json *value =
        json_parse(arena, (struct str){(const char *)middle + 1, size - first - 1}, &json_limits_request, &error);
    if (source && value) {
        check(arena, source, value, false);
        check(arena, source, value, true);
    }
    arena_close(arena);
    return 0;
}
