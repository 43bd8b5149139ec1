/* The handlers of staff, and how they answer. */
#ifndef SHIMIN_SERVICES_STAFF_HANDLERS_H
#define SHIMIN_SERVICES_STAFF_HANDLERS_H

#include <shimin/module.h>
#include <shimin/staff.h>

void staff_reply_unavailable(struct request *request);
/* Anything but STAFF_DONE that the handler has no words of its own for. */
void staff_reply_outcome(struct request *request, enum staff_outcome outcome);
/* A new session; with `cookie` its token is in the cookie only. */
void staff_reply_session(struct request *request, unsigned status, const struct staff_session_new *made, bool cookie);
/* The live sessions of an account. */
void staff_reply_sessions(struct request *request, struct str staff_id);
/* The password of an account for its next login, told once. */
void staff_reply_password(struct request *request, unsigned status, struct str id, struct str password);

/* sessions.c */
void open_staff_session(struct request *request);
void read_staff_session(struct request *request);
void close_staff_session(struct request *request);
void list_staff_sessions(struct request *request);
void revoke_staff_session(struct request *request);
void revoke_staff_sessions(struct request *request);

/* oidc.c */
void read_oidc(struct request *request);
void begin_oidc(struct request *request);
void finish_oidc(struct request *request);

/* own.c */
void change_staff_password(struct request *request);
void enrol_second_factor(struct request *request);
void confirm_second_factor(struct request *request);

/* accounts.c: the city's under /admin/v1, a department's under /department/v1 */
void list_staff(struct request *request);
void create_staff(struct request *request);
void read_staff(struct request *request);
void change_staff(struct request *request);
void reset_staff(struct request *request);
void list_sessions_of_staff(struct request *request);
void revoke_sessions_of_staff(struct request *request);

#endif
