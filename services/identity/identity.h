/* What the files of this module share: how a department is asked about a person, and how a session is answered. */
#ifndef SHIMIN_SERVICES_IDENTITY_H
#define SHIMIN_SERVICES_IDENTITY_H

#include <shimin/account.h>
#include <shimin/department.h>
#include <shimin/module.h>

void identity_reply_unavailable(struct request *request);
/* A new session of the citizen in place of the one that asks: a new level is a new token. */
void identity_replace_session(struct request *request, const struct citizen *citizen);
/* Asks the department that verifies persons. NULL, or the problem. */
const struct problem *identity_ask(struct request *request, struct str operation, const struct json *values,
                                   struct department_answer *answer) MUST_CHECK;

/* face.c */
void start_face_verification(struct request *request);
void complete_face_verification(struct request *request);

#endif
