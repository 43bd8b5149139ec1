/* Accept (RFC 9110 §12.5.1): which of two media types a client would rather have. */
#ifndef SERVICES_PUBLICATIONS_ACCEPT_H
#define SERVICES_PUBLICATIONS_ACCEPT_H

#include <shimin/str.h>

/* The quality of `type` ("application/json") in thousandths, by the most specific range that names it; an absent or empty field
 * accepts everything. */
int accept_quality(struct str accept, struct str type);

#endif
