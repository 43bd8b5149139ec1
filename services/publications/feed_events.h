/* Streams of feeds: what the module's opening and closing have to know of them. */
#ifndef SERVICES_PUBLICATIONS_FEED_EVENTS_H
#define SERVICES_PUBLICATIONS_FEED_EVENTS_H

/* In each worker, when it stops: its streams end, and no new one begins. */
void streams_stop(void);

#endif
