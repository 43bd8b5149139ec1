/* Requests made by hand, and the reply they got: what the pipeline's steps need, without a socket. */
#ifndef SHIMIN_TESTS_EDGE_ASKED_H
#define SHIMIN_TESTS_EDGE_ASKED_H

#include "inside.h"

#include "catalogue/snapshot.h"
#include "edge/exchange.h"
#include "http/request_internal.h"

#include <string.h>

static inline struct request *request_of(struct arena *arena, const char *method, const char *path, const char *query,
                                         const char *body)
{
    struct request *request = arena_new(arena, struct request);
    request->arena = arena;
    request->method = str_of(method);
    request->path = str_of(path);
    request->query = str_of(query);
    request->body_bytes = str_of(body);
    request->client_address = STR("192.0.2.7");
    request->fields = arena_array(arena, struct field, 8);
    request->fields[request->field_count++] = (struct field){STR("content-type"), STR("application/json")};
    request->started = clock_steady();
    memset(request->trace.id, 'a', 32);
    return request;
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() (void)0
#define __lsan_enable() (void)0
#endif

/* Every request pins a snapshot. The worker's last one lives as long as the process. */
static inline void open_catalogue(void)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    struct text faults = text_open(scratch, 64);
    __lsan_disable();
    struct snapshot *snapshot = snapshot_compile(STR("{\"version\":1}"), NULL, &faults);
    ck_assert_msg(snapshot != NULL, "%s", faults.at);
    snapshot_publish(snapshot);
    WAIT_UNTIL(catalogue_snapshot());
    __lsan_enable();
}

static inline void add_field(struct request *request, const char *name, const char *value)
{
    request->fields[request->field_count++] = (struct field){str_of(name), str_of(value)};
}

static inline struct str replied(struct request *request)
{
    if (request->reply.kind != REPLY_JSON)
        return request->reply.body;
    json_end_all(&request->reply.json);
    return text_str(&request->reply.text);
}

/* How many fields of that name; the last one's value in *value. */
static inline unsigned reply_fields(const struct request *request, const char *name, struct str *value)
{
    unsigned count = 0;
    for (unsigned i = 0; i < request->reply.field_count; i++)
        if (str_is(request->reply.fields[i].name, name)) {
            *value = request->reply.fields[i].value;
            count++;
        }
    return count;
}

#define ASSERT_HAS(text, wanted)                                                                                               \
    do {                                                                                                                       \
        struct str text_ = (text);                                                                                             \
        ck_assert_msg(str_find(text_, str_of(wanted)) >= 0, "\"%.*s\" lacks \"%s\"", STR_ARG(text_), (wanted));                \
    } while (0)

/* A module made in a test, from the text of a contract's paths in YAML. */
#define TEST_MODULE(name_, contract_, ...)                                                                                     \
    (const struct module)                                                                                                      \
    {                                                                                                                          \
        .name = (name_), .contract = (contract_), .contract_size = &(const size_t){strlen(contract_)},                         \
        .handlers = (const struct module_handler[])                                                                            \
        {                                                                                                                      \
            __VA_ARGS__                                                                                                        \
            {                                                                                                                  \
                0                                                                                                              \
            }                                                                                                                  \
        }                                                                                                                      \
    }
#define TEST_CONTRACT(paths) "openapi: 3.1.1\ninfo: {title: test, version: '1'}\npaths:\n" paths
#define RESPONSES "responses: {'200': {description: fine}}"

#endif
