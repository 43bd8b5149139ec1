/* Opaque tokens: what a client holds, and the key under which the server keeps what it stands for. */
#ifndef CRYPTO_TOKEN_H
#define CRYPTO_TOKEN_H

#include <shimin/str.h>

#define TOKEN_LENGTH 43     /* base64url of 32 bytes, without padding */
#define TOKEN_KEY_LENGTH 64 /* hex of 32 bytes */

/* 256 random bits, base64url. Does not wait. */
struct str token_new(struct arena *arena);
/* The lower-case hex SHA-256 of the token's text: what is stored, so that a copy of the store opens no session. Any text is
 * taken; one that no server made simply finds nothing. Does not wait. */
void token_key(struct str token, char key[TOKEN_KEY_LENGTH]);

#endif
