/* Private servers for tests: a Postgres and a Redis of their own in a temporary directory, on unix sockets. */
#ifndef SHIMIN_TEST_SERVERS_H
#define SHIMIN_TEST_SERVERS_H

#include <sys/types.h>

struct server {
    char directory[64];
    pid_t guardian; /* the process that started it, and ends it when told to or when we die; 0: not running */
    int leash;      /* a byte or the end on this pipe tells the guardian */
    char login[32]; /* the superuser's name (Postgres) */
    char url[160];  /* connection string */
};

/* Makes a cluster and starts it; aborts the test program when that fails. As root it runs as the user "postgres". */
void postgres_create(struct server *server);
void redis_create(struct server *server);
/* Stops one for others to begin where it is: making one takes a second and its migrations another, a copy a tenth. */
void postgres_rest(struct server *server);
void postgres_copy(struct server *server, const struct server *resting);
/* Starts a server that was killed or stopped, and waits until it takes connections. */
void postgres_start(struct server *server);
void redis_start(struct server *server);
/* Ends it as a crash would, and waits until it is gone. Postgres: immediate shutdown. */
void server_kill(struct server *server);
/* Stops it without an end: it keeps its connections and answers nothing, until it is let go on. */
void server_suspend(const struct server *server);
void server_resume(const struct server *server);
/* Kills it and removes its directory. */
void server_destroy(struct server *server);

#endif
