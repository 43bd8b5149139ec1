/* The handlers of the module, and what they share. */
#ifndef SERVICES_TRAFFIC_HANDLERS_H
#define SERVICES_TRAFFIC_HANDLERS_H

#include <shimin/actor.h>
#include <shimin/module.h>

/* Whose traffic the actor may see: a slug, or at == NULL for all. false after a reply: the actor sees none. */
MUST_CHECK bool traffic_scope(struct request *request, struct str *department);
void traffic_reply_unavailable(struct request *request);

void read_traffic(struct request *request);
void stream_traffic(struct request *request);
void read_breaker(struct request *request);
void read_footprint_days(struct request *request);

/* In each worker, when it stops: its streams end, and no new one begins. */
void live_stop(void);

#endif
