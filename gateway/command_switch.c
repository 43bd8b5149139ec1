/* shimin switch: open or close a service, with a reason that citizens see. */
#include "command.h"

#include "owner.h"

#include <shimin/catalogue.h>
#include <shimin/clock.h>

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is written into the history. */
struct wish {
    const char *service, *position, *reason_zh, *reason_en, *from, *until;
};

static const char *operator_name(void)
{
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_name : "unknown";
}

/* 0 when it is not given. */
static bool read_time(const char *text, int64_t *wall)
{
    *wall = 0;
    return !text || time_parse_rfc3339(str_of(text), wall);
}

static const char *fault_of(const struct wish *wish)
{
    enum switch_position position;
    int64_t from, until;
    if (!switch_position_named(str_of(wish->position), &position))
        return "the position must be open, no_new, read_only or off";
    if (position != SWITCH_OPEN && !wish->reason_zh && !wish->reason_en)
        return "citizens are told why: give --reason, or --reason-zh and --reason-en";
    if (!read_time(wish->from, &from) || !read_time(wish->until, &until))
        return "--from and --until are times such as 2026-03-01T22:00:00+08:00";
    /* it would be in force at no time, and yet end what is */
    if (until && until <= clock_wall())
        return "--until has passed already";
    if (until && until <= from)
        return "--until must be after --from";
    return NULL;
}

/* The slug itself of a slug or an alias; NULL, after saying so, when no service has it. */
static PGresult *find_service(PGconn *connection, const char *name)
{
    PGresult *result = owner_query(connection,
                                   "SELECT slug FROM shimin.service WHERE slug = $1 OR definition -> 'aliases' ? $1 "
                                   "ORDER BY (slug = $1) DESC LIMIT 1",
                                   &name, 1);
    if (!result || PQntuples(result) == 1)
        return result;
    fprintf(stderr, "shimin switch: there is no service \"%s\"\n", name);
    PQclear(result);
    return NULL;
}

static void clear_result(PGresult **result)
{
    PQclear(*result);
}

static int set_switch(const struct config *config, const struct wish *wish)
{
    CLEANUP(owner_close) PGconn *connection = owner_connect(config);
    CLEANUP(clear_result) PGresult *service = connection ? find_service(connection, wish->service) : NULL;
    if (!service)
        return EXIT_FAILED;
    const char *slug = PQgetvalue(service, 0, 0);
    /* who gives one text gives it for both languages */
    const char *const values[] = {
        slug,
        wish->position,
        wish->reason_zh   ? wish->reason_zh
        : wish->reason_en ? wish->reason_en
                          : "",
        wish->reason_en   ? wish->reason_en
        : wish->reason_zh ? wish->reason_zh
                          : "",
        wish->from,
        wish->until,
        operator_name(),
    };
    if (!owner_run(
            connection,
            "INSERT INTO shimin.service_switch (service_slug, position, reason_zh, reason_en, starts_at, ends_at, set_by) "
            "VALUES ($1, $2, $3, $4, $5::timestamptz, $6::timestamptz, $7)",
            values, COUNT_OF(values)))
        return EXIT_FAILED;
    printf("%s: %s%s%s%s%s\n", slug, wish->position, wish->from ? " from " : "", wish->from ? wish->from : "",
           wish->until ? " until " : "", wish->until ? wish->until : "");
    return EXIT_DONE;
}

/* Of each service the switch that was set last, and what is planned after it. */
static int list_switches(const struct config *config)
{
    CLEANUP(owner_close) PGconn *connection = owner_connect(config);
    CLEANUP(clear_result)
    PGresult *rows = connection ? owner_query(connection,
                                              "SELECT service_slug, position, reason_en, set_by, set_at, starts_at, ends_at "
                                              "FROM shimin.service_switch_current ORDER BY service_slug, id",
                                              NULL, 0)
                                : NULL;
    if (!rows)
        return EXIT_FAILED;
    for (int i = 0; i < PQntuples(rows); i++)
        printf("%-32s %-9s %s (by %s at %s)%s%s%s%s\n", PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 2),
               PQgetvalue(rows, i, 3), PQgetvalue(rows, i, 4), PQgetisnull(rows, i, 5) ? "" : " from ", PQgetvalue(rows, i, 5),
               PQgetisnull(rows, i, 6) ? "" : " until ", PQgetvalue(rows, i, 6));
    return EXIT_DONE;
}

static int run_switch(int argc, char **argv)
{
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    const char *both = option_take(&argc, argv, "--reason");
    const char *zh = option_take(&argc, argv, "--reason-zh"), *en = option_take(&argc, argv, "--reason-en");
    struct wish wish = {
        .reason_zh = zh ? zh : both,
        .reason_en = en ? en : both,
        .from = option_take(&argc, argv, "--from"),
        .until = option_take(&argc, argv, "--until"),
    };
    if (argc == 1 && strcmp(argv[0], "list") == 0)
        return list_switches(config);
    if (argc != 2)
        return usage_fault(&command_switch, "name a service and a position, or say list");
    wish.service = argv[0];
    wish.position = argv[1];
    const char *fault = fault_of(&wish);
    return fault ? usage_fault(&command_switch, fault) : set_switch(config, &wish);
}

const struct command command_switch = {
    .name = "switch",
    .usage =
        "SERVICE open|no_new|read_only|off --reason TEXT [--reason-zh TEXT] [--reason-en TEXT] [--from TIME] [--until TIME]\n"
        "       shimin switch list",
    .summary = "Open or close a service, with a reason that citizens see.",
    .help =
        "\nopen: all goes. no_new: what is under way goes on, nothing new begins. read_only: only looking. off: nothing.\n"
        "It is in force in every gateway within 50 ms and replaces what was set before, plans included.\n"
        "With --until it ends by itself. With a --from that is still to come it is a plan: until then, and again after its\n"
        "end, what was set before holds; several may be planned.\n",
    .run = run_switch,
};
