/* Accounts: the citizen's row in Postgres, found by the blind index of the phone. */
#ifndef SHIMIN_ACCOUNT_H
#define SHIMIN_ACCOUNT_H

#include <shimin/citizen.h>
#include <shimin/pg.h>

/* The account of a phone that was just proved to be the citizen's; made if it is their first login. Waits. */
enum pg_status account_of_phone(struct arena *arena, struct str phone_number, struct citizen *citizen) MUST_CHECK;
/* The level as it stands now, and when the real name was verified (0: never). Waits. */
enum pg_status account_read(struct arena *arena, struct str citizen_id, struct citizen *citizen,
                            int64_t *verified_at) MUST_CHECK;

/* What the public-security department said of a name and an identity number. */
enum verification { VERIFICATION_MATCHED, VERIFICATION_REFUSED, VERIFICATION_FAILED };
/* Keeps the attempt (not the values), and raises the account to L2 when they matched. PG_CONFLICT: the identity belongs to
 * another account already, or the account to another identity; the attempt is kept as well. citizen gets name, id_number and
 * level. Waits. */
enum pg_status account_verify(struct arena *arena, struct citizen *citizen, enum verification outcome, struct str name,
                              struct str id_number) MUST_CHECK;

/* Who is asked whether a name and an identity number belong together (configuration: login.identity_department and
 * login.identity_operation). */
struct verifier {
    struct str department; /* slug */
    struct str operation;  /* operationId in its contract */
};
struct verifier account_verifier(void);

#endif
