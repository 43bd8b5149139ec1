/* Accounts in Postgres; phone, name and identity number are encrypted and bound to their row. */
#include <shimin/account.h>

#include "crypto/field.h"
#include "identity/identity.h"
#include "identity_queries.h"

#include <shimin/id.h>
#include <shimin/log.h>

static const char *const outcomes[] = {
    [VERIFICATION_MATCHED] = "matched", [VERIFICATION_REFUSED] = "refused", [VERIFICATION_FAILED] = "failed"};

static struct str sealed(struct arena *arena, const char *context, struct str row, struct str value)
{
    return field_encrypt(arena, identity_settings()->keyring, str_of(context), row, value);
}

static struct str blind(struct arena *arena, const char *context, struct str value)
{
    uint8_t *index = arena_alloc(arena, DIGEST_SIZE);
    field_blind_index(identity_settings()->keyring, str_of(context), value, index);
    return (struct str){(const char *)index, DIGEST_SIZE};
}

/* Empty when NULL; an account whose key is lost is logged and treated as if it had no such value. */
static struct str unsealed(struct arena *arena, const char *context, struct str row, const struct pg_result *rows,
                           size_t column)
{
    struct str value;
    if (pg_is_null(rows, 0, column))
        return STR("");
    if (field_decrypt(arena, identity_settings()->keyring, str_of(context), row, pg_bin(arena, rows, 0, column), &value))
        return value;
    log_error("%s of an account cannot be decrypted: is its key missing from the key file?", context);
    return STR("");
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
    enum pg_status status = pg_query(arena, &sql_open_account,
                                     PG_ARGS(pg_text(id), pg_bytes(sealed(arena, "citizen.phone_number", id, phone_number)),
                                             pg_bytes(blind(arena, "citizen.phone_number", phone_number))),
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

enum pg_status account_verify(struct arena *arena, struct citizen *citizen, enum verification outcome, struct str name,
                              struct str id_number)
{
    CLEANUP(pg_rollback) struct pg_transaction *transaction = NULL;
    enum pg_status status;
    if ((status = pg_begin(arena, &transaction)) != PG_OK ||
        (status = pg_in(transaction, &sql_keep_attempt, PG_ARGS(pg_text(citizen->id), pg_text(str_of(outcomes[outcome]))),
                        NULL)) != PG_OK)
        return status;
    if (outcome == VERIFICATION_MATCHED) {
        status = pg_in(transaction, &sql_verify_account,
                       PG_ARGS(pg_text(citizen->id), pg_bytes(sealed(arena, "citizen.name", citizen->id, name)),
                               pg_bytes(sealed(arena, "citizen.id_number", citizen->id, id_number)),
                               pg_bytes(blind(arena, "citizen.id_number", id_number))),
                       NULL);
        if (status != PG_OK)
            return status;
    }
    status = pg_commit(&transaction);
    if (status == PG_OK && outcome == VERIFICATION_MATCHED) {
        citizen->name = name;
        citizen->id_number = id_number;
        citizen->level = citizen->level > LEVEL_REAL_NAME ? citizen->level : LEVEL_REAL_NAME;
    }
    return status;
}
