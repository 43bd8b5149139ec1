/* What the files about clients share. */
#ifndef SHIMIN_IDENTITY_CLIENT_H
#define SHIMIN_IDENTITY_CLIENT_H

#include <shimin/client.h>

#include <string.h>

#define CLIENT_TOKEN_PATH "/oauth/token" /* beneath the issuer */

MUST_CHECK bool client_method_named(struct str name, enum client_method *method);
/* "contracts services" as bits; words that are no scopes are left out. */
unsigned client_scopes_read(struct str words);

#endif
