/* Every key of the configuration file. */
#ifndef SHIMIN_CONFIG_KEYS_H
#define SHIMIN_CONFIG_KEYS_H

#include "base/config.h"

extern const struct config_key config_keys[];
extern const size_t config_key_count;

#endif
