/* The calls that the departments received, for the engineer who wonders what arrived. No personal values. Any thread. */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include "player.h"

struct call {
    int64_t at; /* wall */
    int64_t duration;
    const struct player *player;
    const struct operation *operation; /* NULL: unknown path, or the token endpoint */
    const char *method;
    const char *path; /* when there is no operation */
    unsigned status;
    enum behaviour_mode behaviour;
    const char *signature; /* static: "none", "fine" or why it was refused */
    char who[64];
    char refused[200];
};

/* Keeps the last 4096. */
void calls_keep(const struct call *call);
/* Newest first, at most `limit`; of one department, or of all (NULL). Copies. */
size_t calls_list(struct arena *arena, const struct player *player, size_t limit, struct call **list);
void calls_clear(void);

#endif
