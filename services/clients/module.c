/* Clients: OAuth for departments' programs. */
#include "handlers.h"

MODULE_CONTRACT(clients);

const struct module clients_module = {
    .name = "clients",
    .contract = clients_contract,
    .contract_size = &clients_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"issueToken", issue_token},
            {"revokeToken", revoke_token},
            {"readAuthorizationServer", read_authorization_server},
            {"listClients", list_clients},
            {"createClient", create_client},
            {"readClient", read_client},
            {"changeClient", change_client},
            {"revokeClient", revoke_client},
            {"addClientCredential", add_credential},
            {"revokeClientCredential", revoke_credential},
            {0},
        },
};
