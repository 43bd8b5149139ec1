/* WeChat Pay API v3: the texts that are signed, and sealed resources. */
#include <shimin/payment_wire.h>

#include <limits.h>
#include <openssl/evp.h>
#include <shimin/id.h>

#include "crypto/algorithms.h"

enum { TAG = 16, KEY = 32, NONCE = 12 };

static struct str lines(struct arena *arena, const struct str *list, size_t count)
{
    struct text text = text_open(arena, 512);
    for (size_t i = 0; i < count; i++) {
        text_add(&text, list[i]);
        text_add_char(&text, '\n');
    }
    return text_str(&text);
}

struct str wechat_request_text(struct arena *arena, struct str method, struct str target, struct str timestamp,
                               struct str nonce, struct str body)
{
    return lines(arena, (struct str[]){method, target, timestamp, nonce, body}, 5);
}

struct str wechat_answer_text(struct arena *arena, struct str timestamp, struct str nonce, struct str body)
{
    return lines(arena, (struct str[]){timestamp, nonce, body}, 3);
}

struct str wechat_bridge_text(struct arena *arena, struct str app_id, struct str timestamp, struct str nonce, struct str prepay)
{
    return lines(arena, (struct str[]){app_id, timestamp, nonce, prepay}, 4);
}

static bool fits(struct str key, struct str nonce, struct str associated, struct str text)
{
    return key.len == KEY && nonce.len == NONCE && associated.len <= INT_MAX && text.len <= INT_MAX;
}

struct str wechat_seal(struct arena *arena, struct str key, struct str nonce, struct str associated, struct str plain)
{
    EVP_CIPHER_CTX *context = crypto_contexts()->aes_256_gcm;
    uint8_t *out = arena_alloc(arena, plain.len + TAG);
    int length = 0;
    crypto_must(fits(key, nonce, associated, plain), "seal with a key of 32 bytes and a nonce of 12");
    crypto_must(EVP_EncryptInit_ex2(context, crypto_algorithms()->aes_256_gcm, (const uint8_t *)key.at,
                                    (const uint8_t *)nonce.at, NULL) == 1 &&
                    EVP_EncryptUpdate(context, NULL, &length, (const uint8_t *)associated.at, (int)associated.len) == 1 &&
                    EVP_EncryptUpdate(context, out, &length, (const uint8_t *)plain.at, (int)plain.len) == 1 &&
                    EVP_EncryptFinal_ex(context, out + length, &length) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, out + plain.len) == 1,
                "seal with AES-256-GCM");
    EVP_CIPHER_CTX_reset(context);
    return base64_encode(arena, out, plain.len + TAG);
}

bool wechat_open(struct arena *arena, struct str key, struct str nonce, struct str associated, struct str sealed,
                 struct str *plain)
{
    EVP_CIPHER_CTX *context = crypto_contexts()->aes_256_gcm;
    struct str bytes;
    int length = 0;
    if (!base64_decode(arena, sealed, &bytes) || bytes.len < TAG || !fits(key, nonce, associated, bytes))
        return false;
    size_t size = bytes.len - TAG;
    uint8_t *out = arena_alloc(arena, size + 1);
    bool good = EVP_DecryptInit_ex2(context, crypto_algorithms()->aes_256_gcm, (const uint8_t *)key.at,
                                    (const uint8_t *)nonce.at, NULL) == 1 &&
                EVP_DecryptUpdate(context, NULL, &length, (const uint8_t *)associated.at, (int)associated.len) == 1 &&
                EVP_DecryptUpdate(context, out, &length, (const uint8_t *)bytes.at, (int)size) == 1 &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)(uintptr_t)(bytes.at + size)) == 1 &&
                EVP_DecryptFinal_ex(context, out + size, &length) == 1;
    EVP_CIPHER_CTX_reset(context);
    *plain = (struct str){(const char *)out, good ? size : 0};
    return good;
}
