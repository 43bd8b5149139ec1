/* The handlers of the module, and what they share. */
#ifndef SERVICES_WEBHOOKS_HANDLERS_H
#define SERVICES_WEBHOOKS_HANDLERS_H

#include <shimin/actor.h>
#include <shimin/module.h>
#include <shimin/pg.h>

/* The path's {id} when it is one; false after 404. */
MUST_CHECK bool webhook_id_of(struct request *request, struct str *id);
void webhook_reply_absent(struct request *request);
void webhook_reply_unavailable(struct request *request);
void webhook_reply_bad(struct request *request, struct str pointer, struct bilingual why);
/* For the audit: which webhook. */
void webhook_audit(struct request *request, struct str id, struct str detail);

void list_event_types(struct request *request);
void list_webhooks(struct request *request);
void list_all_webhooks(struct request *request);
void read_webhook(struct request *request);
void add_webhook(struct request *request);
void change_webhook(struct request *request);
void remove_webhook(struct request *request);
void rotate_key(struct request *request);

void send_test(struct request *request);
void list_deliveries(struct request *request);
void replay_delivery(struct request *request);
void replay_events(struct request *request);

#endif
