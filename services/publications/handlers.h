/* The handlers of this module, by the archetype that they serve. */
#ifndef SERVICES_PUBLICATIONS_HANDLERS_H
#define SERVICES_PUBLICATIONS_HANDLERS_H

#include <shimin/request.h>

/* places.c */
void list_places(struct request *request);
/* feed_read.c */
void read_feed(struct request *request);
/* feed_events.c */
void stream_feed(struct request *request);
/* content.c */
void list_documents(struct request *request);
void read_document(struct request *request);
void list_versions(struct request *request);

#endif
