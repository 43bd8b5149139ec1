/* The configuration, as modules may ask for it. */
#ifndef EDGE_SETTINGS_H
#define EDGE_SETTINGS_H

#include <shimin/settings.h>

struct config;

/* Once, before the workers start; the configuration lives as long as the process. */
void settings_prepare(const struct config *config);

#endif
