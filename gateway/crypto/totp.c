/* One-time passwords by time. */
#include "crypto/totp.h"

#include "crypto/digest.h"

#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/log.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>

enum { SHA1_SIZE = 20, COUNTER_SIZE = 8 };

uint32_t totp_code(struct str secret, int64_t step, unsigned digits)
{
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint8_t counter[COUNTER_SIZE], mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    for (int i = 0; i < COUNTER_SIZE; i++)
        counter[i] = (uint8_t)((uint64_t)step >> (56 - 8 * i));
    if (!HMAC(EVP_sha1(), secret.at, (int)secret.len, counter, sizeof counter, mac, &size) || size != SHA1_SIZE)
        fatal("HMAC-SHA-1 failed");
    const uint8_t *at = &mac[mac[SHA1_SIZE - 1] & 15];
    uint32_t number = (uint32_t)(at[0] & 127) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    return number % powers[digits];
}

int64_t totp_step(int64_t wall)
{
    return wall / seconds(TOTP_STEP_SECONDS);
}

int64_t totp_find(struct str secret, int64_t wall, struct str code)
{
    int64_t now = totp_step(wall), found = -1;
    if (code.len != TOTP_DIGITS)
        return -1;
    for (int64_t step = now - TOTP_WINDOW; step <= now + TOTP_WINDOW; step++) {
        char text[TOTP_DIGITS + 5];
        snprintf(text, sizeof text, "%0*u", TOTP_DIGITS, totp_code(secret, step, TOTP_DIGITS));
        if (constant_time_equal(text, code.at, TOTP_DIGITS))
            found = step;
    }
    return found;
}

struct str base32_encode(struct arena *arena, struct str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    struct text text = text_open(arena, bytes.len * 8 / 5 + 2);
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        held = (held << 8 | (uint8_t)bytes.at[i]) & 0xffff;
        for (bits += 8; bits >= 5; bits -= 5)
            text_add_char(&text, digits[held >> (bits - 5) & 31]);
    }
    if (bits)
        text_add_char(&text, digits[held << (5 - bits) & 31]);
    return text_str(&text);
}

struct str totp_uri(struct arena *arena, struct str issuer, struct str account, struct str secret)
{
    struct str by = str_percent_encode(arena, issuer);
    return str_printf(arena, "otpauth://totp/%.*s:%.*s?secret=%.*s&issuer=%.*s&algorithm=SHA1&digits=%d&period=%d", STR_ARG(by),
                      STR_ARG(str_percent_encode(arena, account)), STR_ARG(base32_encode(arena, secret)), STR_ARG(by),
                      TOTP_DIGITS, TOTP_STEP_SECONDS);
}
