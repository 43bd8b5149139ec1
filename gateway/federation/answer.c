/* Judging a department's answer. Whatever is outside its contract does not reach a citizen. */
#include "federation/answer.h"
#include "federation/metrics.h"
#include "federation/record.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/log.h>

/* The schema is not asked to explain: its pointers would be looked up in the log by somebody who may not see the data. */
bool answer_check(struct arena *arena, const struct operation *operation, const struct answer_message *message,
                  const struct json **body, const char **reason)
{
    *body = NULL;
    const struct response *response = operation_response(operation, message->status);
    if (!response) {
        *reason = "status is not in the contract";
        return false;
    }
    if (message->content_encoding.len && !str_equal_nocase(message->content_encoding, STR("identity"))) {
        *reason = "content is encoded though no encoding was asked for";
        return false;
    }
    if (!response->media_count) {
        *reason = "content where the contract has none";
        return message->body.len == 0;
    }
    const struct media *media = media_for(response->media, response->media_count, message->content_type);
    if (!message->content_type.len || !media) {
        *reason = "content type is not in the contract";
        return false;
    }
    if (str_find(message->content_type, STR("json")) < 0)
        return true; /* a document, which a contract describes by its type alone */
    struct json_error error;
    *body = json_parse(arena, message->body, &json_limits_answer, &error);
    if (!*body) {
        *reason = error.reason;
        return false;
    }
    if (media->schema && !schema_validate(media->schema, *body, NULL)) {
        *reason = "content does not follow the schema";
        return false;
    }
    return true;
}

struct problem *department_problem(struct arena *arena, enum problem_type type, struct bilingual detail, struct str department,
                                   const struct operation *operation)
{
    struct problem *problem = problem_new(arena, type, detail);
    struct text text = text_open(arena, 128);
    struct json_out out = json_write(&text);
    json_object(&out);
    json_field(&out, "department", department);
    json_field(&out, "operation", operation->id);
    json_end(&out);
    problem->extension = str_slice(text_str(&text), 1, text.len - 1);
    return problem;
}

/* A broken department must not fill the log: the metrics count every answer, the log has some. */
static bool may_log(void)
{
    static _Thread_local struct {
        int64_t second;
        unsigned lines;
    } spent;
    int64_t second = clock_steady() / seconds(1);
    if (spent.second != second) {
        spent.second = second;
        spent.lines = 0;
    }
    return spent.lines++ < 5;
}

const struct problem *answer_breach(struct arena *arena, struct str department, const struct operation *operation,
                                    const char *reason)
{
    metric_count(federation_metrics.contract_violations, department, operation->id);
    if (may_log())
        log_warning("department %.*s broke its contract in %.*s: %s", STR_ARG(department), STR_ARG(operation->id), reason);
    return department_problem(
        arena, PROBLEM_DEPARTMENT_CONTRACT,
        BILINGUAL("部门系统返回的数据不符合约定，已通知对方", "The department's answer does not follow its contract"),
        department, operation);
}

const struct problem *answer_refusal(struct arena *arena, const struct answer_wanted *wanted,
                                     const struct answer_message *message)
{
    unsigned status = message->status;
    struct problem *problem;
    int64_t after;
    if ((status == 401 || status == 403) && may_log()) /* the department does not know us: nothing that a citizen could mend */
        log_error("department %.*s refused our credentials for %.*s with %u", STR_ARG(wanted->department),
                  STR_ARG(wanted->operation->id), status);
    if (status == 429) {
        problem = department_problem(arena, PROBLEM_DEPARTMENT_UNAVAILABLE,
                                     BILINGUAL("部门系统繁忙，请稍后再试", "The department is busy; try again soon"),
                                     wanted->department, wanted->operation);
        problem->retry_after = str_to_i64(message->retry_after, &after) && after > 0 && after < 3600 ? after : 5;
        return problem;
    }
    if (status == 404 || status == 410)
        return department_problem(arena, PROBLEM_NOT_FOUND,
                                  BILINGUAL("部门没有符合条件的记录", "The department has no such record"), wanted->department,
                                  wanted->operation);
    if (status == 409)
        return department_problem(arena, PROBLEM_CONFLICT,
                                  BILINGUAL("部门已有相同或冲突的记录", "The department has the same or a conflicting record"),
                                  wanted->department, wanted->operation);
    if ((status == 400 || status == 422) && wanted->inputs_are_asked)
        return department_problem(arena, PROBLEM_VALIDATION,
                                  BILINGUAL("部门未接受所填内容，请核对", "The department did not accept what was entered"),
                                  wanted->department, wanted->operation);
    return department_problem(arena, PROBLEM_DEPARTMENT_FAILED,
                              BILINGUAL("部门系统暂时无法办理", "The department could not carry this out"), wanted->department,
                              wanted->operation);
}

static const struct json *empty_list(struct arena *arena)
{
    return json_make_array(arena);
}

static void select_items(const struct answer_wanted *wanted, struct department_answer *answer)
{
    answer->items = wanted->items.at && answer->body ? json_at(answer->body, wanted->items) : answer->body;
    if (answer->items && answer->items->type != JSON_ARRAY && answer->items->type != JSON_OBJECT)
        answer->items = NULL;
}

bool answer_says_nothing(unsigned status)
{
    return status >= 500 || status < 200 || (status >= 300 && status < 400) || status == 401 || status == 403 || status == 429;
}

const struct problem *answer_judge(struct arena *arena, const struct answer_wanted *wanted,
                                   const struct answer_message *message, struct department_answer *answer)
{
    *answer = (struct department_answer){.status = message->status, .source = wanted->department, .as_of = clock_wall()};
    if (answer_says_nothing(message->status))
        return answer_refusal(arena, wanted, message);
    const char *reason = NULL;
    bool good = answer_check(arena, wanted->operation, message, &answer->body, &reason);
    if (!good && wanted->record)
        record_breach(wanted->record, arena, wanted->operation, message, reason);
    if (!good)
        return answer_breach(arena, wanted->department, wanted->operation, reason);
    if (message->status == 404 && wanted->not_found_empty) {
        answer->body = NULL;
        answer->items = empty_list(arena);
        return NULL;
    }
    if (message->status >= 400)
        return answer_refusal(arena, wanted, message);
    select_items(wanted, answer);
    return NULL;
}

bool answer_reread(struct arena *arena, const struct answer_wanted *wanted, struct str body, struct department_answer *answer)
{
    struct json_error error;
    answer->source = wanted->department;
    answer->status = 200;
    if (!body.len) { /* a 404 that was an empty list */
        answer->body = NULL;
        answer->items = empty_list(arena);
        return true;
    }
    answer->body = json_parse(arena, body, &json_limits_answer, &error);
    select_items(wanted, answer);
    return answer->body != NULL;
}
