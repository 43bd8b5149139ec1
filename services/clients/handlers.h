/* The handlers of clients: OAuth's endpoints, and what a department does with its clients. */
#ifndef SHIMIN_SERVICES_CLIENTS_HANDLERS_H
#define SHIMIN_SERVICES_CLIENTS_HANDLERS_H

#include <shimin/client.h>
#include <shimin/module.h>

/* form.c: a body of the type application/x-www-form-urlencoded. */
struct form;
/* NULL when a name comes twice (RFC 6749 §3.2), an escape is broken, or there are too many. */
const struct form *form_read(struct arena *arena, struct str body);
struct str form_get(const struct form *form, const char *name); /* STR_NONE when absent or empty (RFC 6749 §3.2) */

/* oauth.c */
void issue_token(struct request *request);
void revoke_token(struct request *request);
void read_authorization_server(struct request *request);

/* clients.c */
void list_clients(struct request *request);
void create_client(struct request *request);
void read_client(struct request *request);
void change_client(struct request *request);
void revoke_client(struct request *request);

/* credentials.c */
void add_credential(struct request *request);
void revoke_credential(struct request *request);

/* 503 for a store that is away. */
void clients_reply_unavailable(struct request *request);
/* 404 for a client that there is not, or that is another department's. */
void clients_reply_absent(struct request *request);
/* A client gives no scope that it has not. false after a 403. */
MUST_CHECK bool clients_may_give(struct request *request, unsigned scopes);
unsigned clients_scopes(struct str words);
/* Names the client in the audit. */
void clients_audit(struct request *request, struct str client_id, struct str detail);

#endif
