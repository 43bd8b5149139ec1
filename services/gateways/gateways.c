/* Which gateways there are, and which snapshot each of them runs. */
#include "gateways_queries.h"

#include <shimin/module.h>

MODULE_CONTRACT(gateways);

static void list_gateways(struct request *request)
{
    const struct pg_result *row;
    if (pg_query(request_arena(request), &sql_list_gateways, PG_NO_ARGS, &row) == PG_OK && pg_rows(row) == 1)
        reply_bytes(request, 200, "application/json", pg_str(row, 0, 0));
    else
        reply_fault(request, PROBLEM_STORE_UNAVAILABLE,
                    BILINGUAL("暂时查不到网关，请稍后再试", "The gateways cannot be listed for the moment; try again soon"));
}

const struct module gateways_module = {
    .name = "gateways",
    .contract = gateways_contract,
    .contract_size = &gateways_contract_size,
    .handlers = (const struct module_handler[]){{"listGateways", list_gateways}, {0}},
};
