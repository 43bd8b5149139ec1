/* The JSON parser: any bytes; what it accepts must survive being written and read again. */
#include <shimin/arena.h>
#include <shimin/json.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *arena = arena_open();
    struct json_error error;
    const struct json *root = json_parse(arena, (struct str){(const char *)data, size}, &json_limits_document, &error);
    if (root) {
        struct text text = text_open(arena, 0);
        struct json_out out = json_write(&text);
        json_put_value(&out, json_clone(arena, root));
        const struct json *again = json_parse(arena, text_str(&text), &json_limits_document, &error);
        if (!again || !json_equal(root, again))
            abort();
    } else if (error.line == 0 || !error.reason || !error.reason_zh) {
        abort();
    }
    arena_close(arena);
    return 0;
}
