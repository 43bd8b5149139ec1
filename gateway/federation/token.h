/* An access token by OAuth 2.0 client credentials (RFC 6749 §4.4), cached by one worker until shortly before it expires. */
#ifndef FEDERATION_TOKEN_H
#define FEDERATION_TOKEN_H

#include "federation/signer.h"

struct token;

struct token *token_open(const struct security *security, const struct secret *secret, const struct token_fetch *fetch);
void token_close(struct token *token); /* NULL is ignored */
/* The token, copied into the arena. One fiber fetches it, the others wait for that one. */
enum signing token_get(struct token *token, struct arena *arena, struct str *value) MUST_CHECK;
/* The department refused that value: true when it was dropped, or another one is there already, so that asking again may help.
 * A token that was fetched a moment ago and is refused already will not get better: false. */
MUST_CHECK bool token_drop(struct token *token, struct str value);

#endif
