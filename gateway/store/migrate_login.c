/* The application's login, from its connection string. */
#include "store/migrate_login.h"

#include <shimin/arena.h>
#include <string.h>

static void clear_held(PGresult **result)
{
    PQclear(*result);
}

static void free_options(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

static void free_held(char **memory)
{
    PQfreemem(*memory);
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword; options++)
        if (!strcmp(options->keyword, keyword))
            return options->val;
    return NULL;
}

/* True when the query gives a row. */
static bool holds(PGconn *owner, const char *query, const char *login)
{
    CLEANUP(clear_held) PGresult *result = PQexecParams(owner, query, 1, NULL, &login, NULL, NULL, 0);
    return PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
}

static bool execute(PGconn *owner, struct str sql, struct text *faults)
{
    CLEANUP(clear_held) PGresult *result = PQexec(owner, sql.at);
    if (PQresultStatus(result) == PGRES_COMMAND_OK)
        return true;
    text_printf(faults, "%s", PQerrorMessage(owner));
    return false;
}

/* The password goes as a SCRAM verifier, so that it is in no log of the server. */
static bool create(PGconn *owner, struct arena *arena, const char *login, const char *quoted, const char *password,
                   struct text *faults)
{
    struct str sql = str_printf(arena, "CREATE ROLE %s LOGIN", quoted);
    if (password) {
        CLEANUP(free_held) char *verifier = PQencryptPasswordConn(owner, password, login, NULL);
        CLEANUP(free_held) char *literal = verifier ? PQescapeLiteral(owner, verifier, strlen(verifier)) : NULL;
        if (!literal) {
            text_printf(faults, "%s", PQerrorMessage(owner));
            return false;
        }
        sql = str_printf(arena, "CREATE ROLE %s LOGIN PASSWORD %s", quoted, literal);
    }
    if (execute(owner, sql, faults))
        return true;
    text_printf(faults, "let an administrator create the login %s, or give the owner CREATEROLE\n", login);
    return false;
}

bool migrate_login(PGconn *owner, const char *application, FILE *out, struct text *faults)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(free_held) char *reason = NULL;
    CLEANUP(free_options) PQconninfoOption *options = PQconninfoParse(application, &reason);
    const char *login = options ? option(options, "user") : NULL;
    if (!login) {
        text_printf(faults, "the application's connection string %s%s\n",
                    options ? "names no user" : "is malformed: ", options ? "" : reason);
        return false;
    }
    if (!strcmp(login, PQuser(owner)) || holds(owner, "SELECT FROM pg_roles WHERE rolname = $1 AND rolsuper", login)) {
        text_printf(faults, "the application must not log in as %s: it owns the schema or is a superuser\n", login);
        return false;
    }
    CLEANUP(free_held) char *quoted = PQescapeIdentifier(owner, login, strlen(login));
    if (!holds(owner, "SELECT FROM pg_roles WHERE rolname = $1", login)) {
        if (!create(owner, arena, login, quoted, option(options, "password"), faults))
            return false;
        fprintf(out, "created the login %s\n", login);
    }
    if (holds(owner, "SELECT WHERE pg_has_role($1, 'shimin_app', 'MEMBER')", login))
        return true;
    if (!execute(owner, str_printf(arena, "GRANT shimin_app TO %s", quoted), faults))
        return false;
    fprintf(out, "gave %s the rights of shimin_app\n", login);
    return true;
}
