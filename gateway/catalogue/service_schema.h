/* What a service's definition must look like: catalogue.schema.json, as it stood when the program was built. */
#ifndef SHIMIN_CATALOGUE_SERVICE_SCHEMA_H
#define SHIMIN_CATALOGUE_SERVICE_SCHEMA_H

#include "contract/schema.h"

/* false with errors[], their pointers into the definition. CPU only; compiles the schema when it is first used. Any thread. */
MUST_CHECK bool service_schema_validate(struct arena *arena, const struct json *definition, struct schema_errors *errors);

#endif
