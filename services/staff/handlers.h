/* The handlers of staff, and how they answer. */
#ifndef SHIMIN_SERVICES_STAFF_HANDLERS_H
#define SHIMIN_SERVICES_STAFF_HANDLERS_H

#include <shimin/module.h>
#include <shimin/staff.h>

void staff_reply_unavailable(struct request *request);

/* sessions.c */
void open_staff_session(struct request *request);
void read_staff_session(struct request *request);
void close_staff_session(struct request *request);
void list_staff_sessions(struct request *request);
void revoke_staff_session(struct request *request);
void revoke_staff_sessions(struct request *request);

#endif
