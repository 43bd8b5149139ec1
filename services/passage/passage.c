/* Raw passage: a department's own API, with the gateway's protections around it. */
#include <shimin/department.h>
#include <shimin/module.h>

MODULE_CONTRACT(passage);

/* What follows /v1/departments/{slug}/api, as it was sent: the department's contract judges its encoding. */
static struct str path_of_department(const struct request *request)
{
    struct str path = request_path(request), rest = str_slice(path, sizeof "/v1/departments/" - 1, path.len);
    (void)str_cut(&rest, '/'); /* the slug, which may well be "api" */
    return str_slice(rest, sizeof "api" - 1, rest.len);
}

static void pass(struct request *request)
{
    const struct department *department = snapshot_department(request_snapshot(request), request_string(request, "slug"));
    if (!department)
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个部门", "There is no such department"));
    else
        department_passage(request, department, path_of_department(request), request_citizen(request));
}

const struct module passage_module = {
    .name = "passage",
    .contract = passage_contract,
    .contract_size = &passage_contract_size,
    .handlers =
        (const struct module_handler[]){
            {"passGet", pass},
            {"passPost", pass},
            {"passPut", pass},
            {"passPatch", pass},
            {"passDelete", pass},
            {0},
        },
};
