/* Cursors: half of an HMAC-SHA-256 over purpose and state, then the state, in base64url. */
#include "edge/cursor.h"

#include <shimin/cursor.h>
#include <shimin/id.h>

enum { MAC_SIZE = 16 };

static struct hmac *mac;

void cursor_open(const uint8_t key[DIGEST_SIZE])
{
    mac = hmac_new(DIGEST_SHA256, (struct str){(const char *)key, DIGEST_SIZE});
}

static void sign(const char *purpose, struct str state, uint8_t out[DIGEST_SIZE])
{
    const struct str parts[] = {str_of(purpose), {"\0", 1}, state};
    hmac_sign(mac, parts, COUNT_OF(parts), out);
}

struct str cursor_make(struct arena *arena, const char *purpose, struct str state)
{
    uint8_t digest[DIGEST_SIZE];
    sign(purpose, state, digest);
    struct text bytes = text_open(arena, MAC_SIZE + state.len + 1);
    text_add(&bytes, (struct str){(const char *)digest, MAC_SIZE});
    text_add(&bytes, state);
    return base64url_encode(arena, bytes.at, bytes.len);
}

bool cursor_read(struct arena *arena, const char *purpose, struct str cursor, struct str *state)
{
    struct str bytes;
    if (!base64url_decode(arena, cursor, &bytes) || bytes.len < MAC_SIZE)
        return false;
    uint8_t digest[DIGEST_SIZE];
    *state = str_slice(bytes, MAC_SIZE, bytes.len);
    sign(purpose, *state, digest);
    return constant_time_equal(bytes.at, digest, MAC_SIZE);
}
