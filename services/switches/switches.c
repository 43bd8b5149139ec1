/* Switches: set, planned, undone, and their history. The database's functions decide; this asks them and says who took it up.
 */
#include "handlers.h"
#include "switches_queries.h"

#include <shimin/module.h>
#include <shimin/switches.h>

MODULE_CONTRACT(switches);

/* "department:metro", "city": what the audit calls the object. */
static struct str object_of(struct arena *arena, const struct json *wish)
{
    struct str scope = json_get_string(wish, "scope", STR("")), target = json_get_string(wish, "target", STR_NONE);
    return target.at ? str_printf(arena, "%.*s:%.*s", STR_ARG(scope), STR_ARG(target)) : scope;
}

static void set_switch(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *wish = request_body(request);
    request_audit(request, object_of(arena, wish), json_get_string(wish, "position", STR("")));
    const struct json *answer =
        change_ask(request, &sql_set_switch,
                   PG_ARGS(pg_text(request_raw_body(request)), pg_text(actor_label(arena, request_actor(request))),
                           pg_text(change_bounds(request))));
    if (answer)
        change_reply(request, answer, false);
}

static void undo_switch(struct request *request)
{
    struct arena *arena = request_arena(request);
    request_audit(request, str_printf(arena, "switch:%lld", (long long)change_id(request)), STR("undo"));
    const struct json *answer =
        change_ask(request, &sql_undo_switch,
                   PG_ARGS(pg_integer(change_id(request)), pg_text(actor_label(arena, request_actor(request))),
                           pg_text(change_bounds(request))));
    if (answer)
        change_reply(request, answer, false);
}

static void read_switch(struct request *request)
{
    const struct pg_result *row;
    if (pg_query(request_arena(request), &sql_read_switch, PG_ARGS(pg_integer(change_id(request))), &row) != PG_OK)
        change_reply_away(request);
    else if (!pg_rows(row))
        reply_problem(request, switch_problem(request_arena(request), STR("unknown-switch")));
    else
        reply_bytes(request, 200, "application/json", pg_str(row, 0, 0));
}

static void list_switches(struct request *request)
{
    struct str state = request_string(request, "state");
    struct pg_value before;
    if (!change_page_start(request, "switches", &before))
        return;
    const struct pg_value values[] = {before, pg_text(request_string(request, "scope")),
                                      pg_text(request_string(request, "target")), pg_integer(change_page_limit(request)),
                                      pg_boolean(str_is(state, "planned"))};
    bool history = str_is(state, "history");
    const struct pg_result *row;
    if (pg_query(request_arena(request), history ? &sql_list_switches : &sql_list_live_switches, values,
                 COUNT_OF(values) - history, &row) != PG_OK)
        change_reply_away(request);
    else
        change_reply_page(request, "switches", row);
}

const struct module switches_module = {
    .name = "switches",
    .contract = switches_contract,
    .contract_size = &switches_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"listSwitches", list_switches},
            {"setSwitch", set_switch},
            {"previewSwitch", preview_switch},
            {"readSwitch", read_switch},
            {"undoSwitch", undo_switch},
            {"listSettings", list_settings},
            {"setSetting", set_setting},
            {"readSetting", read_setting},
            {"undoSetting", undo_setting},
            {"listProposals", list_proposals},
            {"readProposal", read_proposal},
            {"confirmProposal", confirm_proposal},
            {"refuseProposal", refuse_proposal},
            {0},
        },
};
