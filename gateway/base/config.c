/* The configuration: reading the file and the environment, gathering every fault, handing out values. */
#include "base/config_value.h"

#include <shimin/arena.h>
#include <shimin/file.h>
#include <shimin/log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

struct config {
    struct arena *arena;
    const char *file;
    const struct config_key *keys;
    size_t count;
    struct config_value *values; /* one a key */
};

struct loading {
    struct config *config;
    struct text *faults;
    bool failed;
    bool unread; /* the file as a whole: what it may have given is not missed */
};

static void add_fault(struct loading *loading, uint32_t line, const char *subject, struct str reason)
{
    const char *file = loading->config->file;
    loading->failed = true;
    if (file && line > 0)
        text_printf(loading->faults, "%s:%u: ", file, line);
    else if (file)
        text_printf(loading->faults, "%s: ", file);
    text_printf(loading->faults, "%s%s%.*s\n", subject, *subject ? ": " : "", STR_ARG(reason));
}

/* ---- the file ---- */

static void give_up_file(struct loading *loading, uint32_t line, struct str reason)
{
    add_fault(loading, line, "", reason);
    loading->unread = true;
}

static bool read_file(struct loading *loading, struct str *text)
{
    struct config *config = loading->config;
    const char *reason = file_read(config->arena, config->file, json_limits_document.bytes, FILE_PUBLIC, text);
    if (reason)
        give_up_file(loading, 0, str_of(reason));
    return !reason;
}

static const struct config_key *find_key(const struct config *config, struct str path)
{
    for (size_t i = 0; i < config->count; i++)
        if (str_is(path, config->keys[i].path))
            return &config->keys[i];
    return NULL;
}

static bool is_section(const struct config *config, const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 0; i < config->count; i++)
        if (strncmp(config->keys[i].path, path, n) == 0 && config->keys[i].path[n] == '.')
            return true;
    return false;
}

static void resolve_path(const struct config *config, struct config_value *value)
{
    const char *folder_end = strrchr(config->file, '/');
    if (!folder_end || value->string[0] == '/')
        return;
    int n = (int)(folder_end - config->file);
    value->string = str_printf(config->arena, "%.*s/%s", n, config->file, value->string).at;
}

static const char *member_name(struct arena *arena, const struct config_key *key, const struct json_member *member)
{
    return str_printf(arena, "%s.%.*s", key->path, STR_ARG(member->name)).at;
}

static void read_value(struct loading *loading, const struct config_key *key, const struct json *json)
{
    struct config *config = loading->config;
    struct config_value *value = &config->values[key - config->keys];
    struct str fault;
    if (json->type == JSON_NULL) /* "key:" with nothing behind it */
        return;
    if (!config_value_from_json(config->arena, key, json, value, &fault)) {
        add_fault(loading, json->line, key->path, fault);
        return;
    }
    value->given = true;
    value->source = json;
    for (uint32_t i = 0; key->refuse_member && i < json->count; i++) {
        const struct json_member *member = &json->members[i];
        fault = key->refuse_member(config->arena, member);
        if (fault.at)
            add_fault(loading, member->value.line, member_name(config->arena, key, member), fault);
    }
    if (key->type == CONFIG_PATH)
        resolve_path(config, value);
}

static void add_unknown(struct loading *loading, uint32_t line, const char *name, bool variable)
{
    struct config *config = loading->config;
    const struct config_key *meant = config_nearest(config->keys, config->count, str_of(name), variable);
    const char *spelled = !meant ? "" : variable ? config_variable(config->arena, meant->path) : meant->path;
    struct str reason = meant ? str_printf(config->arena, "unknown key; did you mean \"%s\"?", spelled) : STR("unknown key");
    add_fault(loading, line, name, reason);
}

/* Recursion as deep as the paths in the table. */
static void read_section(struct loading *loading, const struct json *section, const char *path)
{
    struct config *config = loading->config;
    for (uint32_t i = 0; i < section->count; i++) {
        const struct json_member *member = &section->members[i];
        const char *name = str_printf(config->arena, "%s%s%.*s", path, *path ? "." : "", STR_ARG(member->name)).at;
        const struct config_key *key = find_key(config, str_of(name));
        if (key)
            read_value(loading, key, &member->value);
        else if (!is_section(config, name))
            add_unknown(loading, member->value.line, name, false);
        else if (member->value.type == JSON_OBJECT)
            read_section(loading, &member->value, name);
        else if (member->value.type != JSON_NULL)
            add_fault(loading, member->value.line, name, STR("is a section: keys were expected beneath it"));
    }
}

/* Nothing but comments: a file that only shows what could be set. */
static bool is_blank(struct str text)
{
    while (text.at) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.len > 0 && line.at[0] != '#')
            return false;
    }
    return true;
}

static void read_document(struct loading *loading)
{
    struct config *config = loading->config;
    struct str text;
    struct json_error error;
    if (!read_file(loading, &text))
        return;
    const struct json *root = yaml_parse(config->arena, text, &json_limits_document, &error);
    if (!root && is_blank(text))
        return;
    if (!root)
        give_up_file(loading, error.line, str_printf(config->arena, "column %u: %s", error.column, error.reason));
    else if (root->type == JSON_OBJECT)
        read_section(loading, root, "");
    else if (root->type != JSON_NULL)
        give_up_file(loading, root->line, STR("keys were expected"));
}

/* ---- the environment, the fallbacks ---- */

static void add_variable_fault(struct loading *loading, const char *subject, struct str reason)
{
    loading->failed = true;
    text_printf(loading->faults, "environment: %s: %.*s\n", subject, STR_ARG(reason));
}

static void read_variables(struct loading *loading)
{
    struct config *config = loading->config;
    for (size_t i = 0; i < config->count; i++) {
        const char *variable = config_variable(config->arena, config->keys[i].path);
        const char *text = getenv(variable);
        struct str fault;
        if (!text)
            continue;
        struct config_value *value = &config->values[i];
        if (!config_value_from_text(config->arena, &config->keys[i], str_of(text), value, &fault)) {
            add_variable_fault(loading, variable, fault);
            continue;
        }
        value->given = true;
        for (uint32_t j = 0; config->keys[i].refuse_member && j < value->json->count; j++) {
            const struct json_member *member = &value->json->members[j];
            fault = config->keys[i].refuse_member(config->arena, member);
            if (fault.at)
                add_variable_fault(loading, member_name(config->arena, &config->keys[i], member), fault);
        }
    }
}

/* A variable that is spelled nearly as one of ours is a fault; others may belong to the scripts around us. */
static void refuse_misspelt_variables(struct loading *loading)
{
    struct config *config = loading->config;
    for (char **entry = environ; entry && *entry; entry++) {
        struct str rest = str_of(*entry);
        struct str name = str_cut(&rest, '=');
        if (!str_starts(name, STR("SHIMIN_")))
            continue;
        const struct config_key *meant = config_nearest(config->keys, config->count, name, true);
        const char *variable = meant ? config_variable(config->arena, meant->path) : NULL;
        if (!variable || str_is(name, variable))
            continue;
        loading->failed = true;
        text_printf(loading->faults, "environment: %.*s: unknown key; did you mean \"%s\"?\n", STR_ARG(name), variable);
    }
}

static void use_fallbacks(struct loading *loading)
{
    struct config *config = loading->config;
    for (size_t i = 0; i < config->count; i++) {
        const struct config_key *key = &config->keys[i];
        struct config_value *value = &config->values[i];
        struct str fault;
        if (value->given)
            continue;
        if (key->fallback && !config_value_from_text(config->arena, key, str_of(key->fallback), value, &fault))
            fatal("configuration key %s: its fallback \"%s\" %.*s", key->path, key->fallback, STR_ARG(fault));
    }
}

/* A value that was given badly is present: it has its fault already. */
static void require_values(struct loading *loading)
{
    const struct config *config = loading->config;
    for (size_t i = 0; i < config->count; i++)
        if (config->keys[i].required && !config->values[i].present)
            add_fault(loading, 0, config->keys[i].path, STR("is required and has no value"));
}

static void check_table(const struct config *config)
{
    for (size_t i = 0; i < config->count; i++) {
        const char *path = config->keys[i].path;
        if (is_section(config, path) || find_key(config, str_of(path)) != &config->keys[i])
            fatal("configuration key %s is declared twice, or is a section", path);
    }
}

struct config *config_load(const char *path, const struct config_key *keys, size_t count, struct text *faults)
{
    struct arena *arena = arena_open();
    struct config *config = arena_new(arena, struct config);
    *config = (struct config){.arena = arena, .keys = keys, .count = count};
    config->file = path ? str_to_c(arena, str_of(path)) : NULL;
    config->values = arena_array(arena, struct config_value, count);
    check_table(config);
    struct loading loading = {.config = config, .faults = faults};
    if (path)
        read_document(&loading);
    read_variables(&loading);
    refuse_misspelt_variables(&loading);
    use_fallbacks(&loading);
    if (!loading.unread)
        require_values(&loading);
    if (!loading.failed)
        return config;
    config_close(config);
    return NULL;
}

void config_close(struct config *config)
{
    if (config)
        arena_close(config->arena);
}

/* ---- values ---- */

static const struct config_value *value_of(const struct config *config, const char *path, enum config_type type)
{
    const struct config_key *key = find_key(config, str_of(path));
    bool text = type == CONFIG_STRING && key && key->type == CONFIG_PATH;
    if (!key || (key->type != type && !text))
        fatal("configuration key %s is not declared as %s", path, config_type_names[type]);
    return &config->values[key - config->keys];
}

const char *config_string(const struct config *config, const char *path)
{
    const struct config_value *value = value_of(config, path, CONFIG_STRING);
    return value->present ? value->string : NULL;
}

static int64_t number_of(const struct config *config, const char *path, enum config_type type)
{
    const struct config_value *value = value_of(config, path, type);
    return value->present ? value->integer : 0;
}

int64_t config_integer(const struct config *config, const char *path)
{
    return number_of(config, path, CONFIG_INTEGER);
}

int64_t config_duration(const struct config *config, const char *path)
{
    return number_of(config, path, CONFIG_DURATION);
}

size_t config_size(const struct config *config, const char *path)
{
    return (size_t)number_of(config, path, CONFIG_SIZE);
}

bool config_boolean(const struct config *config, const char *path)
{
    const struct config_value *value = value_of(config, path, CONFIG_BOOLEAN);
    return value->present && value->boolean;
}

const struct json *config_json(const struct config *config, const char *path)
{
    const struct config_value *value = value_of(config, path, CONFIG_MAP);
    return value->present ? value->json : NULL;
}

const char *const *config_list(const struct config *config, const char *path, size_t *count)
{
    static const char *const none[] = {NULL};
    const struct config_value *value = value_of(config, path, CONFIG_LIST);
    if (count)
        *count = value->count;
    return value->present ? value->list : none;
}

static const struct config_value *any_value(const struct config *config, const char *path)
{
    const struct config_key *key = find_key(config, str_of(path));
    if (!key)
        fatal("configuration key %s is not declared", path);
    return &config->values[key - config->keys];
}

uint32_t config_item_line(const struct config *config, const char *path, size_t index)
{
    const struct json *source = value_of(config, path, CONFIG_LIST)->source;
    return source && index < source->count ? source->items[index].line : 0;
}

const char *config_origin(const struct config *config, const char *path)
{
    const struct config_value *value = any_value(config, path);
    if (value->given && !value->source)
        return str_printf(config->arena, "environment: %s", config_variable(config->arena, path)).at;
    return config->file ? config->file : "configuration";
}

bool config_is_set(const struct config *config, const char *path)
{
    return any_value(config, path)->given;
}

const char *config_file(const struct config *config)
{
    return config->file;
}

void config_describe(const struct config_key *keys, size_t count, struct text *out)
{
    struct arena *arena CLEANUP(arena_close_at) = arena_open();
    for (size_t i = 0; i < count; i++) {
        const struct config_key *key = &keys[i];
        struct str bounds = config_bounds(arena, key);
        text_printf(out, "%s  (%s", key->path, config_type_names[key->type]);
        if (bounds.len > 0)
            text_printf(out, ", %.*s", STR_ARG(bounds));
        if (key->choices)
            text_printf(out, ", one of %s", key->choices);
        text_printf(out, ")%s\n    %s\n", key->required ? "  required" : "", key->help);
        if (key->fallback)
            text_printf(out, "    default: %s\n", *key->fallback ? key->fallback : "\"\"");
        text_printf(out, "    environment: %s\n\n", config_variable(arena, key->path));
    }
}
