/* Personal values that a module keeps in Postgres: encrypted and bound to their place, found by a keyed index. The keys are the
 * gateway's (configuration: keys.file). Nothing here waits. */
#ifndef SHIMIN_PERSONAL_H
#define SHIMIN_PERSONAL_H

#include <shimin/arena.h>

/* Encrypted for one column ("bill_account.number") of one row (its id as text); bytes for bytea. Equal values differ. */
struct str personal_seal(struct arena *arena, const char *column, struct str row, struct str value);
/* STR_NONE after logging why, when it was not sealed for this place or its key is missing. */
struct str personal_open(struct arena *arena, const char *column, struct str row, struct str sealed);
/* 32 bytes by which equal values of a column are found; it tells nothing of the value without the key. Normalise first. */
struct str personal_index(struct arena *arena, const char *column, struct str value);

#endif
