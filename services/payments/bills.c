/* The citizen's bills: every department with an account is asked at once, under one deadline; who is late is named. */
#include "bill.h"
#include "handlers.h"
#include "page.h"
#include "payments_queries.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <shimin/personal.h>

enum { ASK_SECONDS = 4 };

/* One account that is being asked for. Its arena is its own: fibers share no memory that grows. */
struct asking {
    struct request *request;
    struct arena *arena;
    struct str account_id, service_slug, sealed, index;
    const struct service *service;
    enum { ASKED_NOT, ASKED, ASKED_STALE, ASKED_CLOSED } outcome;
    int64_t as_of;
};

static void ask(void *argument)
{
    struct asking *asking = argument;
    struct department_answer answer;
    const struct bill_question question = {
        .arena = asking->arena,
        .snapshot = request_snapshot(asking->request),
        .service = asking->service,
        .citizen = request_citizen(asking->request),
        .request = asking->request,
        .account_number = personal_open(asking->arena, "bill_account.number", asking->account_id, asking->sealed),
    };
    if (!question.account_number.at || bills_ask(&question, &answer) ||
        bills_keep(asking->arena, asking->service, asking->index, &answer) != PG_OK)
        return;
    asking->as_of = answer.as_of;
    asking->outcome = answer.stale ? ASKED_STALE : ASKED;
}

/* The citizen's accounts; NULL after a reply. */
static struct asking *find_accounts(struct request *request, size_t *count)
{
    struct arena *arena = request_arena(request);
    const struct pg_result *rows;
    if (pg_query(arena, &sql_accounts_to_ask, PG_ARGS(pg_text(request_citizen(request)->id)), &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return NULL;
    }
    *count = pg_rows(rows);
    struct asking *all = arena_array(arena, struct asking, *count + 1);
    for (size_t i = 0; i < *count; i++) {
        const struct service *service = snapshot_service(request_snapshot(request), pg_str(rows, i, 1));
        all[i] = (struct asking){.request = request,
                                 .account_id = pg_str(rows, i, 0),
                                 .service_slug = pg_str(rows, i, 1),
                                 .service = service,
                                 .sealed = pg_bin(arena, rows, i, 2),
                                 .index = pg_bin(arena, rows, i, 3),
                                 .outcome = payments_closed(request, service, SWITCH_READ_ONLY) ? ASKED_CLOSED : ASKED_NOT};
    }
    return all;
}

static void ask_all(struct asking *all, size_t count)
{
    struct fiber_group group = {0};
    for (size_t i = 0; i < count; i++) {
        if (all[i].outcome == ASKED_CLOSED)
            continue;
        all[i].arena = arena_open();
        fiber_spawn(&group, ask, &all[i]);
    }
    (void)fiber_join(&group, deadline_in(seconds(ASK_SECONDS)));
    for (size_t i = 0; i < count; i++)
        if (all[i].arena)
            arena_close(all[i].arena);
}

/* What the citizen may see with the level they prove now. */
static struct str open_services(struct arena *arena, const struct asking *all, size_t count)
{
    struct text text = text_open(arena, 256);
    struct json_out out = json_write(&text);
    json_array(&out);
    for (size_t i = 0; i < count; i++)
        if (all[i].outcome != ASKED_CLOSED)
            json_put(&out, all[i].service->slug);
    json_end_all(&out);
    return text_str(&text);
}

static void write_sources(struct json_out *out, struct arena *arena, const struct asking *all, size_t count)
{
    static const char *const outcomes[] = {
        [ASKED_NOT] = "unavailable", [ASKED] = "asked", [ASKED_STALE] = "stale", [ASKED_CLOSED] = "closed"};
    json_array(out);
    for (size_t i = 0; i < count; i++) {
        json_object(out);
        json_field(out, "account", all[i].account_id);
        json_field(out, "service", all[i].service_slug);
        json_field_c(out, "status", outcomes[all[i].outcome]);
        json_key(out, "as_of");
        if (all[i].as_of)
            json_put(out, time_rfc3339(arena, all[i].as_of));
        else
            json_put_null(out);
        json_end(out);
    }
    json_end(out);
}

/* The first page asks the departments; the pages after it show what was kept. */
void list_bills(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct page page;
    size_t accounts;
    struct asking *all = page_read(request, "bills", &page) ? find_accounts(request, &accounts) : NULL;
    bool is_first = !page.after.at;
    if (!all)
        return;
    if (is_first)
        ask_all(all, accounts);
    const struct pg_result *rows;
    if (pg_query(arena, &sql_list_bills,
                 PG_ARGS(pg_text(request_citizen(request)->id), pg_boolean(str_is(request_string(request, "state"), "all")),
                         pg_text(is_first ? STR("9999-12-31") : page.after), pg_text(page.id), pg_integer(page.limit + 1),
                         pg_text(open_services(arena, all, accounts))),
                 &rows) != PG_OK) {
        payments_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "sources");
    write_sources(out, arena, all, is_first ? accounts : 0);
    page_write(out, arena, &page, rows);
}
