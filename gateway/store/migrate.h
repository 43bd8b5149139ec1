/* Migrations: the schema as numbered files, each applied once, in one transaction, and never changed afterwards. */
#ifndef SHIMIN_MIGRATE_H
#define SHIMIN_MIGRATE_H

#include <shimin/str.h>
#include <stdio.h>

struct migrate_settings {
    const char *directory;   /* schema/migrations: files NNNN_name.sql from 0001 on, without a gap */
    const char *owner;       /* connection string of the role that owns the schema */
    const char *application; /* connection string the gateway serves with: its login is made, if missing, and given the rights
                                of shimin_app; NULL: leave logins alone */
    bool list_only;          /* say what would be applied, and change nothing */
};

/* Applies what is missing, then makes partitions and the application's login. Blocks: for a command, not for a worker. One line
 * of progress for each file to `out`. false with the reason in `faults`; then nothing of the file that failed has stayed. */
MUST_CHECK bool migrate(const struct migrate_settings *settings, FILE *out, struct text *faults);

#endif
