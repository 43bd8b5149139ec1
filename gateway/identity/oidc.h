/* Login of staff at a city's own identity provider: OpenID Connect, authorization code with PKCE. */
#ifndef SHIMIN_IDENTITY_OIDC_H
#define SHIMIN_IDENTITY_OIDC_H

#include <shimin/json.h>

struct oidc_settings {
    const char *issuer; /* "https://id.city.example"; NULL: not offered */
    const char *client_id;
    const char *secret_file;  /* client_secret_basic; NULL: PKCE alone */
    const char *claim;        /* whose value is the name of the account */
    const char *acr;          /* that the provider must vouch for; NULL: any */
    const char *redirect_uri; /* a page of the console, which hands code and state on */
    const char *ca_file;      /* NULL: the system's */
};

/* A document of the provider: GET, or POST with a form. NULL after logging why. Waits. */
const struct json *oidc_fetch(struct arena *arena, const struct oidc_settings *settings, struct str url, struct str form,
                              struct str authorization) MUST_CHECK;

#endif
