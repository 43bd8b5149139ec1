/* Proposals: changes of wide reach, which wait for a second person. */
#include "handlers.h"
#include "switches_queries.h"

#include <shimin/switches.h>

void list_proposals(struct request *request)
{
    struct pg_value before;
    const struct pg_result *row;
    if (!change_page_start(request, "proposals", &before))
        return;
    bool waiting = !str_is(request_string(request, "state"), "all");
    if (pg_query(request_arena(request), &sql_list_proposals,
                 PG_ARGS(before, pg_integer(change_page_limit(request)), pg_boolean(waiting)), &row) != PG_OK)
        change_reply_away(request);
    else
        change_reply_page(request, "proposals", row);
}

void read_proposal(struct request *request)
{
    const struct pg_result *row;
    if (pg_query(request_arena(request), &sql_read_proposal, PG_ARGS(pg_integer(change_id(request))), &row) != PG_OK)
        change_reply_away(request);
    else if (!pg_rows(row))
        reply_problem(request, switch_problem(request_arena(request), STR("unknown-proposal")));
    else
        reply_bytes(request, 200, "application/json", pg_str(row, 0, 0));
}

static void decide(struct request *request, bool confirms)
{
    struct arena *arena = request_arena(request);
    request_audit(request, str_printf(arena, "proposal:%lld", (long long)change_id(request)),
                  confirms ? STR("confirm") : STR("refuse"));
    const struct json *answer =
        change_ask(request, &sql_decide_proposal,
                   PG_ARGS(pg_integer(change_id(request)), pg_boolean(confirms),
                           pg_text(actor_label(arena, request_actor(request))), pg_text(change_bounds(request))));
    if (answer)
        change_reply(request, answer, true);
}

void confirm_proposal(struct request *request)
{
    decide(request, true);
}

void refuse_proposal(struct request *request)
{
    decide(request, false);
}
