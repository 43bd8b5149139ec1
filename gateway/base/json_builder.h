/* Building a tree of JSON values from a stream of events, for the JSON and the YAML parser.
 *
 * The children of open containers lie on one stack; closing a container copies its children, now complete, side by side into
 * the arena. Nothing recurses: a fiber's stack is small. */
#ifndef SHIMIN_BASE_JSON_BUILDER_H
#define SHIMIN_BASE_JSON_BUILDER_H

#include <shimin/arena.h>
#include <shimin/json.h>

#include <stdlib.h>
#include <string.h>

enum json_fault {
    JSON_FAULT_NONE,
    JSON_FAULT_TOO_LONG,
    JSON_FAULT_TOO_DEEP,
    JSON_FAULT_TOO_MANY,
    JSON_FAULT_UTF8,
    JSON_FAULT_EMPTY,
    JSON_FAULT_END,
    JSON_FAULT_VALUE,
    JSON_FAULT_NAME,
    JSON_FAULT_COLON,
    JSON_FAULT_ARRAY,
    JSON_FAULT_OBJECT,
    JSON_FAULT_AFTER,
    JSON_FAULT_CONTROL,
    JSON_FAULT_ESCAPE,
    JSON_FAULT_SURROGATE,
    JSON_FAULT_NUMBER,
    JSON_FAULT_RANGE,
    JSON_FAULT_DUPLICATE,
    JSON_FAULT_YAML_TAG,
    JSON_FAULT_YAML_KEY,
    JSON_FAULT_YAML_DOCUMENTS,
    JSON_FAULT_YAML_ALIAS,
    JSON_FAULT_YAML_CYCLE,
    JSON_FAULT_YAML_FINITE,
    JSON_FAULT_YAML_ANCHORS,
};

struct json_frame {
    const char *start;
    uint32_t slot; /* of the container itself; its children follow */
    bool is_object;
};

struct json_builder {
    struct arena *arena;
    const struct json_limits *limits;
    struct json_member *stack; /* `near` until it is full */
    uint32_t count, room;
    unsigned depth;
    size_t nodes;
    struct json_frame frames[JSON_DEPTH_MAX];
    struct json_member near[32];
};

/* Index of a member whose name an earlier one has, or count. */
uint32_t json_find_duplicate(const struct json_member *members, uint32_t count);
/* Fills *error, which may be NULL; returns NULL for the caller to return. */
const struct json *json_fail(struct json_error *error, enum json_fault fault, uint32_t line, size_t column);
/* As above, for the byte at this offset of the text. */
const struct json *json_fail_at(struct json_error *error, enum json_fault fault, struct str text, size_t offset);

static inline void json_builder_open(struct json_builder *builder, struct arena *arena, const struct json_limits *limits)
{
    builder->arena = arena;
    builder->limits = limits;
    builder->stack = builder->near;
    builder->count = 0;
    builder->room = COUNT_OF(builder->near);
    builder->depth = 0;
    builder->nodes = 0;
}

static inline void json_builder_close(struct json_builder *builder)
{
    if (builder->stack != builder->near)
        free(builder->stack);
}

void json_builder_widen(struct json_builder *builder);

/* A place for the next value; valid until the next one is asked for. */
static inline struct json_member *json_builder_slot(struct json_builder *builder)
{
    if (builder->count == builder->room)
        json_builder_widen(builder);
    return &builder->stack[builder->count++];
}

static inline enum json_fault json_builder_count(struct json_builder *builder, size_t nodes)
{
    builder->nodes += nodes;
    return builder->nodes > builder->limits->nodes ? JSON_FAULT_TOO_MANY : JSON_FAULT_NONE;
}

/* The latest slot becomes a container; what is added until json_builder_leave are its children. */
static inline enum json_fault json_builder_enter(struct json_builder *builder, bool is_object, const char *start)
{
    if (builder->depth >= builder->limits->depth || builder->depth >= JSON_DEPTH_MAX)
        return JSON_FAULT_TOO_DEEP;
    builder->frames[builder->depth++] = (struct json_frame){start, builder->count - 1, is_object};
    return JSON_FAULT_NONE;
}

/* *duplicate points to the repeated member on JSON_FAULT_DUPLICATE. */
enum json_fault json_builder_leave(struct json_builder *builder, const struct json_member **duplicate);

#endif
