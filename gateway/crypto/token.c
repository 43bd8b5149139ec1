/* Opaque tokens: what a client holds, and the key under which the server keeps what it stands for. */
#include "crypto/token.h"

#include "crypto/digest.h"
#include <openssl/crypto.h>
#include <shimin/id.h>

struct str token_new(struct arena *arena)
{
    uint8_t secret[32];

    random_bytes(secret, sizeof(secret));
    struct str token = base64url_encode(arena, secret, sizeof(secret));
    OPENSSL_cleanse(secret, sizeof(secret));
    return token;
}

void token_key(struct str token, char key[TOKEN_KEY_LENGTH])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[DIGEST_SIZE];

    digest_sha256(token, digest);
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        key[2 * i] = digits[digest[i] >> 4];
        key[2 * i + 1] = digits[digest[i] & 15];
    }
}
