/* The settings that the calling worker was opened with. */
#ifndef FEDERATION_SETTINGS_H
#define FEDERATION_SETTINGS_H

#include "federation/federation.h"

const struct federation_settings *federation_settings(void);

#endif
