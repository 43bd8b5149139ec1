/* Cursors: where a page ended, as an opaque text that cannot be forged. */
#ifndef SHIMIN_CURSOR_H
#define SHIMIN_CURSOR_H

#include <shimin/str.h>

/* base64url of a MAC and the state, bound to `purpose` (the operation): a cursor of another list is invalid. */
struct str cursor_make(struct arena *arena, const char *purpose, struct str state);
/* false for what cursor_make of this purpose did not make: answer PROBLEM_INVALID_CURSOR. */
MUST_CHECK bool cursor_read(struct arena *arena, const char *purpose, struct str cursor, struct str *state);

#endif
