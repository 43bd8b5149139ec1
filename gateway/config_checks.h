/* What texts of the configuration must look like, beyond their type; each gives the reason why one cannot be, or STR_NONE. */
#ifndef SHIMIN_CONFIG_CHECKS_H
#define SHIMIN_CONFIG_CHECKS_H

#include "base/config.h"

struct str refuse_address(struct arena *arena, struct str text);      /* numeric, to listen on */
struct str refuse_origin(struct arena *arena, struct str text);       /* as a browser sends it */
struct str refuse_problem_base(struct arena *arena, struct str text); /* what `type` begins with */
struct str refuse_postgres(struct arena *arena, struct str text);     /* libpq's connection string or URI */
struct str refuse_redis(struct arena *arena, struct str text);

#endif
