/* Asking the database's functions, and the forms of the answers. */
#include "handlers.h"

#include <shimin/cursor.h>
#include <shimin/switches.h>

enum { PAGE_MOST = 100, RETRY_SECONDS = 2 };

struct str change_bounds(struct request *request)
{
    const struct actor *actor = request_actor(request);
    return switch_bounds(request_arena(request), actor->department, actor->area);
}

int64_t change_id(struct request *request)
{
    return request_integer(request, "id", 0);
}

void change_reply_away(struct request *request)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = RETRY_SECONDS;
    reply_problem(request, problem);
}

const struct json *change_ask(struct request *request, const struct pg_statement *statement, const struct pg_value *values,
                              size_t count)
{
    struct arena *arena = request_arena(request);
    const struct pg_result *row;
    struct json_error error;
    const struct json *answer = NULL;
    if (pg_query(arena, statement, values, count, &row) == PG_OK && pg_rows(row) == 1)
        answer = json_parse(arena, pg_str(row, 0, 0), &json_limits_document, &error);
    if (!answer) {
        change_reply_away(request);
        return NULL;
    }
    struct str fault = json_get_string(answer, "fault", STR_NONE);
    if (!fault.at)
        return answer;
    reply_problem(request, switch_problem(arena, fault));
    return NULL;
}

static struct str place_of(struct arena *arena, const char *folder, const struct json *row)
{
    return str_printf(arena, "/admin/v1/%s/%lld", folder, (long long)json_get_integer(row, "id", 0));
}

/* The members of the database's answer, then who has taken it up. */
static void write_outcome(struct request *request, struct json_out *out, const struct json *answer)
{
    static const char *const shown[] = {"switch", "setting", "proposal"};
    for (size_t i = 0; i < COUNT_OF(shown); i++) {
        const struct json *member = json_get(answer, shown[i]);
        if (!member)
            continue;
        json_key(out, shown[i]);
        json_put_value(out, member);
    }
    const struct json *version = json_get(answer, "switches_version");
    struct str confirmations;
    if (!version)
        return;
    json_key(out, "taken_up");
    if (switch_confirmations(request_arena(request), version->integer, &confirmations) == PG_OK)
        json_put_raw(out, confirmations);
    else
        json_put_null(out);
}

void change_reply(struct request *request, const struct json *answer, bool decided)
{
    struct arena *arena = request_arena(request);
    const struct json *made = json_get(answer, "switch"), *setting = json_get(answer, "setting"),
                      *proposal = json_get(answer, "proposal");
    struct text body = text_open(arena, 1024);
    struct json_out out = json_write(&body);
    json_object(&out);
    write_outcome(request, &out, answer);
    json_end_all(&out);
    if (!decided && made)
        reply_header(request, "location", place_of(arena, "switches", made));
    else if (!decided && setting)
        reply_header(request, "location", place_of(arena, "settings", setting));
    else if (!decided && proposal)
        reply_header(request, "location", place_of(arena, "proposals", proposal));
    reply_bytes(request, decided ? 200 : proposal ? 202 : 201, "application/json", text_str(&body));
}

bool change_page_start(struct request *request, const char *purpose, struct pg_value *before)
{
    struct str cursor = request_string(request, "cursor"), state;
    int64_t id;
    *before = pg_null();
    if (!cursor.at)
        return true;
    if (cursor_read(request_arena(request), purpose, cursor, &state) && str_to_i64(state, &id)) {
        *before = pg_integer(id);
        return true;
    }
    reply_fault(request, PROBLEM_INVALID_CURSOR,
                BILINGUAL("cursor 无效，请从第一页重新开始", "The cursor is invalid; start again from the first page"));
    return false;
}

int64_t change_page_limit(struct request *request)
{
    int64_t limit = request_integer(request, "limit", 20);
    return limit < PAGE_MOST ? limit : PAGE_MOST;
}

void change_reply_page(struct request *request, const char *purpose, const struct pg_result *row)
{
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field_raw(out, "items", pg_str(row, 0, 0));
    json_key(out, "next_cursor");
    if (pg_is_null(row, 0, 1))
        json_put_null(out);
    else
        json_put(out, cursor_make(request_arena(request), purpose, pg_str(row, 0, 1)));
}
