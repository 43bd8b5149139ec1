/* Refusing what a service does not allow, in words that say what to do about it. */
#include "catalogue/demand.h"

#include <shimin/arena.h>
#include <shimin/citizen.h>
#include <shimin/clock.h>

/* Offered as Retry-After when a switch has no end. */
enum { RETRY_SECONDS = 600 };

static const struct bilingual how_to_prove[LEVELS] = {
    [LEVEL_PHONE] = {STR("请用手机号登录"), STR("Log in with your phone number")},
    [LEVEL_REAL_NAME] = {STR("请先实名：POST /v1/me/identity"), STR("Verify your real name first: POST /v1/me/identity")},
    [LEVEL_LIVE_FACE] = {STR("请先实人认证：POST /v1/me/face-verifications"),
                         STR("Prove by a live face that it is you first: POST /v1/me/face-verifications")},
    [LEVEL_CERTIFICATE] = {STR("请用数字证书，或到窗口办理"), STR("Use a digital certificate, or a service counter")},
};

/* Which acts a position allows. */
static const unsigned allowed_acts[SWITCH_POSITIONS] = {
    [SWITCH_OPEN] = 1U << ACT_DESCRIBE | 1U << ACT_READ | 1U << ACT_CONTINUE | 1U << ACT_SUBMIT,
    [SWITCH_NO_NEW] = 1U << ACT_DESCRIBE | 1U << ACT_READ | 1U << ACT_CONTINUE,
    [SWITCH_READ_ONLY] = 1U << ACT_DESCRIBE | 1U << ACT_READ,
    [SWITCH_OFF] = 1U << ACT_DESCRIBE,
};

const struct problem *demand_level(struct request *request, enum level proved, enum level needed)
{
    struct arena *arena = request_arena(request);
    if (proved >= needed)
        return NULL;
    if (proved == LEVEL_GUEST)
        return problem_new(arena, PROBLEM_UNAUTHENTICATED, how_to_prove[LEVEL_PHONE]);
    reply_header(
        request, "www-authenticate",
        str_printf(arena, "Bearer error=\"insufficient_user_authentication\", acr_values=\"urn:city:loa:%d\"", (int)needed));
    return problem_new(arena, PROBLEM_STEP_UP, how_to_prove[needed]);
}

static struct str window_members(struct arena *arena, const struct service *service, struct switch_state state)
{
    struct text text = text_open(arena, 160);
    text_printf(&text, "\"service\":\"%.*s\",\"position\":\"%s\",\"scope\":\"%s\"", STR_ARG(service->slug),
                switch_position_name(state.position), switch_scope_name(state.scope));
    if (state.from)
        text_printf(&text, ",\"from\":\"%.*s\"", STR_ARG(time_rfc3339(arena, state.from)));
    if (state.until)
        text_printf(&text, ",\"until\":\"%.*s\"", STR_ARG(time_rfc3339(arena, state.until)));
    return text_str(&text);
}

/* The area that the request asks about. Looked for only where there is a switch of an area, and before the parameters are
 * validated: what is no code of an area is none. */
static const struct area *area_asked(struct request *request, const struct snapshot *snapshot)
{
    struct str rest = request_query(request), code;
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
        if (str_is(name, "area"))
            return str_percent_decode(request_arena(request), value, true, &code) ? snapshot_area(snapshot, code) : NULL;
    }
    return NULL;
}

struct switch_state request_switch(struct request *request, const struct snapshot *snapshot, const struct service *service)
{
    const struct citizen *citizen = request_citizen(request);
    const struct switch_asker asker = {
        .citizen_id = citizen ? citizen->id : STR_NONE,
        .area = snapshot_switches_areas(snapshot) ? area_asked(request, snapshot) : NULL,
    };
    return snapshot_switch(snapshot, service, &asker);
}

const struct problem *demand_switch(struct request *request, const struct snapshot *snapshot, const struct service *service,
                                    enum act act)
{
    struct arena *arena = request_arena(request);
    struct switch_state state = request_switch(request, snapshot, service);
    if (allowed_acts[state.position] & (1U << act))
        return NULL;
    struct problem *problem = problem_new(arena, PROBLEM_SERVICE_SWITCHED, state.reason);
    int64_t left = state.until ? (state.until - clock_wall()) / seconds(1) : RETRY_SECONDS;
    problem->retry_after = left > 0 ? left : 1;
    problem->extension = window_members(arena, service, state);
    return problem;
}

const struct problem *demand_unretired(struct request *request, const struct service *service, enum act act)
{
    struct arena *arena = request_arena(request);
    if (act == ACT_DESCRIBE || !service->sunset_at || service->sunset_at > clock_wall())
        return NULL;
    struct problem *problem = problem_new(arena, PROBLEM_SERVICE_RETIRED, service->notice);
    struct text text = text_open(arena, 160);
    text_printf(&text, "\"service\":\"%.*s\",\"sunset_at\":\"%.*s\",\"successor\":", STR_ARG(service->slug),
                STR_ARG(time_rfc3339(arena, service->sunset_at)));
    if (service->successor.len)
        text_printf(&text, "\"%.*s\"", STR_ARG(service->successor));
    else
        text_add(&text, STR("null"));
    problem->extension = text_str(&text);
    return problem;
}
