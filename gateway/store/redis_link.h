/* One connection to Redis: hiredis writes and parses the protocol, the bytes and the FIFO of waiting commands are ours. */
#ifndef SHIMIN_REDIS_LINK_H
#define SHIMIN_REDIS_LINK_H

#include "store/backoff.h"
#include "store/redis_url.h"
#include "store/wire_buffer.h"

#include <shimin/redis.h>

#include <h2o.h>
#include <hiredis/hiredis.h>
#include <shimin/worker.h>

/* One command on its way. */
struct redis_slot;

enum redis_link_state {
    LINK_DOWN,       /* the retry timer is set */
    LINK_CONNECTING, /* a fiber is at it */
    LINK_UP,
};

struct redis_link;
struct redis_link_events {
    /* In the connecting fiber, once logged in and before it is up: what this connection needs. May be NULL. */
    enum redis_status (*prepare)(struct redis_link *link);
    void (*up)(struct redis_link *link);
    void (*failed)(struct redis_link *link); /* one try to connect */
    void (*lost)(struct redis_link *link);
    void (*message)(struct redis_link *link, const redisReply *payload); /* of a channel that was subscribed to */
};

struct redis_link {
    enum redis_link_state state;
    bool closing; /* its connecting fiber frees it */
    bool was_up;
    struct arena *arena; /* of the URL: an offload thread may read it after the owner has gone */
    struct redis_url url;
    const struct redis_link_events *events;
    void *owner;
    unsigned generation; /* counts the descriptors that were given up */
    struct fiber *connecting;
    struct backoff backoff;
    struct timer retry;
    h2o_socket_t *socket; /* owns the descriptor; NULL: nothing is open */
    int descriptor;
    struct wire_buffer out;
    redisReader *reader;
    struct redis_slot *first, **last;
    int64_t patience;
    unsigned answers, answers_watched; /* counted, and as they stood when `watch` was set */
    struct timer watch;
    struct redis_link *next_dirty;
    bool dirty, blocked;
};

/* Starts to connect, and keeps it up from then on. A server that owes answers and gives none for `patience` is treated as lost,
 * so that nobody else waits for it. */
struct redis_link *redis_link_open(const struct redis_url *url, int64_t patience, const struct redis_link_events *events,
                                   void *owner);
/* Who waits gets REDIS_UNAVAILABLE; no event is told. NULL is ignored. */
void redis_link_close(struct redis_link *link);
void redis_link_drop(struct redis_link *link, const char *reason);

/* Queues a finished command, which leaves at the end of the turn; *slot is then to be waited for. REDIS_UNAVAILABLE when
 * nothing is open. */
enum redis_status redis_link_send(struct redis_link *link, struct arena *arena, struct redis_reply *reply, struct str command,
                                  struct redis_slot **slot) MUST_CHECK;
/* Waits for the reply. `error`, if not NULL, gets the first word of an error reply, which is then not logged. */
enum { REDIS_ERROR_WORD = 24 };
enum redis_status redis_slot_wait(struct redis_slot *slot, char error[REDIS_ERROR_WORD]) MUST_CHECK;
/* Both, for a command made from words. */
enum redis_status redis_link_words(struct redis_link *link, struct arena *arena, struct redis_reply *reply,
                                   const struct str *words, size_t count, char error[REDIS_ERROR_WORD]) MUST_CHECK;
/* Sends without waiting; the answer is thrown away. */
void redis_link_tell(struct redis_link *link, const char *command);
/* Answers that are still to come. */
bool redis_link_is_waiting(const struct redis_link *link);

#endif
