/* A fixture for programs whose tests each need the whole schema: one server, migrated once, of which every test copies its own.
 */
#ifndef SHIMIN_TEST_MIGRATED_H
#define SHIMIN_TEST_MIGRATED_H

#include "inside.h"
#include "servers.h"

#include "store/migrate.h"

#include <stdio.h>

static struct server migrated;

static void make_migrated(void)
{
    CLEANUP(arena_close_held) struct arena *scratch = arena_open();
    struct text faults = text_open(scratch, 256);
    postgres_create(&migrated);
    FILE *quiet = fopen("/dev/null", "we");
    bool done = migrate(&(struct migrate_settings){.directory = MIGRATIONS, .owner = migrated.url}, quiet, &faults);
    fclose(quiet);
    ck_assert_msg(done, "%s", faults.at);
    postgres_rest(&migrated);
}

static void drop_migrated(void)
{
    server_destroy(&migrated);
}

#endif
