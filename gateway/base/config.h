/* The configuration: one YAML file and the environment, checked against a table of keys.
 *
 * All faults are reported in one run, each with file, line and reason; a configuration with a fault is refused whole. The
 * environment goes before the file: key `listen.tls.port` is SHIMIN_LISTEN_TLS_PORT. */
#ifndef SHIMIN_BASE_CONFIG_H
#define SHIMIN_BASE_CONFIG_H

#include <shimin/json.h>

enum config_type {
    CONFIG_STRING,
    CONFIG_INTEGER,
    CONFIG_BOOLEAN,
    CONFIG_DURATION, /* "250us", "500ms", "2s", "5m", "1h", "7d", or 0 */
    CONFIG_SIZE,     /* "512B", "64KiB", "1MiB", "2GiB", or a number of bytes */
    CONFIG_PATH,     /* in the file: relative to the file's folder; elsewhere: as it is */
    CONFIG_LIST,     /* of strings; in the environment separated by commas */
    CONFIG_MAP,      /* an object left to its reader; in the environment as JSON or YAML */
};

struct config_key {
    const char *path; /* lower-case words joined by '.', as "listen.tls.port"; no key is the section of another */
    enum config_type type;
    const char *fallback; /* as the environment would give it; NULL: no value unless it is set */
    bool required;
    int64_t min, max;    /* of CONFIG_INTEGER, CONFIG_DURATION (microseconds) and CONFIG_SIZE (bytes); max 0: no bound but that
                            durations and sizes are not negative */
    const char *choices; /* of CONFIG_STRING: "intl,gm"; NULL: any */
    /* Why a text cannot be the value, or STR_NONE: of CONFIG_STRING, and of each item of CONFIG_LIST. NULL: any can. */
    struct str (*refuse)(struct arena *arena, struct str text);
    /* The same for each member of CONFIG_MAP. */
    struct str (*refuse_member)(struct arena *arena, const struct json_member *member);
    const char *help; /* one sentence */
};

struct config;

/* Reads the file (NULL: none) and the environment. `keys` must outlive the configuration. NULL when there is any fault; then
 * `faults` has one line for each. A broken table aborts. */
MUST_CHECK struct config *config_load(const char *path, const struct config_key *keys, size_t count, struct text *faults);
void config_close(struct config *config);

/* The value of a declared key; a key that is not declared with this type aborts. Text lives as long as the configuration. */
const char *config_string(const struct config *config, const char *path); /* STRING, PATH; NULL when there is none */
int64_t config_integer(const struct config *config, const char *path);    /* 0 when there is none, as below */
bool config_boolean(const struct config *config, const char *path);
int64_t config_duration(const struct config *config, const char *path);        /* microseconds */
size_t config_size(const struct config *config, const char *path);             /* bytes */
const struct json *config_json(const struct config *config, const char *path); /* MAP; NULL when there is none */
/* LIST: an array that ends in NULL; *count may be NULL. */
const char *const *config_list(const struct config *config, const char *path, size_t *count);
/* Of the item of a LIST: its line in the file; 0 when the environment gave it. */
uint32_t config_item_line(const struct config *config, const char *path, size_t index);
/* Where a value came from, for the faults that its reader finds: the file, or "environment: SHIMIN_…". */
const char *config_origin(const struct config *config, const char *path);
/* Whether the file or the environment set it, and not the fallback. */
bool config_is_set(const struct config *config, const char *path);
/* The file it was read from, for the faults that readers of a CONFIG_MAP find (each struct json has its line), or NULL. */
const char *config_file(const struct config *config);

/* Every key with its type, bounds, default, variable and help, for `shimin serve --help-config`. */
void config_describe(const struct config_key *keys, size_t count, struct text *out);

#endif
