/* Credentials that departments have registered: read by the first worker, decrypted, joined with the file's, handed to all. */
#include "federation/registered.h"

#include "crypto/field.h"
#include "federation/backend.h"
#include "federation/settings.h"
#include "federation_queries.h"
#include "store/pg_listen.h"
#include <shimin/arena.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <shimin/pg.h>
#include <shimin/worker.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define READ_TIME seconds(5)
#define RETRY_PAUSE seconds(1)
#define OLD_LIFE seconds(60) /* links may be made with the old ones until every worker has the new */

/* Of the first worker only. */
static struct {
    const struct secrets *file;
    _Atomic(const struct secrets *) joined; /* the others look at it as well */
    bool wanted, running;
    struct timer retry;
} registered;

/* Those that were replaced, until nobody can be using them. */
struct old_secrets {
    struct timer timer;
    const struct secrets *secrets;
};

struct str credential_row(struct arena *arena, struct str department, struct str system, struct str environment)
{
    return str_printf(arena, "%.*s/%.*s/%.*s", STR_ARG(department), STR_ARG(system), STR_ARG(environment));
}

static void free_old(struct timer *timer)
{
    struct old_secrets *old = CONTAINER_OF(timer, struct old_secrets, timer);
    secrets_free(old->secrets);
    free(old);
}

/* A worker that has not opened yet takes them up when it does. */
static void use(void *secrets)
{
    if (federation_settings())
        backends_use_secrets(secrets);
}

static void hand_out(const struct secrets *secrets)
{
    if (registered.joined) {
        struct old_secrets *old = memory_alloc(sizeof *old);
        old->secrets = registered.joined;
        timer_set(&old->timer, deadline_in(OLD_LIFE), free_old);
    }
    registered.joined = secrets;
    workers_post(use, (void *)(uintptr_t)secrets);
}

/* One that does not decrypt (the keyring has lost its key) costs its own system, not the others. */
static struct str joined_text(struct arena *arena, const struct pg_result *rows)
{
    struct text text = text_open(arena, 4096);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_key(&out, "departments");
    json_object(&out);
    for (size_t i = 0; i < pg_rows(rows); i++) {
        struct str row = credential_row(arena, pg_str(rows, i, 0), pg_str(rows, i, 1), pg_str(rows, i, 2)), plain;
        if (!field_decrypt(arena, federation_settings()->keyring, STR(CREDENTIAL_CONTEXT), row, pg_bin(arena, rows, i, 3),
                           &plain)) {
            log_error("the credentials %.*s cannot be decrypted", STR_ARG(row));
            continue;
        }
        json_key_str(&out, row);
        json_put_raw(&out, plain);
    }
    json_end_all(&out);
    return text_str(&text);
}

static bool read_all(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const struct pg_result *rows;
    struct text faults = text_open(arena, 128);
    if (pg_query(arena, &sql_registered_credentials, PG_NO_ARGS, &rows) != PG_OK)
        return false;
    struct str text = joined_text(arena, rows);
    const struct secrets *secrets = secrets_join(registered.file, text, &faults);
    explicit_bzero((char *)(uintptr_t)text.at, text.len);
    if (secrets)
        hand_out(secrets);
    else
        log_error("registered credentials: %.*s", STR_ARG(text_str(&faults)));
    return true;
}

static void start(void);

static void try_again(struct timer *timer)
{
    (void)timer;
    start();
}

static void run(void *argument)
{
    (void)argument;
    while (registered.wanted) {
        registered.wanted = false;
        if (read_all())
            continue;
        registered.wanted = true;
        timer_set(&registered.retry, deadline_in(RETRY_PAUSE), try_again);
        break;
    }
    registered.running = false;
}

static void start(void)
{
    registered.wanted = true;
    if (registered.running)
        return;
    registered.running = true;
    fiber_start(run, NULL, deadline_in(READ_TIME));
}

static void noticed(struct str payload, void *argument)
{
    (void)payload, (void)argument;
    start();
}

static void restored(void *argument)
{
    (void)argument;
    start();
}

void registered_open(const struct secrets *file)
{
    const struct secrets *joined = registered.joined;
    if (joined)
        backends_use_secrets(joined);
    if (worker_index() != 0 || !federation_settings()->keyring)
        return;
    registered.file = file;
    pg_listen("shimin_credentials", noticed, restored, NULL);
}

bool registered_use_file(const struct secrets *file)
{
    if (worker_index() == 0) {
        registered.file = file;
        if (registered.joined)
            start();
    }
    return registered.joined != NULL;
}
