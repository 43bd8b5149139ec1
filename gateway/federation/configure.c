/* The federation's part of the configuration: limits, the ranges that addresses may lie in, the operator's own addresses. */
#include "federation/federation.h"
#include "federation/plan.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <stdarg.h>
#include <stdio.h>

const struct federation_limits federation_limits_default = {
    .head_bytes = 64 << 10,
    .body_bytes = 8 << 20,
    .depth = 32,
    .nodes = 200000,
    .department_bytes = 128 << 20,
    .deadline = INT64_C(60000000),
    .concurrency = 1024,
};

struct reading {
    struct arena *arena;
    const struct config *config;
    struct text *faults;
    bool failed;
};

PRINTF_LIKE(4, 5)
static void refuse(struct reading *reading, const char *key, uint32_t line, const char *format, ...)
{
    char reason[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    text_printf(reading->faults, "%s:%u: %s%s\n", config_origin(reading->config, key), line, key, reason);
    reading->failed = true;
}

static void read_limits(const struct config *config, struct federation_limits *limits)
{
    *limits = (struct federation_limits){
        .head_bytes = config_size(config, "federation.answer_head_bytes"),
        .body_bytes = config_size(config, "federation.answer_bytes"),
        .depth = (size_t)config_integer(config, "federation.answer_depth"),
        .nodes = (size_t)config_integer(config, "federation.answer_nodes"),
        .department_bytes = config_size(config, "federation.department_bytes"),
        .deadline = config_duration(config, "federation.deadline_most"),
        .concurrency = (unsigned)config_integer(config, "federation.concurrency_most"),
    };
}

static void read_general(struct reading *reading, struct federation_settings *settings)
{
    static const char key[] = "federation.allowed_ranges";
    size_t count;
    const char *const *list = config_list(reading->config, key, &count);
    struct range *ranges = arena_array(reading->arena, struct range, count + 1);
    struct reach *reach = arena_new(reading->arena, struct reach);
    const char *reason;
    for (size_t i = 0; i < count; i++)
        if (!range_parse(str_of(list[i]), &ranges[i], &reason))
            refuse(reading, key, config_item_line(reading->config, key, i), ": %s %s", list[i], reason);
    *reach = (struct reach){
        .opened = ranges, .count = count, .public_closed = !config_boolean(reading->config, "federation.public_addresses")};
    settings->reach = reach;
    settings->contract_bytes_a_day = (int64_t)config_size(reading->config, "federation.contract_bytes_a_day");
    settings->contract_bytes = (int64_t)config_size(reading->config, "federation.contract_bytes");
}

static void read_ranges(struct reading *reading, struct str slug, const struct json *list, const struct reach *general,
                        struct reach *reach)
{
    struct range *ranges = arena_array(reading->arena, struct range, list->count + 1);
    const char *reason;
    for (uint32_t i = 0; list->type == JSON_ARRAY && i < list->count; i++) {
        const struct json *item = &list->items[i];
        reason = "must be text";
        if (item->type != JSON_STRING || !range_parse(item->string, &ranges[i], &reason))
            refuse(reading, "departments", item->line, ".%.*s.allowed_ranges: %.*s %s", STR_ARG(slug),
                   STR_ARG(item->type == JSON_STRING ? item->string : STR("an entry")), reason);
    }
    if (list->type != JSON_ARRAY)
        refuse(reading, "departments", list->line, ".%.*s.allowed_ranges: must be a list of ranges", STR_ARG(slug));
    *reach = (struct reach){.opened = ranges, .count = list->count, .public_closed = general->public_closed};
}

static void read_department(struct reading *reading, const struct json_member *department, struct federation_settings *settings)
{
    struct department_reach *reaches = (struct department_reach *)settings->reaches;
    struct str slug = department->name;
    struct address address;
    if (department->value.type != JSON_OBJECT)
        refuse(reading, "departments", department->value.line, ".%.*s: needs address or allowed_ranges", STR_ARG(slug));
    for (uint32_t i = 0; department->value.type == JSON_OBJECT && i < department->value.count; i++) {
        const struct json_member *member = &department->value.members[i];
        if (str_is(member->name, "allowed_ranges")) {
            struct department_reach *own = &reaches[settings->reach_count++];
            own->slug = slug;
            read_ranges(reading, slug, &member->value, settings->reach, &own->reach);
        } else if (!str_is(member->name, "address")) {
            refuse(reading, "departments", member->value.line, ".%.*s.%.*s: unknown; address and allowed_ranges are known",
                   STR_ARG(slug), STR_ARG(member->name));
        } else if (member->value.type != JSON_STRING ||
                   (!str_is(member->value.string, "sandbox") && !address_parse(member->value.string, &address))) {
            refuse(reading, "departments", member->value.line, ".%.*s.address: must be sandbox or http(s)://host[:port][/base]",
                   STR_ARG(slug));
        }
    }
}

bool federation_read(struct arena *arena, const struct config *config, struct federation_settings *settings,
                     struct text *faults)
{
    struct reading reading = {.arena = arena, .config = config, .faults = faults};
    const struct json *departments = config_json(config, "departments");
    read_limits(config, &settings->limits);
    read_general(&reading, settings);
    settings->addresses = departments;
    settings->ca_file = config_string(config, "federation.ca");
    settings->cache = config_boolean(config, "federation.cache");
    settings->default_deadline = config_duration(config, "federation.deadline");
    settings->spool_dir = config_string(config, "federation.spool");
    settings->reaches = arena_array(arena, struct department_reach, departments ? departments->count + 1 : 1);
    settings->reach_count = 0;
    for (uint32_t i = 0; departments && i < departments->count; i++)
        read_department(&reading, &departments->members[i], settings);
    return !reading.failed;
}
