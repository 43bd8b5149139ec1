/* Whether a call is signed as the contract's security scheme says, with the credentials of the secrets file. */
#ifndef SANDBOX_VERIFY_H
#define SANDBOX_VERIFY_H

#include "contract/contract.h"
#include "federation/secrets.h"

struct verifier;
struct request;

/* For one department and scheme. Never NULL: without what it needs from the secret (which may be NULL) it refuses every call
 * and says what is missing. `secrets_given` false: there is no secrets file at all, and nothing is checked. Copies the secret.
 */
struct verifier *verifier_open(struct arena *arena, const struct security *security, struct str department,
                               const struct secret *secret, bool secrets_given);
/* Why it can only refuse; NULL if it can verify. */
const char *verifier_fault(const struct verifier *verifier);
/* false with the reason, in English for an engineer. `who` is the key, client or certificate that signed. */
MUST_CHECK bool verifier_check(const struct verifier *verifier, struct request *request, struct str *who, const char **reason);

/* The path of oauth2's token endpoint on the department's port; at == NULL for other schemes. */
struct str verifier_token_path(const struct verifier *verifier);
/* Answers a request for a token (RFC 6749 §4.4). */
void verifier_answer_token(const struct verifier *verifier, struct request *request);

/* Seconds that tokens issued from now on are good; at first 3600. */
void tokens_set_life(int64_t seconds);
int64_t tokens_life(void);
void tokens_revoke_all(void);

#endif
