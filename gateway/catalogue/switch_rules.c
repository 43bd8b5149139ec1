/* What the database's functions for switches and settings take and object, and who has taken up what was set. */
#include "catalogue/switch_rules.h"

#include "catalogue_queries.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>

/* A switch is in force everywhere within 50 ms; who has not confirmed by then many times over will not. */
enum { LOOK_MILLISECONDS = 5, CONFIRM_MILLISECONDS = 2000 };

static int64_t second_person_above, proposal_time;

static const struct fault {
    const char *name; /* as the functions of schema/migrations say it */
    enum problem_type type;
    const char *pointer; /* into the body that was sent; NULL: it is not about one member */
    struct bilingual detail;
} faults[] = {
    {"unknown-target", PROBLEM_VALIDATION, "/target",
     BILINGUAL("没有这个对象", "There is no service, department, category or area of that name")},
    {"out-of-bounds", PROBLEM_FORBIDDEN, NULL, BILINGUAL("不在您的管理范围内", "It lies outside of what you may switch")},
    {"no-reason", PROBLEM_VALIDATION, "/reason",
     BILINGUAL("市民会看到原因：请给出中英文", "Citizens are told why: give a reason in Chinese and English")},
    {"until-passed", PROBLEM_VALIDATION, "/until", BILINGUAL("结束时间已过", "Its end has passed already")},
    {"until-before-from", PROBLEM_VALIDATION, "/until", BILINGUAL("结束须晚于开始", "It must end after it begins")},
    {"unknown-switch", PROBLEM_NOT_FOUND, NULL, BILINGUAL("没有这个开关记录", "There is no such entry in the history")},
    {"holds-no-more", PROBLEM_CONFLICT, NULL,
     BILINGUAL("它已不再生效，无可撤销", "It neither holds nor is planned any more, so there is nothing to undo")},
    {"unknown-setting", PROBLEM_NOT_FOUND, NULL, BILINGUAL("没有这个设置记录", "There is no such entry in the history")},
    {"invalid-value", PROBLEM_VALIDATION, "/value", BILINGUAL("此设置不能取这个值", "This setting cannot have this value")},
    {"unknown-proposal", PROBLEM_NOT_FOUND, NULL, BILINGUAL("没有这个提案", "There is no such proposal")},
    {"decided-already", PROBLEM_CONFLICT, NULL, BILINGUAL("已有人作出决定", "It has been decided already")},
    {"expired", PROBLEM_CONFLICT, NULL, BILINGUAL("提案已过期", "The proposal has expired")},
    {"same-person", PROBLEM_FORBIDDEN, NULL, BILINGUAL("须由另一人确认", "Somebody else must confirm it")},
    {"unknown", PROBLEM_INTERNAL, NULL, BILINGUAL("无法完成", "It could not be done")},
};

static const struct fault *fault_named(struct str name)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(faults) && !str_is(name, faults[i].name))
        i++;
    return &faults[i];
}

void switch_rules_open(int64_t above, int64_t time)
{
    second_person_above = above;
    proposal_time = time;
}

struct bilingual switch_fault_text(struct str fault)
{
    return fault_named(fault)->detail;
}

struct str switch_bounds(struct arena *arena, struct str department, struct str area)
{
    struct text text = text_open(arena, 160);
    struct json_out out = json_write(&text);
    json_object(&out);
    if (department.at)
        json_field(&out, "department", department);
    if (area.at)
        json_field(&out, "area", area);
    json_field_i64(&out, "second_person_above", second_person_above);
    json_field_i64(&out, "patience", proposal_time / seconds(1));
    json_end(&out);
    return text_str(&text);
}

const struct problem *switch_problem(struct arena *arena, struct str name)
{
    const struct fault *fault = fault_named(name);
    if (!fault->pointer)
        return problem_new(arena, fault->type, fault->detail);
    struct problem *problem = problem_new(arena, fault->type, (struct bilingual){0});
    struct problem_error *error = arena_new(arena, struct problem_error);
    *error = (struct problem_error){.pointer = str_of(fault->pointer), .detail = fault->detail};
    problem->errors = error;
    problem->error_count = 1;
    return problem;
}

enum pg_status switch_confirmations(struct arena *arena, int64_t version, struct str *json)
{
    int64_t end = deadline_in(milliseconds(CONFIRM_MILLISECONDS));
    for (;;) {
        const struct pg_result *row;
        enum pg_status status = pg_query(arena, &sql_confirmations, PG_ARGS(pg_integer(version)), &row);
        if (status != PG_OK)
            return status;
        *json = pg_str(row, 0, 1);
        if (pg_bool(row, 0, 0) || clock_steady() > end || fiber_sleep(milliseconds(LOOK_MILLISECONDS)) != WAIT_DONE)
            return PG_OK;
    }
}
