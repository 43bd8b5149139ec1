/* The only place that names the modules. */
#include "modules.h"

extern const struct module audit_module;
extern const struct module catalogue_module;
extern const struct module identity_module;
extern const struct module records_module;
extern const struct module registry_module;
extern const struct module payments_module;
extern const struct module publications_module;
extern const struct module passage_module;
extern const struct module staff_module;
extern const struct module traffic_module;
extern const struct module clients_module;
extern const struct module gateways_module;
extern const struct module switches_module;
extern const struct module webhooks_module;
extern const struct module console_module;

const struct module *const modules[] = {
    &audit_module,        &catalogue_module, &identity_module, &records_module,
    &publications_module, &passage_module,   &registry_module, &staff_module,
    &traffic_module,      &clients_module,   &payments_module, &gateways_module,
    &switches_module,     &webhooks_module,  &console_module,  NULL,
};
