/* One connection to Postgres: libpq opens and authenticates it, we speak the protocol on it, statements wait in a FIFO. */
#ifndef SHIMIN_PG_CONNECTION_H
#define SHIMIN_PG_CONNECTION_H

#include "store/backoff.h"
#include "store/pg_wire.h"

#include <h2o.h>
#include <libpq-fe.h>
#include <shimin/worker.h>

/* One statement on its way. Owned by the fiber that waits for it until that leaves, then by the connection. */
struct pg_slot {
    struct pg_slot *next;
    struct fiber *fiber; /* NULL: nobody waits, the answer is thrown away */
    struct arena *arena;
    const struct pg_statement *statement;
    const struct pg_value *values; /* the fiber's: only while it waits */
    size_t count;
    bool alone;       /* a transaction of its own, so that it may be sent again when it certainly did not run */
    bool wants_rows;  /* a result is to be made */
    uint64_t sent_at; /* where its first byte lies in the connection's stream */
    bool parses;      /* a Parse goes before it */
    bool parsed;      /* … and was understood */
    bool again;       /* it was sent a second time already */
    /* the answer */
    bool done;
    enum pg_status status;
    const struct pg_result *result;
    char tag[24]; /* of CommandComplete */
};

enum pg_connection_state {
    PG_DOWN,       /* nothing open; the retry timer is set if it is to be kept up */
    PG_CONNECTING, /* a fiber is at it */
    PG_UP,
};

struct pg_connection;
/* Told to the owner; never called from within a function that the owner called, except by pg_connection_flush. Any may be
 * NULL. */
struct pg_connection_events {
    void (*up)(struct pg_connection *connection);
    void (*failed)(struct pg_connection *connection); /* one try to connect */
    /* The slots that never left this machine are handed on in `unsent`; the others are done with PG_UNAVAILABLE. */
    void (*lost)(struct pg_connection *connection, struct pg_slot *unsent);
    void (*idle)(struct pg_connection *connection); /* the last answer came */
    /* It owes an answer and has said nothing for half of its patience; again whenever that time has doubled. */
    void (*silent)(struct pg_connection *connection);
    void (*notice)(struct pg_connection *connection, struct str channel, struct str payload);
};

/* libpq's keywords and values of a connection string with our session settings added; shared by a worker's connections. */
struct pg_parameters;
/* NULL, with the reason in the log, when the string is malformed. */
struct pg_parameters *pg_parameters_new(const char *connection_string, unsigned statement_timeout_ms);
struct pg_parameters *pg_parameters_hold(struct pg_parameters *parameters);
void pg_parameters_release(struct pg_parameters *parameters);

struct pg_connection {
    enum pg_connection_state state;
    bool keep_up; /* reconnect when lost */
    bool closing; /* its connecting fiber frees it */
    struct pg_parameters *parameters;
    const struct pg_connection_events *events;
    void *owner;
    unsigned generation; /* counts the connections that were lost */
    struct fiber *connecting;
    struct backoff backoff;
    struct timer retry;

    int64_t patience;   /* with a server that owes an answer; 0: without end */
    int64_t heard;      /* steady: the last byte that came, or the first question after a time without any */
    bool silent;        /* owes an answer, and says nothing */
    struct timer watch; /* set while an answer is owed, and a little longer */

    PGconn *link;
    void *tls; /* an SSL *, or NULL */
    int descriptor;
    h2o_socket_t *socket; /* on a duplicate of the descriptor */
    struct wire_buffer out, in;
    uint64_t queued, written; /* bytes since it came up */
    bool blocked;             /* waits until the kernel takes more */
    struct pg_connection *next_dirty;
    bool dirty; /* on the list of those that the end of the turn flushes */

    struct pg_slot *first, **last; /* in the order of the answers to come */
    unsigned waiting;
    uint8_t *prepared; /* by statement number */
    size_t prepared_room;

    /* the answer that is coming in, from the start of `in` */
    struct {
        size_t scanned;
        size_t rows;
        bool failed;
        char sqlstate[6];
    } answer;
};

/* Down, until pg_connection_connect. */
struct pg_connection *pg_connection_new(struct pg_parameters *parameters, const struct pg_connection_events *events,
                                        void *owner, bool keep_up);
/* Starts a try, in a fiber of its own. No effect unless down. */
void pg_connection_connect(struct pg_connection *connection);
/* Closes and frees. Waiting slots are done with PG_UNAVAILABLE; no event is told. */
void pg_connection_close(struct pg_connection *connection);
/* As if the server had gone. No effect unless up. */
void pg_connection_drop(struct pg_connection *connection, const char *reason);
/* Queues the statement; it leaves at the end of the loop's turn, together with all others of the turn, in one write. The
 * connection must be up. */
void pg_connection_send(struct pg_connection *connection, struct pg_slot *slot);

/* A slot of the worker's pool, for the calling fiber, or (nobody == true) for nobody. */
struct pg_slot *pg_slot_take(struct arena *arena, const struct pg_statement *statement, const struct pg_value *values,
                             size_t count, bool nobody);
/* Waits until the slot is done or the fiber must leave; gives the slot back either way. Never after pg_slot_take(…, true). */
enum pg_status pg_slot_wait(struct pg_slot *slot, const struct pg_result **result);
void pg_slot_finish(struct pg_slot *slot, enum pg_status status);
void pg_slot_free(struct pg_slot *slot);
void pg_slots_forget(void);

/* ---- between pg_connection.c, pg_connect.c, pg_answers.c and pg_silence.c ---- */
/* One try, in the calling fiber; on success link, descriptor, tls and socket are set. */
MUST_CHECK bool pg_connect(struct pg_connection *connection);
/* Takes the whole messages that are in the buffer; false when the stream is broken. */
MUST_CHECK bool pg_answers_take(struct pg_connection *connection);
/* A question goes to a connection that owed no answer. */
void pg_silence_watch(struct pg_connection *connection);
/* Whether the statement is prepared on the connection, or on its way there. */
uint8_t *pg_prepared(struct pg_connection *connection, const struct pg_statement *statement);

#endif
