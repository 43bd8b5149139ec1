/* Credentials of a department's clients: added, so that two live at once while one is exchanged for the other, and revoked. */
#include "handlers.h"

#include "clients_queries.h"

#include <shimin/clock.h>
#include <shimin/id.h>
#include <shimin/pg.h>

/* One transaction: the client's row is held, so that of two who add at once one sees the other. *added says whether there was
 * room for it. */
static enum pg_status insert(struct request *request, struct str id, const struct client_credential *credential,
                             int64_t others_end, bool *found, bool *added)
{
    struct arena *arena = request_arena(request);
    struct str client = request_string(request, "id");
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    const struct pg_result *held, *row;
    enum pg_status status;
    *found = *added = false;
    if ((status = pg_begin(arena, &transaction)) != PG_OK ||
        (status = pg_in(transaction, &sql_hold_client, PG_ARGS(pg_text(request_actor(request)->department), pg_text(client)),
                        &held)) != PG_OK)
        return status;
    *found = pg_rows(held) == 1;
    if (!*found)
        return PG_OK;
    if (others_end &&
        (status = pg_in(transaction, &sql_end_credentials, PG_ARGS(pg_text(client), pg_time(others_end)), NULL)) != PG_OK)
        return status;
    status = pg_in(transaction, &sql_add_credential,
                   PG_ARGS(pg_text(id), pg_text(client), pg_text(str_of(client_method_name(credential->method))),
                           pg_bytes(credential->secret_sha256), pg_text(credential->jwk), pg_text(credential->certificate),
                           pg_text(credential->subject), pg_text(actor_label(arena, request_actor(request)))),
                   &row);
    *added = status == PG_OK && pg_affected(row) == 1;
    return *added ? pg_commit(&transaction) : status;
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

/* The client's scopes; false after replying. */
static bool check_client(struct request *request)
{
    const struct pg_result *row;
    if (pg_query(request_arena(request), &sql_read_client,
                 PG_ARGS(pg_text(request_actor(request)->department), pg_text(request_string(request, "id"))), &row) != PG_OK) {
        clients_reply_unavailable(request);
        return false;
    }
    if (!pg_rows(row)) {
        clients_reply_absent(request);
        return false;
    }
    return clients_may_give(request, clients_scopes(pg_str(row, 0, 2)));
}

static void reply_added(struct request *request, struct str id, const struct client_credential *credential)
{
    struct json_out *out = reply_json(request, 201);
    json_object(out);
    json_field(out, "id", id);
    json_field_c(out, "method", client_method_name(credential->method));
    if (credential->secret.at)
        json_field(out, "client_secret", credential->secret);
    reply_header(request, "location",
                 str_printf(request_arena(request), "/department/v1/clients/%.*s/credentials/%.*s",
                            STR_ARG(request_string(request, "id")), STR_ARG(id)));
}

void add_credential(struct request *request)
{
    struct arena *arena = request_arena(request);
    const struct json *body = request_body(request);
    struct client_credential credential;
    struct str until = json_get_string(body, "others_end_at", STR_NONE), id = id_new(arena);
    int64_t others_end = 0;
    bool found, added;
    clients_audit(request, request_string(request, "id"), json_get_string(body, "method", STR("")));
    if (until.at && !time_parse_rfc3339(until, &others_end)) {
        reply_invalid(request, STR("/others_end_at"),
                      BILINGUAL("必须是 RFC 3339 时间", "It must be a time as RFC 3339 has it"));
        return;
    }
    if (!check_client(request))
        return;
    if (!client_credential_read(arena, body, &credential)) {
        reply_invalid(request, credential.pointer, credential.fault);
        return;
    }
    if (insert(request, id, &credential, others_end, &found, &added) != PG_OK)
        clients_reply_unavailable(request);
    else if (!found)
        clients_reply_absent(request);
    else if (!added)
        reply_fault(
            request, PROBLEM_CONFLICT,
            BILINGUAL("同时有效的凭证最多两个，请先撤销一个", "Two credentials may live at once; revoke one of them first"));
    else
        reply_added(request, id, &credential);
}

void revoke_credential(struct request *request)
{
    const struct pg_result *row;
    struct str client = request_string(request, "id"), id = request_string(request, "credential");
    clients_audit(request, client, id);
    if (!check_client(request))
        return;
    if (pg_query(request_arena(request), &sql_revoke_credential,
                 PG_ARGS(pg_text(request_actor(request)->department), pg_text(client), pg_text(id)), &row) != PG_OK)
        clients_reply_unavailable(request);
    else if (pg_affected(row) == 1)
        reply_empty(request, 204);
    else
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个有效凭证", "There is no such live credential"));
}
