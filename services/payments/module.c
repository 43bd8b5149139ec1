/* The payments engine: its operations, and the providers of each worker. */
#include "handlers.h"
#include "payment.h"

#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/module.h>

MODULE_CONTRACT(payments);

enum { STORE_RETRY_SECONDS = 2 };

/* By which providers one can pay here; the app shows them in this order. */
void list_providers(struct request *request)
{
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    for (const struct provider *const *one = providers(); *one; one++) {
        json_object(out);
        json_field_c(out, "name", (*one)->name);
        json_field(out, "title", request_text(request, (*one)->title));
        json_end(out);
    }
    reply_cache(request, "public, max-age=60");
}

void payments_reply_unavailable(struct request *request)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = STORE_RETRY_SECONDS;
    reply_problem(request, problem);
}

bool payments_id_of(struct request *request, struct str *id)
{
    *id = request_string(request, "id");
    if (id_is_uuid(*id))
        return true;
    reply_fault(request, PROBLEM_NOT_FOUND, (struct bilingual){0});
    return false;
}

const struct problem *payments_closed(struct request *request, const struct service *service, enum switch_position position)
{
    struct arena *arena = request_arena(request);
    if (!service)
        return problem_new(arena, PROBLEM_NOT_FOUND, BILINGUAL("服务已不在目录中", "The service is in the catalogue no more"));
    struct switch_state state = request_switch(request, request_snapshot(request), service);
    if (state.position > position)
        return problem_new(arena, PROBLEM_SERVICE_SWITCHED, state.reason);
    if (request_citizen(request)->level < service->level)
        return problem_new(arena, PROBLEM_STEP_UP,
                           BILINGUAL("此服务需要更高等级的身份认证", "The service asks for a stronger authentication"));
    return NULL;
}

static void open_worker(void)
{
    if (!providers_open())
        log_error("a payment provider that is configured cannot be offered");
    payment_job_start();
}

static void close_worker(void)
{
    payment_job_stop(); /* the providers stay until the process ends: requests under way still call them */
}

const struct module payments_module = {
    .name = "payments",
    .contract = payments_contract,
    .contract_size = &payments_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"listPaymentProviders", list_providers},
            {"bindBillAccount", bind_account},
            {"listBillAccounts", list_accounts},
            {"changeBillAccount", change_account},
            {"endBillAccount", end_account},
            {"listBills", list_bills},
            {"createPayment", create_payment},
            {"readPayment", read_payment},
            {"listPayments", list_payments},
            {"cancelPayment", cancel_payment},
            {"takePaymentNotice", take_notice},
            {"beginRefund", begin_refund},
            {"listOwnRefunds", list_own_refunds},
            {"listRefunds", list_all_refunds},
            {"decideRefund", decide_refund},
            {"readPaymentsOverview", read_overview},
            {0},
        },
    .worker_open = open_worker,
    .worker_close = close_worker,
};
