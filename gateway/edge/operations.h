/* The operations listener: /livez, /readyz and /metrics, for the machine's own network only. */
#ifndef SHIMIN_OPERATIONS_H
#define SHIMIN_OPERATIONS_H

#include <shimin/request.h>

void operations_handle(struct request *request);
/* From now on /readyz says no, so that balancers send nothing new. */
void operations_drain(void);

#endif
