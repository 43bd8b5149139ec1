/* The key of cursors (shimin/cursor.h). */
#ifndef SHIMIN_EDGE_CURSOR_H
#define SHIMIN_EDGE_CURSOR_H

#include "crypto/digest.h"

/* The same in every gateway, so that a page may be continued at another. Once, before the workers start. */
void cursor_open(const uint8_t key[DIGEST_SIZE]);

#endif
