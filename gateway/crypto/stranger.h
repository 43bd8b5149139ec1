/* A certificate that nobody vouches for, to see that it is refused. */
#ifndef CRYPTO_STRANGER_H
#define CRYPTO_STRANGER_H

#include <shimin/str.h>

/* A fresh key and a self-signed certificate for a day, both PEM. false: OpenSSL makes none. CPU: some 0.1 ms. */
MUST_CHECK bool stranger_create(struct arena *arena, struct str *certificate, struct str *private_key);

#endif
