/* Footprints: who read whose data, for what, when. Their queue belongs to the worker. */
#ifndef FEDERATION_FOOTPRINT_H
#define FEDERATION_FOOTPRINT_H

#include <shimin/department.h>

void footprints_open(const char *spool_dir);
/* Sends what is queued now. Waits. For tests and for answers that must show a footprint that was just left. */
MUST_CHECK bool footprints_flush(void);
void footprints_close(void);

#endif
