/* Values of the configuration (gateway/config_keys.c) that are a module's own. Asked for at the start, by key; a key that is
 * not declared with this type aborts. */
#ifndef SHIMIN_SETTINGS_H
#define SHIMIN_SETTINGS_H

#include <shimin/arena.h>
#include <stdbool.h>
#include <stdint.h>

const char *setting_string(const char *path); /* a string or a path; NULL when there is none; lives as long as the process */
int64_t setting_integer(const char *path);
int64_t setting_duration(const char *path); /* microseconds */
bool setting_boolean(const char *path);

#endif
