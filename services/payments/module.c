/* The payments engine: its operations, and the providers of each worker. */
#include "provider.h"

#include <shimin/log.h>
#include <shimin/module.h>

MODULE_CONTRACT(payments);

/* By which providers one can pay here; the app shows them in this order. */
static void list_providers(struct request *request)
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

static void open_worker(void)
{
    if (!providers_open())
        log_error("a payment provider that is configured cannot be offered");
}

const struct module payments_module = {
    .name = "payments",
    .contract = payments_contract,
    .contract_size = &payments_contract_size,
    .handlers = (const struct module_handler[]){{"listPaymentProviders", list_providers}, {0}},
    .worker_open = open_worker,
    .worker_close = providers_close,
};
