/* Accounts of staff: the city's by its security administrators, a department's by its managers. */
#include "handlers.h"

#include "staff_queries.h"

#include <shimin/catalogue.h>
#include <shimin/cursor.h>
#include <shimin/pg.h>

enum { PAGE_MOST = 100 };

#define CITY (1U << ROLE_SYSTEM | 1U << ROLE_SECURITY | 1U << ROLE_AUDIT | 1U << ROLE_OPERATOR)
#define DEPARTMENT (1U << ROLE_MANAGER | 1U << ROLE_ENGINEER)

/* What an account is to be. */
struct place {
    unsigned roles;
    struct str words; /* the roles */
    struct str department, area;
};

/* The department whose accounts are meant; STR_NONE: everybody's, for the city's security administrators. */
static struct str scope_of(const struct request *request)
{
    return str_starts(request_path(request), STR("/department/")) ? request_actor(request)->department : STR_NONE;
}

static void reply_invalid(struct request *request, struct str pointer, struct bilingual fault)
{
    struct problem_error *error = arena_new(request_arena(request), struct problem_error);
    *error = (struct problem_error){.pointer = pointer, .detail = fault};
    struct problem *problem = problem_new(request_arena(request), PROBLEM_VALIDATION, (struct bilingual){0});
    problem->errors = error;
    problem->error_count = 1;
    reply_problem(request, problem);
}

static unsigned roles_of(struct str words)
{
    unsigned roles = 0;
    enum role role;
    while (words.at)
        if (role_named(str_cut(&words, ' '), &role))
            roles |= 1U << role;
    return roles;
}

static void set_roles(struct request *request, struct place *place, const struct json *list)
{
    struct text text = text_open(request_arena(request), 64);
    for (uint32_t i = 0; i < list->count; i++)
        text_printf(&text, "%s%.*s", i ? " " : "", STR_ARG(list->items[i].string));
    place->words = text_str(&text);
    place->roles = roles_of(place->words);
}

/* A member of the body over what was: a string sets it, null takes it away. */
static void overlay(const struct json *body, const char *name, struct str *value)
{
    const struct json *member = json_get(body, name);
    if (member)
        *value = member->type == JSON_STRING ? member->string : STR_NONE;
}

static struct place place_of(struct request *request, struct place before)
{
    const struct json *body = request_body(request), *roles = json_get(body, "roles");
    struct str scope = scope_of(request);
    struct place place = before;
    if (roles)
        set_roles(request, &place, roles);
    overlay(body, "department", &place.department);
    overlay(body, "area", &place.area);
    if (scope.at)
        place.department = scope;
    return place;
}

/* Nobody holds two of the city's roles, a department's people hold its roles only, and an operator's rights end somewhere. */
static bool check_place(struct request *request, const struct place *place)
{
    bool one = !(place->roles & (place->roles - 1)), operates = place->roles == 1U << ROLE_OPERATOR;
    bool theirs = place->roles && !(place->roles & ~DEPARTMENT);
    const struct snapshot *snapshot = request_snapshot(request);
    if (scope_of(request).at && !theirs)
        reply_invalid(request, STR("/roles"),
                      BILINGUAL("部门账号只能是 manager 或 engineer", "A department's accounts are managers and engineers"));
    else if (!theirs && !(one && (place->roles & CITY)))
        reply_invalid(
            request, STR("/roles"),
            BILINGUAL("system、security、audit、operator 四者只能取一，且不与部门角色并存",
                      "Of system, security, audit and operator an account has one, and no department's role beside it"));
    else if (place->department.at && !snapshot_department(snapshot, place->department))
        reply_invalid(request, STR("/department"), BILINGUAL("没有这个部门", "There is no such department"));
    else if (place->area.at && !snapshot_area(snapshot, place->area))
        reply_invalid(request, STR("/area"), BILINGUAL("没有这个区域", "There is no such area"));
    else if (theirs ? !place->department.at || place->area.at
                    : (place->department.at != NULL) + (place->area.at != NULL) != (operates ? 1 : 0))
        reply_invalid(request, STR("/department"),
                      BILINGUAL("部门角色须有部门，operator 须有部门或区域之一，其余都没有",
                                "A department's role has a department, an operator a department or an area, others neither"));
    else
        return true;
    return false;
}

static void audit(struct request *request, struct str name, struct str detail)
{
    request_audit(request, str_printf(request_arena(request), "staff:%.*s", STR_ARG(name)), detail);
}

static void reply_account(struct request *request, const struct pg_result *row)
{
    reply_bytes(request, 200, "application/json", pg_str(row, 0, 0));
    reply_etag(request, pg_str(row, 0, 1));
}

void list_staff(struct request *request)
{
    struct arena *arena = request_arena(request);
    struct str cursor = request_string(request, "cursor"), after = STR(""), scope = scope_of(request);
    const char *purpose = scope.at ? "department-staff" : "staff";
    if (cursor.at && !cursor_read(arena, purpose, cursor, &after)) {
        reply_fault(request, PROBLEM_INVALID_CURSOR, (struct bilingual){0});
        return;
    }
    int64_t limit = request_integer(request, "limit", 20);
    limit = limit > PAGE_MOST ? PAGE_MOST : limit;
    const struct pg_result *rows;
    if (pg_query(arena, &sql_list_staff, PG_ARGS(pg_text(scope), pg_text(after), pg_integer(limit + 1)), &rows) != PG_OK) {
        staff_reply_unavailable(request);
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
        json_put(out, cursor_make(arena, purpose, pg_str(rows, (size_t)limit - 1, 1)));
    else
        json_put_null(out);
}

/* The account of the path; NULL after replying. */
static const struct pg_result *find(struct request *request)
{
    const struct pg_result *row;
    if (pg_query(request_arena(request), &sql_read_staff,
                 PG_ARGS(pg_text(scope_of(request)), pg_text(request_string(request, "id"))), &row) != PG_OK) {
        staff_reply_unavailable(request);
        return NULL;
    }
    if (!pg_rows(row)) {
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个账号", "There is no such account"));
        return NULL;
    }
    audit(request, pg_str(row, 0, 2), STR_NONE);
    return row;
}

/* As find, for what nobody does to themselves: else who makes accounts could give themselves a role, or let a second factor go
 * that somebody borrowed. */
static const struct pg_result *find_other(struct request *request)
{
    const struct pg_result *row = find(request);
    if (!row || !str_equal(request_string(request, "id"), request_actor(request)->id))
        return row;
    reply_fault(
        request, PROBLEM_FORBIDDEN,
        BILINGUAL("不能更改自己的账号，请另一位管理员办理", "Nobody changes their own account; another administrator does"));
    return NULL;
}

void read_staff(struct request *request)
{
    const struct pg_result *row = find(request);
    if (row)
        reply_account(request, row);
}

void create_staff(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request);
    struct place place = place_of(request, (struct place){.department = STR_NONE, .area = STR_NONE});
    const struct staff_new account = {
        .name = json_get_string(body, "name", STR("")),
        .display_name = json_get_string(body, "display_name", json_get_string(body, "name", STR(""))),
        .roles = place.words,
        .department = place.department,
        .area = place.area,
        .created_by = actor_label(arena, request_actor(request)),
    };
    struct str id, password;
    audit(request, account.name, place.words);
    if (!check_place(request, &place))
        return;
    enum staff_outcome outcome = staff_create(arena, &account, &id, &password);
    if (outcome == STAFF_CONFLICT)
        reply_fault(request, PROBLEM_CONFLICT, BILINGUAL("用户名已有人用", "The name is taken"));
    else if (outcome != STAFF_DONE)
        staff_reply_outcome(request, outcome);
    else
        staff_reply_password(request, 201, id, password);
}

void change_staff(struct request *request)
{
    const struct json *body = request_body(request);
    const struct pg_result *row = find_other(request);
    int64_t version;
    if (!row || !request_if_match(request, &version))
        return;
    struct place before = {
        .words = pg_str(row, 0, 3),
        .roles = roles_of(pg_str(row, 0, 3)),
        .department = pg_is_null(row, 0, 4) ? STR_NONE : pg_str(row, 0, 4),
        .area = pg_is_null(row, 0, 5) ? STR_NONE : pg_str(row, 0, 5),
    };
    struct place place = place_of(request, before);
    struct str state = json_get_string(body, "state", STR_NONE);
    audit(request, pg_str(row, 0, 2),
          str_printf(request_arena(request), "%.*s%s%.*s", STR_ARG(place.words), state.at ? ", " : "", STR_ARG(state)));
    if (!check_place(request, &place))
        return;
    enum pg_status status =
        pg_query(request_arena(request), &sql_change_staff,
                 PG_ARGS(pg_text(scope_of(request)), pg_text(request_string(request, "id")), pg_integer(version),
                         pg_text(json_get_string(body, "display_name", STR_NONE)), pg_text(place.words),
                         pg_text(place.department), pg_text(place.area), pg_text(state)),
                 &row);
    if (status == PG_CONFLICT)
        reply_fault(request, PROBLEM_CONFLICT,
                    BILINGUAL("最后一个安全管理员不能停用或改任",
                              "The last account with the role security is neither locked nor given another role"));
    else if (status != PG_OK)
        staff_reply_unavailable(request);
    else if (!pg_rows(row))
        reply_fault(request, PROBLEM_PRECONDITION_FAILED,
                    BILINGUAL("它已被改过，请重新读取", "It was changed meanwhile; read it anew"));
    else
        reply_account(request, row);
}

void reset_staff(struct request *request)
{
    struct str id = request_string(request, "id"), password;
    if (!find_other(request))
        return;
    enum staff_outcome outcome = staff_reset(request_arena(request), id, &password);
    if (outcome == STAFF_DONE)
        staff_reply_password(request, 200, id, password);
    else
        staff_reply_outcome(request, outcome);
}

void list_sessions_of_staff(struct request *request)
{
    if (find(request))
        staff_reply_sessions(request, request_string(request, "id"));
}

void revoke_sessions_of_staff(struct request *request)
{
    if (!find(request))
        return;
    if (staff_session_revoke_all(request_arena(request), request_string(request, "id")) == SESSION_FOUND)
        reply_empty(request, 204);
    else
        staff_reply_unavailable(request);
}
