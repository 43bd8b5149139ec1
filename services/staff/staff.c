/* Staff: login, sessions, accounts. */
#include "handlers.h"

MODULE_CONTRACT(staff);

const struct module staff_module = {
    .name = "staff",
    .contract = staff_contract,
    .contract_size = &staff_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"openStaffSession", open_staff_session},
            {"readStaffSession", read_staff_session},
            {"closeStaffSession", close_staff_session},
            {"listStaffSessions", list_staff_sessions},
            {"revokeStaffSession", revoke_staff_session},
            {"revokeStaffSessions", revoke_staff_sessions},
            {0},
        },
};
