/* Judging a department's answer. Whatever is outside its contract does not reach a citizen. */
#include "federation/answer.h"
#include "federation/metrics.h"
#include "federation/record.h"
#include "federation/report.h"
#include "federation/schema_path.h"
#include <shimin/arena.h>
#include <shimin/clock.h>

/* Bodies above this are judged off the loop: a worker that reads 8 MiB of the worst JSON would serve nobody for a quarter of a
 * second. */
#define ASIDE (64u << 10)

struct judgement {
    struct arena *arena;
    const struct answer_wanted *wanted;
    const struct answer_message *message;
    const struct media *media;
    const struct json *body;
    struct breach *breach;
    bool good;
};

/* No pointer but what the contract declares: the report is read by somebody who may not see the data. */
static bool breaks_schema(struct judgement *judgement)
{
    const struct media *media = judgement->media;
    struct schema_errors errors = {.arena = judgement->arena, .most = 1};
    if (!media->schema || schema_validate(media->schema, judgement->body, NULL))
        return false;
    bool explained = !schema_validate(media->schema, judgement->body, &errors) && errors.count;
    *judgement->breach = (struct breach){.kind = "schema"};
    if (explained) {
        judgement->breach->detail = str_to_c(judgement->arena, errors.list[0].detail.en);
        judgement->breach->pointer = schema_path_shown(judgement->arena, judgement->wanted->operation->contract,
                                                       schema_source(media->schema), errors.list[0].pointer);
    }
    return true;
}

/* On the loop or off it. */
static void judge_body(void *argument)
{
    struct judgement *judgement = argument;
    const struct turns *turns = judgement->wanted->turns;
    struct json_error error;
    judgement->body =
        json_parse(judgement->arena, judgement->message->body, turns ? &turns->limits : &json_limits_answer, &error);
    if (!judgement->body)
        *judgement->breach = (struct breach){.kind = "json", .detail = error.reason};
    judgement->good = judgement->body && !(judgement->media && breaks_schema(judgement));
}

static bool take_turn(struct turns *turns, struct judgement *judgement)
{
    uint32_t own, all;
    if (bulkhead_enter(&turns->own, &own) != BULKHEAD_IN)
        return false;
    bool in = bulkhead_enter(turns->all, &all) == BULKHEAD_IN;
    bool judged = in && offload(judge_body, judgement);
    if (in)
        bulkhead_leave(turns->all, all);
    bulkhead_leave(&turns->own, own);
    return judged;
}

static enum answer_verdict judge(struct judgement *judgement)
{
    struct turns *turns = judgement->wanted->turns;
    size_t before = arena_size(judgement->arena);
    if (!turns || judgement->message->body.len <= ASIDE)
        judge_body(judgement);
    else if (!take_turn(turns, judgement))
        return ANSWER_LATE;
    if (turns && turns->share && arena_size(judgement->arena) > before)
        hold_count(share_hold(turns->share, judgement->arena), arena_size(judgement->arena) - before);
    return judgement->good ? ANSWER_GOOD : ANSWER_BREACH;
}

/* JSON is UTF-8 (RFC 8259 §8.1); whoever says otherwise may have chosen bytes that are valid in both. */
static bool is_utf8_type(struct str type)
{
    while (type.at) {
        struct str value = str_trim(str_cut(&type, ';')), name = str_trim(str_cut(&value, '='));
        value = value.at ? str_trim(value) : STR("");
        if (value.len > 1 && value.at[0] == '"' && value.at[value.len - 1] == '"')
            value = str_slice(value, 1, value.len - 1);
        if (str_equal_nocase(name, STR("charset")) && !str_equal_nocase(value, STR("utf-8")) &&
            !str_equal_nocase(value, STR("utf8")) && !str_equal_nocase(value, STR("us-ascii")))
            return false;
    }
    return true;
}

/* What can be told without the body; NULL when nothing is wrong. *media is NULL where no content may be. */
static const char *wrong_head(const struct operation *operation, const struct answer_message *message,
                              const struct media **media)
{
    const struct response *response = operation_response(operation, message->status);
    *media = NULL;
    if (!response)
        return "status";
    if (message->content_encoding.len && !str_equal_nocase(message->content_encoding, STR("identity")))
        return "content_encoding"; /* none was asked for; and nothing is ever unpacked, so no bomb goes off */
    if (!response->media_count)
        return message->body.len ? "content" : NULL;
    *media = message->content_type.len ? media_for(response->media, response->media_count, message->content_type) : NULL;
    if (!*media)
        return "content_type";
    return is_utf8_type(message->content_type) ? NULL : "charset";
}

enum answer_verdict answer_check(struct arena *arena, const struct answer_wanted *wanted, const struct answer_message *message,
                                 const struct json **body, struct breach *breach)
{
    const struct media *media;
    *body = NULL;
    *breach = (struct breach){.kind = wrong_head(wanted->operation, message, &media)};
    if (breach->kind)
        return ANSWER_BREACH;
    if (!media || str_find(message->content_type, STR("json")) < 0)
        return ANSWER_GOOD; /* a document, which a contract describes by its type alone */
    struct judgement judgement = {.arena = arena, .wanted = wanted, .message = message, .media = media, .breach = breach};
    enum answer_verdict verdict = judge(&judgement);
    *body = judgement.body;
    return verdict;
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

const struct problem *answer_refused(struct arena *arena, const struct answer_wanted *wanted, enum answer_verdict verdict,
                                     const struct breach *breach)
{
    if (verdict == ANSWER_LATE)
        return department_problem(arena, PROBLEM_DEADLINE,
                                  BILINGUAL("部门系统未能及时答复", "The department did not answer in time"),
                                  wanted->department, wanted->operation);
    metric_count(federation_metrics.contract_violations, wanted->department, wanted->operation->id);
    report_fault(&(struct report){.department = wanted->department,
                                  .operation = wanted->operation->id,
                                  .kind = breach->kind,
                                  .detail = breach->detail,
                                  .pointer = breach->pointer});
    return department_problem(
        arena, PROBLEM_DEPARTMENT_CONTRACT,
        BILINGUAL("部门系统返回的数据不符合约定，已通知对方", "The department's answer does not follow its contract"),
        wanted->department, wanted->operation);
}

const struct problem *answer_refusal(struct arena *arena, const struct answer_wanted *wanted,
                                     const struct answer_message *message)
{
    unsigned status = message->status;
    struct problem *problem;
    int64_t after;
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
    struct breach breach;
    enum answer_verdict verdict = answer_check(arena, wanted, message, &answer->body, &breach);
    if (verdict == ANSWER_BREACH && wanted->record)
        record_breach(wanted->record, arena, wanted->operation, message, breach.detail ? breach.detail : breach.kind);
    if (verdict != ANSWER_GOOD)
        return answer_refused(arena, wanted, verdict, &breach);
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
    struct breach breach;
    answer->source = wanted->department;
    answer->status = 200;
    if (!body.len) { /* a 404 that was an empty list */
        answer->body = NULL;
        answer->items = empty_list(arena);
        return true;
    }
    const struct answer_message message = {.body = body};
    struct judgement judgement = {.arena = arena, .wanted = wanted, .message = &message, .breach = &breach};
    if (judge(&judgement) != ANSWER_GOOD)
        return false;
    answer->body = judgement.body;
    select_items(wanted, answer);
    return true;
}
