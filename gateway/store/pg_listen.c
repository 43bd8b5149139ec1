/* LISTEN: one more connection, kept up, watched, and told what to listen to whenever it comes up. */
#include "store/pg_listen.h"

#include "store/pg_pool.h"

#include <assert.h>
#include <shimin/fiber.h>
#include <stdio.h>
#include <stdlib.h>

enum { LISTENERS_MAX = 8, CHECK_SECONDS = 10, ANSWER_SECONDS = 5 };

/* A silent connection may be a dead one; only a question tells. */
static const struct pg_statement keep_alive = {"shimin.keep_alive", "SELECT 1", 0};

struct listener {
    const char *channel;
    void (*notice)(struct str payload, void *argument);
    void (*restored)(void *argument);
    void *argument;
    char sql[96];
    char name[80];
    struct pg_statement listen;
};

static _Thread_local struct listening {
    struct pg_connection *connection;
    struct listener listeners[LISTENERS_MAX];
    unsigned count;
    unsigned restored; /* how many of them know that they listen */
    struct timer check;
    bool asked; /* an answer is due at the next check */
} * own;

static void check(struct timer *timer)
{
    struct listening *listening = CONTAINER_OF(timer, struct listening, check);
    struct pg_connection *connection = listening->connection;
    if (connection->state != PG_UP)
        return;
    if (listening->asked && connection->waiting) {
        pg_connection_drop(connection, "no answer to the keep-alive of LISTEN");
        return;
    }
    listening->asked = !listening->asked;
    if (listening->asked)
        pg_connection_send(connection, pg_slot_take(NULL, &keep_alive, NULL, 0, true));
    timer_set(timer, deadline_in(seconds(listening->asked ? ANSWER_SECONDS : CHECK_SECONDS)), check);
}

static void send_listen(struct listening *listening, unsigned from)
{
    for (unsigned i = from; i < listening->count; i++)
        pg_connection_send(listening->connection, pg_slot_take(NULL, &listening->listeners[i].listen, NULL, 0, true));
}

static void on_up(struct pg_connection *connection)
{
    struct listening *listening = connection->owner;
    listening->restored = 0;
    listening->asked = false;
    send_listen(listening, 0);
    timer_set(&listening->check, deadline_in(seconds(CHECK_SECONDS)), check);
}

/* Told only when every LISTEN was answered: what is read from now on and what is announced from now on leave no gap. */
static void on_idle(struct pg_connection *connection)
{
    struct listening *listening = connection->owner;
    while (own == listening && listening->restored < listening->count) {
        struct listener *listener = &listening->listeners[listening->restored++];
        listener->restored(listener->argument);
    }
}

static void on_notice(struct pg_connection *connection, struct str channel, struct str payload)
{
    struct listening *listening = connection->owner;
    for (unsigned i = 0; i < listening->count; i++)
        if (str_is(channel, listening->listeners[i].channel))
            listening->listeners[i].notice(payload, listening->listeners[i].argument);
}

static const struct pg_connection_events events = {.up = on_up, .idle = on_idle, .notice = on_notice};

void pg_listen(const char *channel, void (*notice)(struct str payload, void *argument), void (*restored)(void *argument),
               void *argument)
{
    assert(pg_pool() && "pg_open comes first");
    if (!own) {
        own = memory_alloc(sizeof *own);
        own->connection = pg_connection_new(pg_pool()->parameters, &events, own, true);
    }
    assert(own->count < LISTENERS_MAX);
    struct listener *listener = &own->listeners[own->count++];
    *listener = (struct listener){.channel = channel, .notice = notice, .restored = restored, .argument = argument};
    snprintf(listener->sql, sizeof listener->sql, "LISTEN %s", channel);
    snprintf(listener->name, sizeof listener->name, "shimin.listen_%s", channel);
    listener->listen = (struct pg_statement){listener->name, listener->sql, 0};
    if (own->connection->state == PG_UP)
        send_listen(own, own->count - 1);
    else
        pg_connection_connect(own->connection);
}

void pg_listen_close(void)
{
    struct listening *listening = own;
    if (!listening)
        return;
    own = NULL;
    timer_clear(&listening->check);
    pg_connection_close(listening->connection);
    free(listening);
}
