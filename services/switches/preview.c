/* What a switch would hit, before it is set: nothing is changed by asking. */
#include "handlers.h"
#include "switches_queries.h"

#include <shimin/session.h>

/* Figures that nobody keeps yet are null, never zero; each says why. */
static const struct {
    const char *name;
    struct bilingual why;
} unknown[] = {
    {"open_cases", BILINGUAL("办件引擎尚未上线", "There is no engine for cases yet")},
    {"bookings_tomorrow", BILINGUAL("预约引擎尚未上线", "There is no engine for bookings yet")},
    {"unsettled_payments", BILINGUAL("缴费引擎尚未上线", "There is no engine for payments yet")},
    {"sessions_active", BILINGUAL("Redis 暂时无法访问", "Redis cannot be asked for the moment")},
};

static void write_reason(struct json_out *out, struct str name)
{
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        if (!str_is(name, unknown[i].name))
            continue;
        json_key(out, unknown[i].name);
        json_object(out);
        json_field(out, "zh", unknown[i].why.zh);
        json_field(out, "en", unknown[i].why.en);
        json_end(out);
    }
}

/* Sessions belong to citizens and not to a service: all that are logged in, or the share of them that would be hit. */
static bool write_sessions(struct request *request, struct json_out *out)
{
    struct session_count count;
    json_key(out, "sessions_active");
    if (session_count(request_arena(request), &count) != SESSION_FOUND) {
        json_put_null(out);
        return false;
    }
    int64_t share = json_get_integer(request_body(request), "share", 100);
    json_put_i64(out, (count.sessions * share + 50) / 100);
    json_field_bool(out, "sessions_estimated", !count.exact || share != 100);
    return true;
}

void preview_switch(struct request *request)
{
    const struct json *answer =
        change_ask(request, &sql_preview_switch, PG_ARGS(pg_text(request_raw_body(request)), pg_text(change_bounds(request))));
    if (!answer)
        return;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    for (uint32_t i = 0; i < answer->count; i++) {
        if (str_is(answer->members[i].name, "unknown"))
            continue;
        json_key_str(out, answer->members[i].name);
        json_put_value(out, &answer->members[i].value);
    }
    bool sessions = write_sessions(request, out);
    const struct json *names = json_get(answer, "unknown");
    json_key(out, "unknown");
    json_object(out);
    for (uint32_t i = 0; names && i < names->count; i++)
        write_reason(out, names->items[i].string);
    if (!sessions)
        write_reason(out, STR("sessions_active"));
    json_end(out);
}
