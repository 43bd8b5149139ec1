/* Where this gateway may keep what it can rebuild: the directory of the last good catalogue. */
#ifndef SHIMIN_EDGE_STATE_H
#define SHIMIN_EDGE_STATE_H

#include <shimin/module.h>

/* Once, before the workers start. `directory` must live as long as the process; NULL or "": nothing is kept on disk. */
void state_prepare(const char *directory);

#endif
