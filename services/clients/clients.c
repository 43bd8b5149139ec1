/* A department's clients: listed, made, changed, revoked. */
#include "handlers.h"

#include "clients_queries.h"

#include <shimin/cursor.h>
#include <shimin/pg.h>

enum { RETRY_SECONDS = 2, PAGE_MOST = 100 };

void clients_reply_unavailable(struct request *request)
{
    struct problem *problem = problem_new(request_arena(request), PROBLEM_STORE_UNAVAILABLE, (struct bilingual){0});
    problem->retry_after = RETRY_SECONDS;
    reply_problem(request, problem);
}

void clients_reply_absent(struct request *request)
{
    reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("本部门没有这个接入系统", "Your department has no such client"));
}

unsigned clients_scopes(struct str words)
{
    unsigned scopes = 0;
    enum scope scope;
    while (words.at)
        if (scope_named(str_cut(&words, ' '), &scope))
            scopes |= 1U << scope;
    return scopes;
}

bool clients_may_give(struct request *request, unsigned scopes)
{
    const struct actor *actor = request_actor(request);
    if (actor->kind == ACTOR_STAFF || !(scopes & ~actor->scopes))
        return true;
    reply_fault(request, PROBLEM_FORBIDDEN,
                BILINGUAL("接入系统不能给出自己没有的权限范围", "A client cannot give a scope that it does not have"));
    return false;
}

void clients_audit(struct request *request, struct str client_id, struct str detail)
{
    request_audit(request, str_printf(request_arena(request), "client:%.*s", STR_ARG(client_id)), detail);
}

/* The body's scopes as words; STR_NONE without. */
static struct str scope_words(struct request *request)
{
    const struct json *list = json_get(request_body(request), "scopes");
    struct text text = text_open(request_arena(request), 64);
    for (uint32_t i = 0; list && i < list->count; i++)
        text_printf(&text, "%s%.*s", i ? " " : "", STR_ARG(list->items[i].string));
    return list ? text_str(&text) : STR_NONE;
}

static struct str body_string(struct request *request, const char *name)
{
    return json_get_string(request_body(request), name, STR_NONE);
}

static void reply_client(struct request *request, unsigned status, const struct pg_result *row)
{
    reply_bytes(request, status, "application/json", pg_str(row, 0, 0));
    reply_etag(request, pg_str(row, 0, 1));
}

void list_clients(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str cursor = request_string(request, "cursor"), after = STR("");
    if (cursor.at && !cursor_read(arena, "clients", cursor, &after)) {
        reply_fault(request, PROBLEM_INVALID_CURSOR, (struct bilingual){0});
        return;
    }
    int64_t limit = request_integer(request, "limit", 20);
    limit = limit > PAGE_MOST ? PAGE_MOST : limit;
    const struct pg_result *rows;
    if (pg_query(arena, &sql_list_clients,
                 PG_ARGS(pg_text(request_actor(request)->department), pg_text(after), pg_integer(limit + 1)), &rows) != PG_OK) {
        clients_reply_unavailable(request);
        return;
    }
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_key(out, "items");
    json_array(out);
    size_t count = pg_rows(rows);
    for (size_t i = 0; i < count && (int64_t)i < limit; i++)
        json_put_raw(out, pg_str(rows, i, 0));
    json_end(out);
    json_key(out, "next_cursor");
    if ((int64_t)count > limit)
        json_put(out, cursor_make(arena, "clients", pg_str(rows, (size_t)limit - 1, 1)));
    else
        json_put_null(out);
}

void create_client(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct actor *actor = request_actor(request);
    struct str name = body_string(request, "name"), title = body_string(request, "title"), scopes = scope_words(request);
    struct str id = str_printf(arena, "%.*s.%.*s", STR_ARG(actor->department), STR_ARG(name));
    const struct pg_result *row;
    clients_audit(request, id, scopes);
    if (!clients_may_give(request, clients_scopes(scopes)))
        return;
    if (pg_query(arena, &sql_create_client,
                 PG_ARGS(pg_text(actor->department), pg_text(name), pg_text(title.at ? title : name), pg_text(scopes),
                         pg_text(actor_label(arena, actor))),
                 &row) != PG_OK) {
        clients_reply_unavailable(request);
        return;
    }
    if (!pg_rows(row)) {
        reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("这个名称已用过", "The name is taken, or was once"));
        return;
    }
    reply_client(request, 201, row);
    reply_header(request, "location", str_printf(arena, "/department/v1/clients/%.*s", STR_ARG(id)));
}

/* The row of the client of the path; NULL after replying. */
static const struct pg_result *find(struct request *request)
{
    const struct pg_result *row;
    struct str id = request_string(request, "id");
    clients_audit(request, id, STR_NONE);
    if (pg_query(request_arena(request), &sql_read_client, PG_ARGS(pg_text(request_actor(request)->department), pg_text(id)),
                 &row) != PG_OK) {
        clients_reply_unavailable(request);
        return NULL;
    }
    if (pg_rows(row))
        return row;
    clients_reply_absent(request);
    return NULL;
}

void read_client(struct request *request)
{
    const struct pg_result *row = find(request);
    if (row)
        reply_client(request, 200, row);
}

/* What became of a change: the row, or why there is none. */
static void reply_changed(struct request *request, enum pg_status status, const struct pg_result *row)
{
    if (status != PG_OK)
        clients_reply_unavailable(request);
    else if (pg_rows(row))
        reply_client(request, 200, row);
    else
        reply_fault(request, PROBLEM_PRECONDITION_FAILED,
                    BILINGUAL("它已被改过或已撤销，请重新读取", "It was changed or revoked meanwhile; read it anew"));
}

void change_client(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str department = request_actor(request)->department, id = request_string(request, "id");
    struct str scopes = scope_words(request);
    const struct pg_result *row = find(request);
    int64_t version;
    if (!row || !request_if_match(request, &version) ||
        !clients_may_give(request, clients_scopes(scopes) | clients_scopes(pg_str(row, 0, 2))))
        return;
    clients_audit(request, id, scopes);
    enum pg_status status = pg_query(
        arena, &sql_change_client,
        PG_ARGS(pg_text(department), pg_text(id), pg_integer(version), pg_text(body_string(request, "title")), pg_text(scopes)),
        &row);
    reply_changed(request, status, row);
}

void revoke_client(struct request *request)
{
    struct str department = request_actor(request)->department, id = request_string(request, "id");
    const struct pg_result *row = find(request);
    int64_t version;
    if (!row || !request_if_match(request, &version) || !clients_may_give(request, clients_scopes(pg_str(row, 0, 2))))
        return;
    enum pg_status status = pg_query(request_arena(request), &sql_revoke_client,
                                     PG_ARGS(pg_text(department), pg_text(id), pg_integer(version)), &row);
    reply_changed(request, status, row);
}
