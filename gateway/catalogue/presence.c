/* A gateway says every second that it is there, and at once which snapshot it runs. */
#include "catalogue/presence.h"

#include "catalogue/definitions.h"
#include "catalogue_queries.h"

#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/metrics.h>
#include <shimin/pg.h>
#include <shimin/worker.h>

#include <unistd.h>

enum { BEAT_SECONDS = 1, PATIENCE_SECONDS = 2 };

/* Lives on the first worker. */
static struct {
    struct arena *arena;
    struct str id, host;
    int64_t started;
    int64_t version, switches_version; /* what all workers run */
    bool running, wanted;
    struct timer beat;
} presence;

static atomic_int_fast64_t last_contact; /* steady; 0: none yet */

static void tell(void *argument)
{
    (void)argument;
    while (presence.wanted) {
        CLEANUP(arena_close_held) struct arena *arena = arena_open();
        presence.wanted = false;
        enum pg_status status = pg_query(arena, &sql_confirm_snapshot,
                                         PG_ARGS(pg_text(presence.id), pg_text(presence.host), pg_text(STR(SHIMIN_VERSION)),
                                                 pg_integer(worker_count()), pg_time(presence.started),
                                                 pg_integer(presence.version), pg_integer(presence.switches_version)),
                                         NULL);
        if (status == PG_OK)
            atomic_store(&last_contact, clock_steady());
    }
    presence.running = false;
}

/* What is wanted while the last word is under way goes out with the next. */
static void start_telling(void)
{
    presence.wanted = true;
    if (presence.running || !presence.arena)
        return;
    presence.running = true;
    fiber_start(tell, NULL, deadline_in(seconds(PATIENCE_SECONDS)));
}

static void beat(struct timer *timer)
{
    start_telling();
    timer_set(timer, deadline_in(seconds(BEAT_SECONDS)), beat);
}

void presence_confirm(void *argument)
{
    struct snapshot *snapshot = argument;
    presence.version = snapshot->definitions->number;
    presence.switches_version = snapshot->switches_version;
    snapshot_release(snapshot);
    start_telling();
}

struct str presence_id(void)
{
    return presence.id;
}

void presence_open(void)
{
    if (worker_index() != 0)
        return;
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    presence.arena = arena_open();
    presence.id = id_new(presence.arena);
    presence.host = str_copy(presence.arena, str_of(host));
    presence.started = clock_wall();
    beat(&presence.beat);
}

static void take_leave(void *argument)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    (void)argument;
    (void)!pg_query(arena, &sql_leave, PG_ARGS(pg_text(presence.id)), NULL);
}

void presence_close(void)
{
    if (worker_index() != 0 || !presence.arena)
        return;
    timer_clear(&presence.beat);
    fiber_start(take_leave, NULL, deadline_in(seconds(PATIENCE_SECONDS)));
}

int64_t presence_silence(void)
{
    int64_t last = atomic_load(&last_contact);
    return last ? clock_steady() - last : -1;
}
