/* One value of the configuration, from text or from the file's tree. */
#ifndef SHIMIN_BASE_CONFIG_VALUE_H
#define SHIMIN_BASE_CONFIG_VALUE_H

#include "base/config.h"

struct config_value {
    bool present; /* has a value */
    bool given;   /* by the file or the environment */
    union {
        const char *string;
        int64_t integer; /* also microseconds and bytes */
        bool boolean;
        const char *const *list;
        const struct json *json;
    };
    size_t count;              /* of the list */
    const struct json *source; /* in the file; NULL: none, or the environment's */
};

extern const char *const config_type_names[];

/* Both fill *value and return true, or return false with the reason in *fault. */
MUST_CHECK bool config_value_from_json(struct arena *arena, const struct config_key *key, const struct json *json,
                                       struct config_value *value, struct str *fault);
MUST_CHECK bool config_value_from_text(struct arena *arena, const struct config_key *key, struct str text,
                                       struct config_value *value, struct str *fault);
/* "SHIMIN_LISTEN_TLS_PORT" */
const char *config_variable(struct arena *arena, const char *path);
/* Bounds of a number in the key's own unit, or "" without any. */
struct str config_bounds(struct arena *arena, const struct config_key *key);
/* The key whose path (or whose variable) is spelled nearly so, or NULL. */
const struct config_key *config_nearest(const struct config_key *keys, size_t count, struct str spelled, bool variable);

#endif
