/* The YAML parser: any bytes; what it accepts must be writable as JSON and equal when that is read. */
#include <shimin/arena.h>
#include <shimin/json.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct json_limits limits = {.depth = 64, .bytes = 1 << 20, .nodes = 20000};
    struct arena *arena = arena_open();
    struct json_error error;
    const struct json *root = yaml_parse(arena, (struct str){(const char *)data, size}, &limits, &error);
    if (root) {
        struct str text = json_text(arena, root);
        const struct json *again = json_parse(arena, text, &json_limits_document, &error);
        if (!again || !json_equal(root, again))
            abort();
    } else if (error.line == 0 || !error.reason || !error.reason_zh) {
        abort();
    }
    arena_close(arena);
    return 0;
}
