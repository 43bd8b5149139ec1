/* Breakers of all workers, counted under one lock: they change seldom, and never on the way of a request that is let through.
 */
#include "federation/breakers.h"
#include "catalogue/presence.h"
#include "federation/batch.h"
#include "federation_queries.h"
#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/worker.h>
#include <string.h>

/* A department that some worker's breaker was not closed for. Kept until the process ends. */
struct entry {
    struct entry *next;
    struct str department;
    unsigned count[BREAKER_STATES]; /* of workers; those that are closed are not counted */
    int64_t since;                  /* wall: the gateway's last change */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static _Thread_local struct batch *batch;

static struct entry *entry_of(struct str department)
{
    struct entry *entry = entries;
    while (entry && !str_equal(entry->department, department))
        entry = entry->next;
    if (entry)
        return entry;
    entry = memory_alloc(sizeof *entry);
    char *copy = memory_alloc(department.len + 1);
    memcpy(copy, department.at, department.len);
    *entry = (struct entry){.next = entries, .department = {copy, department.len}};
    return entries = entry;
}

static unsigned not_closed(const struct entry *entry)
{
    return entry->count[BREAKER_OPEN] + entry->count[BREAKER_HALF_OPEN];
}

static struct str report(struct arena *arena, const struct entry *entry, const char *event)
{
    enum breaker_state state = not_closed(entry) ? BREAKER_OPEN : BREAKER_CLOSED;
    struct text text = text_open(arena, 384);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "id", id_new(arena));
    json_field(&out, "gateway", presence_id());
    json_field(&out, "department", entry->department);
    json_field_c(&out, "state", breaker_state_name(state));
    json_field_i64(&out, "workers", worker_count());
    json_field_i64(&out, "open", not_closed(entry));
    json_field_i64(&out, "half_open", entry->count[BREAKER_HALF_OPEN]);
    json_field_i64(&out, "since", entry->since);
    json_field_i64(&out, "at", clock_wall());
    if (event)
        json_field_c(&out, "event", event);
    json_end(&out);
    return text_str(&text);
}

void breakers_note(struct str department, enum breaker_state before, enum breaker_state now)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct str row = STR_NONE;
    pthread_mutex_lock(&lock);
    struct entry *entry = entry_of(department);
    unsigned earlier = not_closed(entry);
    if (before != BREAKER_CLOSED)
        entry->count[before]--;
    if (now != BREAKER_CLOSED)
        entry->count[now]++;
    unsigned later = not_closed(entry);
    bool changed = !earlier != !later;
    if (changed)
        entry->since = clock_wall();
    if (earlier != later)
        row = report(arena, entry, !changed ? NULL : later ? "opened" : "closed");
    pthread_mutex_unlock(&lock);
    if (row.at && batch && presence_id().at)
        batch_add(batch, row);
}

void breakers_open(const char *spool_directory)
{
    batch =
        batch_open(&(struct batch_settings){.name = "breaker", .statement = &sql_breaker_report, .spool_dir = spool_directory});
}

void breakers_close(void)
{
    batch_close(batch);
}
