/* Faults of OAuth's endpoints, as its clients read them. */
#ifndef SHIMIN_OAUTH_ERROR_H
#define SHIMIN_OAUTH_ERROR_H

#include "edge/exchange.h"

/* Makes of a problem the error of RFC 6749 §5.2; any other reply stays. */
void oauth_error(struct request *request);

#endif
