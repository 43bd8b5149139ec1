/* What every test of this floor needs: documents from text, departments and services compiled from YAML. */
#ifndef SHIMIN_TESTS_FEDERATION_SUITE_H
#define SHIMIN_TESTS_FEDERATION_SUITE_H

#include "../suite.h"

#include "federation/mapping.h"
#include "federation/metrics.h"
#include "federation/plan.h"
#include "federation/reach.h"

#include <shimin/citizen.h>
#include <string.h>

static inline void open_floor(void)
{
    open_arena();
    federation_metrics_register();
}

#define ASSERT_HAS(actual, wanted)                                                                                             \
    do {                                                                                                                       \
        struct str actual_ = (actual);                                                                                         \
        ck_assert_msg(str_find(actual_, str_of(wanted)) >= 0, "\"%.*s\" lacks \"%s\"", STR_ARG(actual_), (wanted));            \
    } while (0)

static inline const struct json *yaml_of(const char *text)
{
    struct json_error error = {0};
    const struct json *value = yaml_parse(arena, str_of(text), &json_limits_document, &error);
    ck_assert_msg(value != NULL, "line %u: %s", error.line, error.reason);
    return value;
}

static inline const struct contract *contract_of(const char *yaml)
{
    struct contract_faults faults;
    const struct contract *contract = contract_load(STR("test.yaml"), str_of(yaml), arena, &faults);
    if (!contract)
        ck_abort_msg("line %u %.*s: %.*s", faults.list[0].line, STR_ARG(faults.list[0].pointer),
                     STR_ARG(faults.list[0].reason));
    arena_defer(arena, (void (*)(void *))contract_free, (void *)contract);
    return contract;
}

/* A department with this backend, which must compile. */
static inline struct department *department_of(const struct contract *contract, const char *definition)
{
    struct department *department = arena_new(arena, struct department);
    struct text faults = text_open(arena, 64);
    struct fault_sink sink = {.faults = &faults, .kind = "department", .slug = STR("test")};
    bool good;
    department->slug = STR("test");
    department->number = 1;
    department->contract = contract;
    department->contract_name = STR("test.yaml");
    department->definition = yaml_of(definition);
    department->backend = (void *)plan_compile(arena, department, &sink, &good);
    ck_assert_msg(good, "%.*s", STR_ARG(text_str(&faults)));
    return department;
}

/* A service of that department; NULL when it has faults, which are then in *faults. */
static inline struct service *service_of(struct department *department, enum archetype archetype, enum level level,
                                         bool personal, const char *definition, struct text *faults)
{
    struct service *service = arena_new(arena, struct service);
    struct fault_sink sink = {.faults = faults, .kind = "service", .slug = STR("test-service")};
    bool good;
    *faults = text_open(arena, 64);
    service->slug = STR("test-service");
    service->archetype = archetype;
    service->level = level;
    service->personal = personal;
    service->department = department;
    service->definition = yaml_of(definition);
    const struct mapping *mapping = mapping_compile(arena, service, &sink, &good);
    service->binding = (void *)mapping;
    if (mapping && department->backend)
        plan_learn(arena, department->backend, service, mapping);
    return good ? service : NULL;
}

static inline struct citizen citizen_of(void)
{
    return (struct citizen){
        .id = STR("0190a000-0000-7000-8000-000000000001"),
        .level = LEVEL_REAL_NAME,
        .phone_number = STR("+8613800138000"),
        .name = STR("张三"),
        .id_number = STR("11010519491231002X"),
    };
}

/* Departments of the tests are on this machine, which is out of reach unless it is opened. */
static inline const struct reach *this_machine(void)
{
    static struct range loopback;
    static const struct reach reach = {.opened = &loopback, .count = 1};
    const char *reason;
    ck_assert(range_parse(STR("127.0.0.0/8"), &loopback, &reason));
    return &reach;
}

#define RUN_FLOOR_TESTS(name, ...) RUN_TESTS_BETWEEN(open_floor, shut_arena, name, __VA_ARGS__)

#endif
