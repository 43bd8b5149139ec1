/* What the gateway tidies up in Postgres by itself. */
#ifndef SHIMIN_HOUSEKEEPING_H
#define SHIMIN_HOUSEKEEPING_H

/* On each worker; the first one makes the partitions of the months ahead and deletes expired idempotency keys, now and every
 * hour. Several gateways may do so side by side. */
void housekeeping_open(void);
void housekeeping_close(void);

#endif
