/* Everything that listens: the players and the control API. Set up once before the workers start, read-only then. */
#ifndef SANDBOX_STAGE_H
#define SANDBOX_STAGE_H

#include "player.h"

struct stage {
    struct player *players;
    unsigned count;
    struct http_listener *listeners; /* one a player, in the same order; the control API's is the last */
};
extern struct stage stage;

/* NULL when there is none of that slug. */
struct player *stage_player(struct str slug);

struct request;
/* Answers a call to a department. */
void play_handle(struct request *request);
void play_finished(struct request *request);
struct twin;
/* The same for a twin, whose reference it takes over; `path` is that of the contract. */
void play_twin(struct request *request, struct player *player, struct twin *twin, struct str path);
bool play_admit(const struct http_listener *listener);

/* Compiles the control API's own contract; aborts when it is broken. */
void control_prepare(void);
/* Answers a call to the control API. */
void control_handle(struct request *request);

#endif
