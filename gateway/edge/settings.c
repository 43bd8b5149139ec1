/* The configuration, as modules may ask for it. */
#include "edge/settings.h"

#include "base/config.h"

static const struct config *configuration;

void settings_prepare(const struct config *config)
{
    configuration = config;
}

const char *setting_string(const char *path)
{
    return config_string(configuration, path);
}

int64_t setting_integer(const char *path)
{
    return config_integer(configuration, path);
}

int64_t setting_duration(const char *path)
{
    return config_duration(configuration, path);
}

bool setting_boolean(const char *path)
{
    return config_boolean(configuration, path);
}
