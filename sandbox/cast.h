/* Who plays: the departments of the catalogue, or one contract alone. */
#ifndef SANDBOX_CAST_H
#define SANDBOX_CAST_H

#include "player.h"

/* Every department in the catalogue's directory, in the order of numbers. Players that cannot be prepared are faults too. false
 * when there is any fault, each a line of *faults. Reads files: before the workers start. */
MUST_CHECK bool cast_load(struct arena *arena, const char *catalogue, const char *contracts, const struct secrets *secrets,
                          bool secrets_given, unsigned first_port, struct player **players, unsigned *count,
                          struct text *faults);
/* One contract, whose slug is its file's name; signatures are not looked at. */
MUST_CHECK bool cast_load_contract(struct arena *arena, const char *path, unsigned port, struct player *player,
                                   struct text *faults);

#endif
