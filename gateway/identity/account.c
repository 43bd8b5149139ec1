/* Accounts in Postgres; phone, name and identity number are encrypted and bound to their row. */
#include <shimin/account.h>

#include "identity/identity.h"
#include "identity_queries.h"

#include <shimin/id.h>
#include <shimin/log.h>
#include <shimin/personal.h>

/* Kinds of attempts. */
#define REAL_NAME "real_name"
#define LIVE_FACE "live_face"

static const char *const outcomes[] = {
    [VERIFICATION_MATCHED] = "matched", [VERIFICATION_REFUSED] = "refused", [VERIFICATION_FAILED] = "failed",
    [VERIFICATION_OPENED] = "opened",   [VERIFICATION_EXPIRED] = "expired",
};

/* Empty when NULL; an account whose key is lost is logged and treated as if it had no such value. */
static struct str unsealed(struct arena *arena, const char *context, struct str row, const struct pg_result *rows,
                           size_t column)
{
    if (pg_is_null(rows, 0, column))
        return STR("");
    struct str value = personal_open(arena, context, row, pg_bin(arena, rows, 0, column));
    return value.at ? value : STR("");
}

static void read_row(struct arena *arena, const struct pg_result *rows, struct citizen *citizen)
{
    citizen->id = str_copy(arena, pg_str(rows, 0, 0));
    citizen->level = (enum level)pg_int(rows, 0, 1);
    citizen->name = unsealed(arena, "citizen.name", citizen->id, rows, 2);
    citizen->id_number = unsealed(arena, "citizen.id_number", citizen->id, rows, 3);
}

enum pg_status account_of_phone(struct arena *arena, struct str phone_number, struct citizen *citizen)
{
    struct str id = id_new(arena);
    const struct pg_result *rows;
    enum pg_status status =
        pg_query(arena, &sql_open_account,
                 PG_ARGS(pg_text(id), pg_bytes(personal_seal(arena, "citizen.phone_number", id, phone_number)),
                         pg_bytes(personal_index(arena, "citizen.phone_number", phone_number))),
                 &rows);
    if (status != PG_OK)
        return status;
    *citizen = (struct citizen){.phone_number = phone_number};
    read_row(arena, rows, citizen);
    return PG_OK;
}

enum pg_status account_read(struct arena *arena, struct str citizen_id, struct citizen *citizen, int64_t *verified_at)
{
    const struct pg_result *rows;
    enum pg_status status = pg_query(arena, &sql_read_account, PG_ARGS(pg_text(citizen_id)), &rows);
    if (status != PG_OK)
        return status;
    if (pg_rows(rows) != 1)
        return PG_CONFLICT;
    *citizen = (struct citizen){0};
    read_row(arena, rows, citizen);
    citizen->phone_number = unsealed(arena, "citizen.phone_number", citizen->id, rows, 4);
    *verified_at = pg_is_null(rows, 0, 5) ? 0 : pg_int(rows, 0, 5);
    return PG_OK;
}

static enum pg_status keep_attempt(struct arena *arena, struct str citizen_id, const char *kind, const char *outcome)
{
    return pg_query(arena, &sql_keep_attempt, PG_ARGS(pg_text(citizen_id), pg_text(str_of(kind)), pg_text(str_of(outcome))),
                    NULL);
}

/* The attempt and what it changes, or neither. */
static enum pg_status raise_account(struct arena *arena, struct str citizen_id, struct str name, struct str id_number)
{
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    const struct pg_result *raised;
    enum pg_status status;
    if ((status = pg_begin(arena, &transaction)) != PG_OK ||
        (status = pg_in(transaction, &sql_keep_attempt,
                        PG_ARGS(pg_text(citizen_id), pg_text(STR(REAL_NAME)), pg_text(str_of(outcomes[VERIFICATION_MATCHED]))),
                        NULL)) != PG_OK ||
        (status = pg_in(transaction, &sql_verify_account,
                        PG_ARGS(pg_text(citizen_id), pg_bytes(personal_seal(arena, "citizen.name", citizen_id, name)),
                                pg_bytes(personal_seal(arena, "citizen.id_number", citizen_id, id_number)),
                                pg_bytes(personal_index(arena, "citizen.id_number", id_number))),
                        &raised)) != PG_OK)
        return status;
    return pg_affected(raised) == 1 ? pg_commit(&transaction) : PG_CONFLICT;
}

enum pg_status account_verify(struct arena *arena, struct citizen *citizen, enum verification outcome, struct str name,
                              struct str id_number)
{
    if (outcome != VERIFICATION_MATCHED)
        return keep_attempt(arena, citizen->id, REAL_NAME, outcomes[outcome]);
    enum pg_status status = raise_account(arena, citizen->id, name, id_number);
    if (status == PG_CONFLICT) { /* the attempt is rolled back with the rest, and it is the one to be looked at */
        enum pg_status kept = keep_attempt(arena, citizen->id, REAL_NAME, "conflict");
        return kept == PG_OK ? PG_CONFLICT : kept;
    }
    if (status != PG_OK)
        return status;
    citizen->name = name;
    citizen->id_number = id_number;
    citizen->level = citizen->level > LEVEL_REAL_NAME ? citizen->level : LEVEL_REAL_NAME;
    return PG_OK;
}

enum pg_status account_face_attempt(struct arena *arena, struct str citizen_id, enum verification outcome)
{
    return keep_attempt(arena, citizen_id, LIVE_FACE, outcomes[outcome]);
}

struct verifier account_verifier(void)
{
    const struct identity_settings *settings = identity_settings();
    return (struct verifier){
        .department = str_of(settings->verifier_department),
        .operation = str_of(settings->verifier_operation),
        .face_operation = str_of(settings->face_operation),
        .face_result_operation = str_of(settings->face_result_operation),
    };
}
