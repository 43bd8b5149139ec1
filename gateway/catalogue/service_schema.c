/* The embedded schema of the catalogue, for definitions that come over the network and not from files. */
#include "catalogue/service_schema.h"

#include <shimin/arena.h>
#include <shimin/log.h>

#include <pthread.h>

extern const char catalogue_schema[];
extern const size_t catalogue_schema_size;

/* A department that is valid: the schema is of a whole file. */
static const char around[] = "{\"department\":{\"slug\":\"a\",\"number\":1,\"name\":{\"zh\":\"a\",\"en\":\"a\"},"
                             "\"kind\":\"government\",\"contract\":\"a.yaml\",\"backend\":{\"address\":\"sandbox\","
                             "\"credentials\":\"a\",\"concurrency\":1,\"deadline_ms\":1000}},\"services\":[";

static const struct schema *schema;

static void compile(void)
{
    struct arena *arena = arena_open(); /* as long as the process */
    struct json_error error;
    struct str reason = STR("");
    const struct json *source =
        json_parse(arena, (struct str){catalogue_schema, catalogue_schema_size}, &json_limits_document, &error);
    if (source)
        schema = schema_compile(arena, source, &(struct schema_options){.assert_formats = true}, &reason);
    if (!schema)
        fatal("catalogue.schema.json: %.*s", STR_ARG(reason));
}

bool service_schema_validate(struct arena *arena, const struct json *definition, struct schema_errors *errors)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, compile);
    struct text text = text_open(arena, 2048);
    text_add_c(&text, around);
    text_add(&text, json_text(arena, definition));
    text_add_c(&text, "]}");
    struct json_error error;
    const struct json *file = json_parse(arena, text_str(&text), &json_limits_document, &error);
    if (file && schema_validate(schema, file, errors))
        return true;
    struct str prefix = STR("/services/0");
    for (size_t i = 0; i < errors->count; i++)
        if (str_starts(errors->list[i].pointer, prefix))
            errors->list[i].pointer = str_slice(errors->list[i].pointer, prefix.len, errors->list[i].pointer.len);
    return false;
}
