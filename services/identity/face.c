/* Proving a live face: the department films it through the app's SDK and tells us how it ended; no image comes this way. */
#include "identity.h"

#include <shimin/clock.h>
#include <shimin/face_verification.h>

enum { PENDING_RETRY_SECONDS = 2 };

static const struct bilingual no_such = BILINGUAL("您没有这次实人认证", "You have no such face verification");

static struct json *person_values(struct request *request)
{
    struct json *values = json_make_object(request_arena(request));
    json_set(request_arena(request), values, STR("sfzh"),
             json_make_string(request_arena(request), request_citizen(request)->id_number));
    return values;
}

static const struct problem *open_at_department(struct request *request, struct face_verification *face, struct str *sdk_token)
{
    struct arena *arena = request_arena(request);
    struct json *values = person_values(request);
    struct department_answer answer;
    json_set(arena, values, STR("xm"), json_make_string(arena, request_citizen(request)->name));
    const struct problem *problem = identity_ask(request, account_verifier().face_operation, values, &answer);
    if (problem)
        return problem;
    face->serial = json_get_string(answer.body, "serial", STR(""));
    face->expires_at = clock_wall() + seconds(json_get_integer(answer.body, "expires_in", 0));
    *sdk_token = json_get_string(answer.body, "sdk_token", STR(""));
    return NULL;
}

void start_face_verification(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str citizen_id = request_citizen(request)->id, sdk_token = STR("");
    struct face_verification face = {0};
    const struct problem *problem = open_at_department(request, &face, &sdk_token);
    enum verification outcome = problem ? VERIFICATION_FAILED : VERIFICATION_OPENED;
    enum pg_status status = account_face_attempt(arena, citizen_id, outcome);
    if (problem) {
        reply_problem(request, problem);
        return;
    }
    if (status != PG_OK || face_verification_keep(arena, citizen_id, &face) != FACE_DONE) {
        identity_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 201);
    json_object(out);
    json_field(out, "id", face.id);
    json_field(out, "sdk_token", sdk_token);
    json_field(out, "expires_at", time_rfc3339(arena, face.expires_at));
}

static enum face_state state_of_answer(const struct department_answer *answer)
{
    static const struct {
        const char *name;
        enum face_state state;
    } results[] = {{"passed", FACE_PASSED}, {"failed", FACE_FAILED}, {"expired", FACE_EXPIRED}};
    struct str result = json_get_string(answer->body, "result", STR(""));
    for (size_t i = 0; i < COUNT_OF(results); i++)
        if (str_is(result, results[i].name))
            return results[i].state;
    return FACE_OPEN;
}

/* How an open one stands now. One that the department has forgotten is as good as expired. */
static const struct problem *ask_result(struct request *request, const struct face_verification *face, enum face_state *state)
{
    struct json *values = person_values(request);
    struct department_answer answer;
    *state = FACE_EXPIRED;
    if (face->expires_at <= clock_wall())
        return NULL;
    json_set(request_arena(request), values, STR("serial"), json_make_string(request_arena(request), face->serial));
    const struct problem *problem = identity_ask(request, account_verifier().face_result_operation, values, &answer);
    if (problem)
        return problem->type == PROBLEM_NOT_FOUND ? NULL : problem;
    *state = state_of_answer(&answer);
    return NULL;
}

static void reply_used(struct request *request)
{
    reply_fault(request, PROBLEM_CONFLICT,
                BILINGUAL("这次实人认证已经用过，请重新发起", "This face verification has been used; open another"));
}

static void reply_state(struct request *request, enum face_state state)
{
    struct problem *problem;
    switch (state) {
    case FACE_OPEN:
        problem = problem_new(request_arena(request), PROBLEM_FACE_PENDING,
                              BILINGUAL("请在认证界面完成拍摄", "Finish in front of the camera first"));
        problem->retry_after = PENDING_RETRY_SECONDS;
        reply_problem(request, problem);
        return;
    case FACE_FAILED:
        reply_fault(
            request, PROBLEM_FACE_REJECTED,
            BILINGUAL("未能确认是您本人，请在光线充足处重新发起，或到窗口办理",
                      "It could not be confirmed that this is you; open another in good light, or go to a service counter"));
        return;
    case FACE_EXPIRED:
        reply_fault(request, PROBLEM_FACE_EXPIRED, BILINGUAL("请重新发起实人认证", "Open another face verification"));
        return;
    default:
        reply_used(request);
    }
}

/* The attempt is kept before the session is opened: there is no L3 without a record of how it came about. If a store fails in
 * between, the verification is used up and the citizen is filmed again. */
static void end_verification(struct request *request, const struct face_verification *face, enum face_state state)
{
    static const enum verification outcomes[FACE_STATES] = {
        [FACE_PASSED] = VERIFICATION_MATCHED, [FACE_FAILED] = VERIFICATION_REFUSED, [FACE_EXPIRED] = VERIFICATION_EXPIRED};
    struct arena *arena = request_arena(request);
    struct citizen citizen = *request_citizen(request);
    enum face_outcome ended = face_verification_end(arena, face->id, state);
    if (ended == FACE_TAKEN) {
        reply_used(request);
        return;
    }
    if (ended != FACE_DONE || account_face_attempt(arena, citizen.id, outcomes[state]) != PG_OK) {
        identity_reply_unavailable(request);
        return;
    }
    if (state != FACE_PASSED) {
        reply_state(request, state);
        return;
    }
    citizen.level = citizen.level > LEVEL_LIVE_FACE ? citizen.level : LEVEL_LIVE_FACE;
    identity_replace_session(request, &citizen);
}

void complete_face_verification(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str citizen_id = request_citizen(request)->id;
    struct face_verification face;
    enum face_state state;
    enum face_outcome found = face_verification_find(arena, citizen_id, request_string(request, "id"), &face);
    if (found != FACE_DONE) {
        if (found == FACE_UNKNOWN)
            reply_fault(request, PROBLEM_NOT_FOUND, no_such);
        else
            identity_reply_unavailable(request);
        return;
    }
    if (face.state != FACE_OPEN) {
        reply_state(request, face.state);
        return;
    }
    const struct problem *problem = ask_result(request, &face, &state);
    if (problem) {
        /* the problem is the answer whether or not this can be kept: the verification stays open */
        (void)!account_face_attempt(arena, citizen_id, VERIFICATION_FAILED);
        reply_problem(request, problem);
    } else if (state == FACE_OPEN) {
        reply_state(request, state);
    } else {
        end_verification(request, &face, state);
    }
}
