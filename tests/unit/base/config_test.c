/* The configuration: values, the environment, and every fault in one run. */
#include "../suite.h"

#include "base/config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct str refuse_without_colon(struct arena *any, struct str text)
{
    return memchr(text.at, ':', text.len) ? STR_NONE : str_printf(any, "lacks a colon: %.*s", STR_ARG(text));
}

static struct str refuse_texts(struct arena *any, const struct json_member *member)
{
    (void)any;
    return member->value.type == JSON_STRING ? STR("is a text") : STR_NONE;
}

static const struct config_key keys[] = {
    {.path = "listen.tls.address", .type = CONFIG_STRING, .fallback = "::", .help = "Address."},
    {.path = "listen.tls.port", .type = CONFIG_INTEGER, .min = 1, .max = 65535, .fallback = "8443", .help = "Port."},
    {.path = "listen.tls.certificate", .type = CONFIG_PATH, .help = "Certificate chain."},
    {.path = "crypto.suite", .type = CONFIG_STRING, .choices = "intl,gm", .fallback = "intl", .help = "Algorithms."},
    {.path = "limits.body", .type = CONFIG_SIZE, .fallback = "1MiB", .max = 1 << 30, .help = "Largest body."},
    {.path = "limits.idle", .type = CONFIG_DURATION, .min = 1000, .max = 3600000000, .fallback = "30s", .help = "Idle."},
    {.path = "limits.offset", .type = CONFIG_INTEGER, .fallback = "-5", .help = "Any number."},
    {.path = "log.access", .type = CONFIG_BOOLEAN, .fallback = "true", .help = "Access lines."},
    {.path = "redis.sentinels", .type = CONFIG_LIST, .fallback = "", .refuse = refuse_without_colon, .help = "Sentinels."},
    {.path = "departments", .type = CONFIG_MAP, .refuse_member = refuse_texts, .help = "Departments."},
    {.path = "database.url", .type = CONFIG_STRING, .required = true, .help = "Connection."},
};

static char path[64];
static struct text faults;

static struct config *load(const char *yaml)
{
    strcpy(path, "/tmp/shimin-config-test-XXXXXX");
    int file = mkstemp(path);
    ck_assert_int_eq(write(file, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
    close(file);
    faults = text_open(arena, 0);
    struct config *config = config_load(path, keys, COUNT_OF(keys), &faults);
    unlink(path);
    return config;
}

START_TEST(values_come_from_the_file_or_the_fallback)
{
    struct config *config = load("database: {url: postgresql:///x}\n"
                                 "listen:\n  tls:\n    port: 443\n    certificate: tls/chain.pem\n"
                                 "crypto: {suite: gm}\nlimits: {body: 64KiB, idle: 500ms, offset: -7}\nlog: {access: false}\n"
                                 "redis:\n  sentinels: [a:1, b:2]\ndepartments:\n  tax: {url: x}\n");
    ck_assert_msg(config != NULL, "%s", faults.at);
    ck_assert_str_eq(config_string(config, "listen.tls.address"), "::");
    ck_assert_int_eq(config_integer(config, "listen.tls.port"), 443);
    ck_assert_str_eq(config_string(config, "listen.tls.certificate"), "/tmp/tls/chain.pem");
    ck_assert_str_eq(config_string(config, "crypto.suite"), "gm");
    ck_assert_uint_eq(config_size(config, "limits.body"), 65536);
    ck_assert_int_eq(config_duration(config, "limits.idle"), 500000);
    ck_assert_int_eq(config_integer(config, "limits.offset"), -7);
    ck_assert(!config_boolean(config, "log.access"));
    size_t count;
    const char *const *list = config_list(config, "redis.sentinels", &count);
    ck_assert(count == 2 && strcmp(list[1], "b:2") == 0 && !list[2]);
    ck_assert_uint_eq(config_json(config, "departments")->count, 1);
    ck_assert(config_is_set(config, "crypto.suite") && !config_is_set(config, "listen.tls.address"));
    ck_assert_str_eq(config_file(config), path);
    config_close(config);
}
END_TEST

START_TEST(the_environment_goes_before_the_file)
{
    setenv("SHIMIN_LISTEN_TLS_PORT", "9443", 1);
    setenv("SHIMIN_REDIS_SENTINELS", "x:1, y:2", 1);
    setenv("SHIMIN_DEPARTMENTS", "{\"a\": 1}", 1);
    setenv("SHIMIN_LOG_ACCESS", "false", 1);
    setenv("SHIMIN_UNRELATED_THING", "1", 1);
    struct config *config = load("database: {url: x}\nlisten: {tls: {port: 443}}\n");
    ck_assert_msg(config != NULL, "%s", faults.at);
    ck_assert_int_eq(config_integer(config, "listen.tls.port"), 9443);
    ck_assert_str_eq(config_list(config, "redis.sentinels", NULL)[1], "y:2");
    ck_assert_int_eq(json_get_integer(config_json(config, "departments"), "a", 0), 1);
    ck_assert(!config_boolean(config, "log.access"));
    config_close(config);
}
END_TEST

START_TEST(without_a_file_the_environment_and_the_fallbacks_serve)
{
    setenv("SHIMIN_DATABASE_URL", "x", 1);
    faults = text_open(arena, 0);
    struct config *config = config_load(NULL, keys, COUNT_OF(keys), &faults);
    ck_assert_msg(config != NULL, "%s", faults.at);
    ck_assert_int_eq(config_integer(config, "listen.tls.port"), 8443);
    ck_assert_ptr_null(config_string(config, "listen.tls.certificate"));
    ck_assert_ptr_null(config_list(config, "redis.sentinels", NULL)[0]);
    ck_assert_ptr_null(config_file(config));
    config_close(config);
}
END_TEST

START_TEST(every_fault_is_named_with_file_line_and_reason_in_one_run)
{
    setenv("SHIMIN_LISTEN_TLS_PROT", "1", 1);
    setenv("SHIMIN_LIMITS_IDLE", "soon", 1);
    ck_assert_ptr_null(load("listen:\n  tls:\n    prot: 443\n    port: 99999\n    address: 12\n"
                            "crypto:\n  suite: rot13\nlimits:\n  body: 5m\n  idle: 2\n  offset: 1.5\nlog: yes\n"
                            "redis: {sentinels: [1]}\ndepartments: []\nnonsense: 1\n"));
    static const char *const wanted[] = {
        ":3: listen.tls.prot: unknown key; did you mean \"listen.tls.port\"?\n",
        ":4: listen.tls.port: must be 1 to 65535\n",
        ":5: listen.tls.address: must be a text (put a number or true and false in quotes)\n",
        ":7: crypto.suite: must be one of intl,gm\n",
        ":9: limits.body: must be a size, as 512B, 64KiB, 1MiB or 2GiB\n",
        ":10: limits.idle: must be a duration with its unit",
        ":11: limits.offset: must be a whole number\n",
        ":12: log: is a section: keys were expected beneath it\n",
        ":13: redis.sentinels: must be a list of texts\n",
        ":14: departments: must be a map\n",
        ":15: nonsense: unknown key\n",
        "environment: SHIMIN_LISTEN_TLS_PROT: unknown key; did you mean \"SHIMIN_LISTEN_TLS_PORT\"?\n",
        "environment: SHIMIN_LIMITS_IDLE: must be a duration with its unit",
        ": database.url: is required and has no value\n",
    };
    size_t lines = 0;
    for (const char *c = faults.at; *c; c++)
        lines += *c == '\n';
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        ck_assert_msg(strstr(faults.at, wanted[i]) != NULL, "no \"%s\" in:\n%s", wanted[i], faults.at);
    ck_assert_msg(lines == COUNT_OF(wanted), "%s", faults.at);
    ck_assert_int_eq(strncmp(faults.at, path, strlen(path)), 0);
}
END_TEST

START_TEST(a_value_that_its_key_refuses_is_named_with_its_line)
{
    ck_assert_ptr_null(load("database: {url: x}\nredis:\n  sentinels: [a:1, b]\ndepartments:\n  tax: {url: x}\n  health: x\n"));
    ck_assert_ptr_nonnull(strstr(faults.at, ":3: redis.sentinels: lacks a colon: b\n"));
    ck_assert_ptr_nonnull(strstr(faults.at, ":6: departments.health: is a text\n"));
    ck_assert_ptr_null(strstr(faults.at, "departments.tax"));
    setenv("SHIMIN_DEPARTMENTS", "{\"a\": \"b\"}", 1);
    setenv("SHIMIN_REDIS_SENTINELS", "nothing", 1);
    ck_assert_ptr_null(load("database: {url: x}\n"));
    unsetenv("SHIMIN_DEPARTMENTS");
    unsetenv("SHIMIN_REDIS_SENTINELS");
    ck_assert_ptr_nonnull(strstr(faults.at, "environment: departments.a: is a text\n"));
    ck_assert_ptr_nonnull(strstr(faults.at, "environment: SHIMIN_REDIS_SENTINELS: lacks a colon: nothing\n"));
}
END_TEST

START_TEST(what_a_file_that_cannot_be_read_may_have_given_is_not_missed)
{
    ck_assert_ptr_null(load("database: {url: x\n"));
    ck_assert_ptr_null(strstr(faults.at, "required"));
    ck_assert_ptr_null(load("# nothing\n"));
    ck_assert_ptr_nonnull(strstr(faults.at, "database.url: is required"));
}
END_TEST

START_TEST(units_and_bounds_are_kept)
{
    static const struct {
        const char *yaml;
        bool valid;
    } cases[] = {
        {"limits: {idle: 1h}", true},
        {"limits: {idle: 61m}", false},
        {"limits: {idle: 999us}", false},
        {"limits: {idle: 1ms}", true},
        {"limits: {idle: 1.5s}", false},
        {"limits: {idle: -1s}", false},
        {"limits: {idle: 0}", false},
        {"limits: {body: 0}", true},
        {"limits: {body: 1GiB}", true},
        {"limits: {body: 2GiB}", false},
        {"limits: {body: -1}", false},
        {"limits: {body: 9999999999GiB}", false},
        {"limits: {body: 1MB}", false},
        {"limits:", true},
        {"limits: {body: }", true},
        {"listen: {tls: {port: 0}}", false},
        {"# nothing", true},
        {"- a", false},
    };
    setenv("SHIMIN_DATABASE_URL", "x", 1);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct config *config = load(cases[i].yaml);
        ck_assert_msg((config != NULL) == cases[i].valid, "%s: %s", cases[i].yaml, faults.at);
        config_close(config);
    }
}
END_TEST

START_TEST(a_file_that_is_no_yaml_or_not_there_is_refused)
{
    ck_assert_ptr_null(load("a: [1\n"));
    ck_assert_ptr_nonnull(strstr(faults.at, ":2: column 1: did not find"));
    faults = text_open(arena, 0);
    ck_assert_ptr_null(config_load("/nowhere/shimin.yaml", keys, COUNT_OF(keys), &faults));
    ck_assert_ptr_nonnull(strstr(faults.at, "/nowhere/shimin.yaml: does not exist\n"));
}
END_TEST

START_TEST(every_key_is_described)
{
    struct text out = text_open(arena, 0);
    config_describe(keys, COUNT_OF(keys), &out);
    ck_assert_ptr_nonnull(strstr(out.at, "listen.tls.port  (integer, 1 to 65535)\n    Port.\n    default: 8443\n"
                                         "    environment: SHIMIN_LISTEN_TLS_PORT\n"));
    ck_assert_ptr_nonnull(strstr(out.at, "crypto.suite  (string, one of intl,gm)"));
    ck_assert_ptr_nonnull(strstr(out.at, "database.url  (string)  required"));
    ck_assert_ptr_nonnull(strstr(out.at, "limits.idle  (duration, 1ms to 1h)"));
}
END_TEST

RUN_TESTS("config", values_come_from_the_file_or_the_fallback, the_environment_goes_before_the_file,
          without_a_file_the_environment_and_the_fallbacks_serve, every_fault_is_named_with_file_line_and_reason_in_one_run,
          a_value_that_its_key_refuses_is_named_with_its_line, what_a_file_that_cannot_be_read_may_have_given_is_not_missed,
          units_and_bounds_are_kept, a_file_that_is_no_yaml_or_not_there_is_refused, every_key_is_described)
