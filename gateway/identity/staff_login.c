/* Login of staff: failures, password, one-time code. */
#include "identity/staff.h"

#include "crypto/field.h"
#include "crypto/totp.h"
#include "identity_queries.h"

#include <shimin/clock.h>
#include <shimin/log.h>

/* The account as the login needs it; id.at == NULL: there is none of that name. */
struct found {
    struct str id, password_hash, totp_secret;
    bool active, has_totp;
    int64_t epoch;
};

static enum staff_outcome find_account(struct arena *arena, struct str name, struct found *found)
{
    const struct pg_result *rows;
    *found = (struct found){0};
    if (pg_query(arena, &sql_find_staff, PG_ARGS(pg_text(name)), &rows) != PG_OK)
        return STAFF_UNAVAILABLE;
    if (!pg_rows(rows))
        return STAFF_DONE;
    *found = (struct found){
        .id = pg_str(rows, 0, 0),
        .active = pg_bool(rows, 0, 1),
        .password_hash = pg_str(rows, 0, 2),
        .has_totp = pg_bool(rows, 0, 3),
        .epoch = pg_int(rows, 0, 5),
    };
    if (found->has_totp && !field_decrypt(arena, identity_settings()->keyring, STR("staff_credential.totp"), found->id,
                                          pg_bin(arena, rows, 0, 4), &found->totp_secret)) {
        log_error("the second factor of a staff account cannot be decrypted: is its key missing from the key file?");
        return STAFF_UNAVAILABLE;
    }
    return STAFF_DONE;
}

/* The step is taken by one statement, so that of two who show the same code one gets in. */
static enum staff_outcome take_code(struct arena *arena, const struct found *found, struct str code)
{
    int64_t step = found->has_totp ? totp_find(found->totp_secret, clock_wall(), code) : 0;
    const struct pg_result *taken;
    if (step < 0)
        return STAFF_REJECTED;
    if (pg_query(arena, &sql_take_staff_step, PG_ARGS(pg_text(found->id), pg_integer(step)), &taken) != PG_OK)
        return STAFF_UNAVAILABLE;
    return pg_affected(taken) == 1 ? STAFF_DONE : STAFF_REJECTED;
}

static enum staff_outcome prove(struct arena *arena, const struct staff_login *login, struct found *found)
{
    bool right;
    enum staff_outcome outcome = find_account(arena, login->name, found);
    if (outcome != STAFF_DONE)
        return outcome;
    struct str phc = found->id.at ? found->password_hash : staff_password_decoy(arena);
    if (!staff_password_check(phc, login->password, &right))
        return STAFF_BUSY;
    return right && found->active ? take_code(arena, found, login->code) : STAFF_REJECTED;
}

enum staff_outcome staff_log_in(struct arena *arena, const struct staff_login *login, struct staff_session_new *made,
                                int64_t *retry_after)
{
    struct found found;
    enum staff_outcome outcome = attempt_begin(arena, login->name, login->address, retry_after);
    if (outcome != STAFF_DONE || (outcome = prove(arena, login, &found)) != STAFF_DONE)
        return outcome;
    attempt_succeeded(arena, login->name, login->address);
    const struct staff_session_opening opening = {
        .staff_id = found.id,
        .device = login->device,
        .address = login->address,
        .by = "password",
        .epoch = found.epoch,
    };
    return staff_session_open(arena, &opening, made) ? STAFF_DONE : STAFF_UNAVAILABLE;
}
