/* Credentials of staff: given, changed, enrolled. */
#include "identity/staff.h"

#include "crypto/field.h"
#include "crypto/token.h"
#include "crypto/totp.h"
#include "identity_queries.h"

#include <shimin/clock.h>
#include <shimin/id.h>

#include <openssl/crypto.h>

#define ISSUER "Shimin"

/* For one login: 240 bits, which nobody need remember. */
static struct str password_for_now(struct arena *arena)
{
    return str_slice(token_new(arena), 0, TOKEN_LENGTH - 3);
}

enum staff_outcome staff_create(struct arena *arena, const struct staff_new *account, struct str *id, struct str *password)
{
    const struct pg_result *made;
    struct str phc;
    *id = id_new(arena);
    *password = password_for_now(arena);
    if (!staff_password_make(arena, *password, &phc))
        return STAFF_BUSY;
    enum pg_status status =
        pg_query(arena, &sql_create_staff,
                 PG_ARGS(pg_text(*id), pg_text(account->name), pg_text(account->display_name), pg_text(account->roles),
                         pg_text(account->department), pg_text(account->area), pg_text(account->created_by), pg_text(phc)),
                 &made);
    if (status != PG_OK)
        return status == PG_CONFLICT ? STAFF_CONFLICT : STAFF_UNAVAILABLE;
    return pg_affected(made) == 1 ? STAFF_DONE : STAFF_CONFLICT;
}

enum staff_outcome staff_reset(struct arena *arena, struct str staff_id, struct str *password)
{
    const struct pg_result *done;
    struct str phc;
    *password = password_for_now(arena);
    if (!staff_password_make(arena, *password, &phc))
        return STAFF_BUSY;
    if (pg_query(arena, &sql_reset_staff, PG_ARGS(pg_text(staff_id), pg_text(phc)), &done) != PG_OK)
        return STAFF_UNAVAILABLE;
    return pg_affected(done) == 1 ? STAFF_DONE : STAFF_ABSENT;
}

static enum staff_outcome open_again(struct arena *arena, const struct actor *actor, int64_t epoch,
                                     const struct staff_login *login, struct staff_session_new *made)
{
    const struct staff_session_opening opening = {
        .staff_id = actor->id,
        .device = login->device,
        .address = login->address,
        .by = "password",
        .epoch = epoch,
    };
    /* they have ended with their epoch; this takes their records away */
    (void)!staff_session_revoke_all(arena, actor->id);
    return staff_session_open(arena, &opening, made) ? STAFF_DONE : STAFF_UNAVAILABLE;
}

/* Neither the password in force nor one of the history. */
static enum staff_outcome compare_history(const struct pg_result *rows, struct str password, struct bilingual *fault)
{
    for (size_t row = 0; row < pg_rows(rows); row++) {
        bool same;
        if (!staff_password_check(pg_str(rows, row, 0), password, &same))
            return STAFF_BUSY;
        if (same) {
            *fault = BILINGUAL("最近用过这个密码", "This password was used before");
            return STAFF_INVALID;
        }
    }
    return STAFF_DONE;
}

static enum staff_outcome check_change(struct arena *arena, const struct actor *actor, struct str current, struct str password,
                                       struct str *phc, struct bilingual *fault)
{
    const struct password_policy *policy = identity_settings()->password_policy;
    const struct pg_result *rows;
    bool right;
    if (pg_query(arena, &sql_read_staff_password, PG_ARGS(pg_text(actor->id), pg_integer(policy->history)), &rows) != PG_OK)
        return STAFF_UNAVAILABLE;
    if (!pg_rows(rows))
        return STAFF_REJECTED;
    *phc = pg_str(rows, 0, 0);
    if (!staff_password_check(*phc, current, &right))
        return STAFF_BUSY;
    if (!right)
        return STAFF_REJECTED;
    *fault = password_fault(policy, password, actor->name);
    return fault->zh.at ? STAFF_INVALID : compare_history(rows, password, fault);
}

enum staff_outcome staff_change_password(struct arena *arena, const struct actor *actor, struct str current,
                                         struct str password, const struct staff_login *login, struct staff_session_new *made,
                                         struct bilingual *fault)
{
    struct str old, new;
    const struct pg_result *row;
    int64_t retry_after;
    enum staff_outcome outcome = attempt_begin(arena, actor->name, login->address, &retry_after);
    if (outcome != STAFF_DONE || (outcome = check_change(arena, actor, current, password, &old, fault)) == STAFF_REJECTED)
        return outcome;
    attempt_succeeded(arena, actor->name, login->address);
    if (outcome != STAFF_DONE)
        return outcome;
    if (!staff_password_make(arena, password, &new))
        return STAFF_BUSY;
    if (pg_query(arena, &sql_set_staff_password, PG_ARGS(pg_text(actor->id), pg_text(new), pg_text(old)), &row) != PG_OK)
        return STAFF_UNAVAILABLE;
    return pg_rows(row) ? open_again(arena, actor, pg_int(row, 0, 0), login, made) : STAFF_REJECTED;
}

enum staff_outcome staff_enrol(struct arena *arena, const struct actor *actor, struct str *uri)
{
    uint8_t bytes[TOTP_SECRET_SIZE];
    random_bytes(bytes, sizeof bytes);
    struct str secret = {(const char *)bytes, sizeof bytes};
    struct str sealed = field_encrypt(arena, identity_settings()->keyring, STR("staff_credential.totp"), actor->id, secret);
    *uri = totp_uri(arena, STR(ISSUER), actor->name, secret);
    OPENSSL_cleanse(bytes, sizeof bytes);
    const struct pg_result *set;
    if (pg_query(arena, &sql_set_staff_secret, PG_ARGS(pg_text(actor->id), pg_bytes(sealed)), &set) != PG_OK)
        return STAFF_UNAVAILABLE;
    return pg_affected(set) == 1 ? STAFF_DONE : STAFF_CONFLICT;
}

enum staff_outcome staff_confirm(struct arena *arena, const struct actor *actor, const struct staff_login *login,
                                 struct staff_session_new *made)
{
    const struct pg_result *row;
    struct str secret;
    if (pg_query(arena, &sql_read_staff_secret, PG_ARGS(pg_text(actor->id)), &row) != PG_OK)
        return STAFF_UNAVAILABLE;
    if (!pg_rows(row))
        return STAFF_REJECTED;
    struct str sealed = pg_bin(arena, row, 0, 0);
    if (!field_decrypt(arena, identity_settings()->keyring, STR("staff_credential.totp"), actor->id, sealed, &secret))
        return STAFF_UNAVAILABLE;
    int64_t step = totp_find(secret, clock_wall(), login->code);
    if (step < 0)
        return STAFF_REJECTED;
    if (pg_query(arena, &sql_confirm_staff_secret, PG_ARGS(pg_text(actor->id), pg_integer(step), pg_bytes(sealed)), &row) !=
        PG_OK)
        return STAFF_UNAVAILABLE;
    return pg_rows(row) ? open_again(arena, actor, pg_int(row, 0, 0), login, made) : STAFF_REJECTED;
}
