/* Configuration values, the key by the first byte, as the environment gives them and as a file does: inside the key's bounds,
 * or refused with a reason. */
#include "base/config_value.h"

#include <shimin/arena.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct config_key keys[] = {
    {"listen.name", CONFIG_STRING, .help = "Any text."},
    {"crypto.suite", CONFIG_STRING, .choices = "intl,gm", .help = "One of two."},
    {"worker.count", CONFIG_INTEGER, .min = 1, .max = 256, .help = "Bounded."},
    {"limit.any", CONFIG_INTEGER, .help = "Unbounded."},
    {"cors.on", CONFIG_BOOLEAN, .help = "A switch."},
    {"request.deadline", CONFIG_DURATION, .min = 1000, .max = 86400000000, .help = "Bounded."},
    {"idle.time", CONFIG_DURATION, .help = "Not negative."},
    {"body.most", CONFIG_SIZE, .max = 1 << 30, .help = "Bounded."},
    {"tls.certificate", CONFIG_PATH, .help = "A file."},
    {"cors.origins", CONFIG_LIST, .help = "Texts."},
    {"limits", CONFIG_MAP, .help = "An object."},
};

static void check(const struct config_key *key, bool good, const struct config_value *value, struct str fault)
{
    if (!good && fault.len == 0)
        abort();
    if (!good)
        return;
    bool is_quantity = key->type == CONFIG_DURATION || key->type == CONFIG_SIZE;
    if (is_quantity && value->integer < 0)
        abort();
    if ((is_quantity || key->type == CONFIG_INTEGER) && key->max && (value->integer < key->min || value->integer > key->max))
        abort();
    if (key->choices && strcmp(value->string, "intl") != 0 && strcmp(value->string, "gm") != 0)
        abort();
    if (key->type == CONFIG_LIST && value->list[value->count])
        abort();
    if (key->type == CONFIG_MAP && value->json->type != JSON_OBJECT)
        abort();
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static const struct json_limits limits = {.depth = 32, .bytes = 65536, .nodes = 10000};
    if (size == 0)
        return 0;
    struct arena *arena = arena_open();
    const struct config_key *key = &keys[data[0] % COUNT_OF(keys)];
    struct str text = {(const char *)data + 1, size - 1}, fault = STR_NONE;
    struct config_value value;
    bool good = config_value_from_text(arena, key, text, &value, &fault);
    check(key, good, &value, fault);

    struct json_error error;
    const struct json *tree = yaml_parse(arena, text, &limits, &error);
    fault = STR_NONE;
    if (tree) {
        good = config_value_from_json(arena, key, tree, &value, &fault);
        check(key, good, &value, fault);
    }
    const struct config_key *nearest = config_nearest(keys, COUNT_OF(keys), text, data[0] & 0x80);
    if (nearest && (nearest < keys || nearest >= keys + COUNT_OF(keys)))
        abort();
    arena_close(arena);
    return 0;
}
