/* Limits, breakers, deadlines, caches and concurrency, set live; with the same history, undo and second person as switches. */
#include "handlers.h"
#include "switches_queries.h"

#include <shimin/switches.h>

void list_settings(struct request *request)
{
    struct pg_value before;
    const struct pg_result *row;
    if (!change_page_start(request, "settings", &before))
        return;
    bool current = !str_is(request_string(request, "state"), "history");
    if (pg_query(request_arena(request), &sql_list_settings,
                 PG_ARGS(before, pg_text(request_string(request, "scope")), pg_text(request_string(request, "target")),
                         pg_integer(change_page_limit(request)), pg_boolean(current)),
                 &row) != PG_OK)
        change_reply_away(request);
    else
        change_reply_page(request, "settings", row);
}

void read_setting(struct request *request)
{
    const struct pg_result *row;
    if (pg_query(request_arena(request), &sql_read_setting, PG_ARGS(pg_integer(change_id(request))), &row) != PG_OK)
        change_reply_away(request);
    else if (!pg_rows(row))
        reply_problem(request, switch_problem(request_arena(request), STR("unknown-setting")));
    else
        reply_bytes(request, 200, "application/json", pg_str(row, 0, 0));
}

void set_setting(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *wish = request_body(request);
    request_audit(request,
                  str_printf(arena, "%.*s:%.*s", STR_ARG(json_get_string(wish, "scope", STR(""))),
                             STR_ARG(json_get_string(wish, "target", STR("")))),
                  json_get_string(wish, "name", STR("")));
    const struct json *answer =
        change_ask(request, &sql_set_setting,
                   PG_ARGS(pg_text(request_raw_body(request)), pg_text(actor_label(arena, request_actor(request))),
                           pg_text(change_bounds(request))));
    if (answer)
        change_reply(request, answer, false);
}

void undo_setting(struct request *request)
{
    struct arena *arena = request_arena(request);
    request_audit(request, str_printf(arena, "setting:%lld", (long long)change_id(request)), STR("undo"));
    const struct json *answer =
        change_ask(request, &sql_undo_setting,
                   PG_ARGS(pg_integer(change_id(request)), pg_text(actor_label(arena, request_actor(request))),
                           pg_text(change_bounds(request))));
    if (answer)
        change_reply(request, answer, false);
}
