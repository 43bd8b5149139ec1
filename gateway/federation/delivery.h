/* Delivers what the outbox holds (schema/migrations/0022_outbox.sql) to the webhooks of departments. The README has the
 * promises. */
#ifndef FEDERATION_DELIVERY_H
#define FEDERATION_DELIVERY_H

/* In a fiber of each worker, after federation_open; the first one works. */
void deliveries_open(void);
/* On the worker's loop when it stops: attempts under way end, and no other begins. */
void deliveries_close(void);

#endif
