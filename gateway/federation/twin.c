/* A contract's twin: the sandbox plays whatever document it is handed. */
#include "federation/settings.h"
#include "http/upstream.h"
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/draft.h>

#define TWIN_TIME seconds(10)

static const struct problem *no_sandbox(struct arena *arena)
{
    return problem_new(arena, PROBLEM_DEPARTMENT_UNAVAILABLE,
                       BILINGUAL("此处没有运行沙箱，请对测试地址试调", "No sandbox runs here; try against the test address"));
}

/* The sandbox says for which operations it can make no answer. */
static const struct problem *cannot_play(struct arena *arena, const struct upstream_response *response)
{
    struct json_error error;
    const struct json *body = json_parse(arena, response->body, &json_limits_answer, &error);
    struct str detail = json_get_string(body, "detail", STR("the sandbox cannot play this contract"));
    return problem_new(arena, PROBLEM_CONFLICT, (struct bilingual){detail, detail});
}

const struct problem *draft_twin_raise(struct arena *arena, struct str sha256, struct str bytes)
{
    const struct federation_settings *settings = federation_settings();
    if (!settings->sandbox_host || !settings->sandbox_control_port)
        return no_sandbox(arena);
    struct upstream *sandbox = upstream_open(
        &(struct upstream_settings){.host = str_of(settings->sandbox_host), .port = settings->sandbox_control_port});
    const struct field fields[] = {{STR("content-type"), STR("application/octet-stream")}};
    const struct upstream_request request = {
        .method = STR("PUT"),
        .target = str_printf(arena, "/sandbox/twins/%.*s", STR_ARG(sha256)),
        .fields = fields,
        .field_count = COUNT_OF(fields),
        .body = bytes,
        .most = 1 << 20,
        .deadline = deadline_in(TWIN_TIME),
    };
    struct upstream_response response = {0};
    enum upstream_status status = sandbox ? upstream_call(sandbox, &request, arena, &response) : UPSTREAM_CONNECT_FAILED;
    upstream_close(sandbox);
    if (status != UPSTREAM_OK)
        return no_sandbox(arena);
    return response.status == 204 ? NULL : cannot_play(arena, &response);
}
