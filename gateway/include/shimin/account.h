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

/* What the public-security department said of a name and an identity number, or of a live face; only a face is opened before it
 * is told, and may expire. FAILED: it could not be asked. */
enum verification {
    VERIFICATION_MATCHED,
    VERIFICATION_REFUSED,
    VERIFICATION_FAILED,
    VERIFICATION_OPENED,
    VERIFICATION_EXPIRED,
};
/* Keeps the attempt (not the values), and raises the account to L2 when they matched. PG_CONFLICT: the identity belongs to
 * another account already, or the account to another identity; the attempt is kept as well. citizen gets name, id_number and
 * level. Waits. */
enum pg_status account_verify(struct arena *arena, struct citizen *citizen, enum verification outcome, struct str name,
                              struct str id_number) MUST_CHECK;

/* Keeps an attempt at proving a live face. The account's level is not touched: the face proves who is here now. Waits. */
enum pg_status account_face_attempt(struct arena *arena, struct str citizen_id, enum verification outcome) MUST_CHECK;

/* Who is asked about a person (configuration: login.identity_department and the operations beside it). */
struct verifier {
    struct str department; /* slug */
    struct str operation;  /* that compares a name with an identity number: operationId in its contract */
    struct str face_operation, face_result_operation;
};
struct verifier account_verifier(void);

#endif
