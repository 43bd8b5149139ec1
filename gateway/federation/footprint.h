/* Footprints: who read whose data, for what, when. Their queue belongs to the worker. */
#ifndef FEDERATION_FOOTPRINT_H
#define FEDERATION_FOOTPRINT_H

#include <shimin/department.h>

void footprints_open(const char *spool_dir);
/* As footprint_record, for what no service stands behind. */
void footprint_leave(const struct citizen *citizen, struct str service, struct str department, struct str reader,
                     struct str purpose, struct str trace_id);
/* Sends what is queued now. Waits. For tests and for answers that must show a footprint that was just left. */
MUST_CHECK bool footprints_flush(void);
void footprints_close(void);

#endif
