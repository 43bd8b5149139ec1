/* One-time passwords by time (RFC 6238, on RFC 4226): SHA-1, 30 seconds, 6 digits, as every authenticator app knows them. */
#ifndef CRYPTO_TOTP_H
#define CRYPTO_TOTP_H

#include <shimin/str.h>

enum { TOTP_SECRET_SIZE = 20, TOTP_STEP_SECONDS = 30, TOTP_DIGITS = 6, TOTP_WINDOW = 1 };

/* The code of a step (RFC 4226 §5.3), `digits` of 6 to 8. */
uint32_t totp_code(struct str secret, int64_t step, unsigned digits);
int64_t totp_step(int64_t wall);
/* The step within one of now that has this code; -1 when none has, or the text is not six digits. Compares in constant time.
 * Whoever takes it must refuse a step that is not later than the last one taken: a code is good once (RFC 6238 §5.2). */
int64_t totp_find(struct str secret, int64_t wall, struct str code);
/* RFC 4648 §6, upper case, without padding: how apps take a secret. */
struct str base32_encode(struct arena *arena, struct str bytes);
/* "otpauth://totp/…" for a QR code: issuer and account, percent-encoded here. */
struct str totp_uri(struct arena *arena, struct str issuer, struct str account, struct str secret);

#endif
