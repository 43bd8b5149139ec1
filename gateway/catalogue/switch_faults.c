/* The table of what may stand in the way of a switch or a setting. */
#include "catalogue/switch_faults.h"

static const struct switch_fault faults[] = {
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
    {"unknown-proposal", PROBLEM_NOT_FOUND, NULL, BILINGUAL("没有这个提案", "There is no such proposal")},
    {"decided-already", PROBLEM_CONFLICT, NULL, BILINGUAL("已有人作出决定", "It has been decided already")},
    {"expired", PROBLEM_CONFLICT, NULL, BILINGUAL("提案已过期", "The proposal has expired")},
    {"same-person", PROBLEM_FORBIDDEN, NULL, BILINGUAL("须由另一人确认", "Somebody else must confirm it")},
    {"unknown", PROBLEM_INTERNAL, NULL, BILINGUAL("无法完成", "It could not be done")},
};

const struct switch_fault *switch_fault_named(struct str name)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(faults) && !str_is(name, faults[i].name))
        i++;
    return &faults[i];
}
