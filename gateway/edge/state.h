/* Where this gateway may keep what it can rebuild, the directory of the last good catalogue, and where it finds the console. */
#ifndef SHIMIN_EDGE_STATE_H
#define SHIMIN_EDGE_STATE_H

#include <shimin/module.h>

/* Once, before the workers start. Both must live as long as the process; NULL or "": nothing is kept on disk, no console. */
void state_prepare(const char *directory, const char *console);

#endif
