/* The registry of statements, and the check that a database understands them all. */
#include "store/statements.h"

#include <libpq-fe.h>

/* Bounds that the linker makes of the section's name; weak, because a program may have no statement. */
extern const struct pg_statement *const first_statement __asm__("__start_pg_statements") __attribute__((weak));
extern const struct pg_statement *const end_of_statements __asm__("__stop_pg_statements") __attribute__((weak));

size_t statements_all(const struct pg_statement *const **first)
{
    *first = &first_statement;
    return (size_t)(&end_of_statements - &first_statement);
}

static void finish(PGconn **link)
{
    PQfinish(*link);
}

bool statements_check(const char *connection_string, struct text *faults)
{
    CLEANUP(finish) PGconn *link = PQconnectdb(connection_string);
    if (PQstatus(link) != CONNECTION_OK) {
        text_printf(faults, "%s", PQerrorMessage(link));
        return false;
    }
    PQclear(PQexec(link, "SET search_path = shimin, public"));
    const struct pg_statement *const *all;
    size_t count = statements_all(&all);
    size_t before = faults->len;
    for (size_t i = 0; i < count; i++) {
        PGresult *result = PQprepare(link, all[i]->name, all[i]->sql, 0, NULL);
        PGresult *description = PQdescribePrepared(link, all[i]->name);
        if (PQresultStatus(result) != PGRES_COMMAND_OK)
            text_printf(faults, "%s: %s", all[i]->name, PQresultErrorMessage(result));
        else if (PQnparams(description) != (int)all[i]->parameters)
            text_printf(faults, "%s: takes %d parameters, not %u\n", all[i]->name, PQnparams(description), all[i]->parameters);
        PQclear(result);
        PQclear(description);
    }
    return faults->len == before;
}
