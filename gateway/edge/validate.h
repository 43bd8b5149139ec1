/* What the contract says of parameters and body, checked before any handler runs. */
#ifndef SHIMIN_VALIDATE_H
#define SHIMIN_VALIDATE_H

#include "edge/route.h"

/* Reads and checks every parameter of the operation and the body; false after answering with one problem that names every
 * fault: parameters 400, no acceptable media type 406, media type 415, syntax 400, content 422. */
MUST_CHECK bool validate_request(struct request *request, const struct route *route, const struct route_match *match);

#endif
