/* Header fields that no contract decides about. */
#ifndef FEDERATION_OWN_HEADER_H
#define FEDERATION_OWN_HEADER_H

#include <shimin/str.h>

/* Whether the field is the gateway's own business: the citizen's credentials and where they come from, our signature, what
 * frames the message. A parameter of that name in a contract is neither read from a citizen nor sent to the department: a
 * department that declares `Authorization` must not be handed its callers' tokens. */
bool header_is_ours(struct str name);

#endif
