/* The application's login: the name and password the gateway serves with, and nothing but the rights of shimin_app. */
#ifndef SHIMIN_MIGRATE_LOGIN_H
#define SHIMIN_MIGRATE_LOGIN_H

#include <libpq-fe.h>
#include <shimin/str.h>
#include <stdio.h>

/* Makes the login that `application` (a connection string) names, if it is missing, with its password, if it has one, and makes
 * it a member of shimin_app. A login that exists keeps its password. false with the reason in `faults`. */
MUST_CHECK bool migrate_login(PGconn *owner, const char *application, FILE *out, struct text *faults);

#endif
