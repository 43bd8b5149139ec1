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
            {"readOidc", read_oidc},
            {"beginOidc", begin_oidc},
            {"finishOidc", finish_oidc},
            {"changeStaffPassword", change_staff_password},
            {"enrolSecondFactor", enrol_second_factor},
            {"confirmSecondFactor", confirm_second_factor},
            {"listStaff", list_staff},
            {"createStaff", create_staff},
            {"readStaff", read_staff},
            {"changeStaff", change_staff},
            {"resetStaff", reset_staff},
            {"listSessionsOfStaff", list_sessions_of_staff},
            {"revokeSessionsOfStaff", revoke_sessions_of_staff},
            {"listDepartmentStaff", list_staff},
            {"createDepartmentStaff", create_staff},
            {"readDepartmentStaff", read_staff},
            {"changeDepartmentStaff", change_staff},
            {"resetDepartmentStaff", reset_staff},
            {"revokeSessionsOfDepartmentStaff", revoke_sessions_of_staff},
            {0},
        },
};
