/* UTF-8 (RFC 3629): validation, counting, and percent-encoding of the bytes. */
#include "base/utf8.h"

#include <shimin/arena.h>

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

static bool is_tail(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length of the sequence at `at`, 0 when it is broken (RFC 3629 §4). at < end, *at >= 0x80. */
static size_t sequence(const unsigned char *at, const unsigned char *end)
{
    size_t left = (size_t)(end - at);
    unsigned char lead = at[0];
    if (lead >= 0xE0 && lead <= 0xEF) { /* first: Chinese is here */
        if (left < 3 || !is_tail(at[1]) || !is_tail(at[2]))
            return 0;
        if ((lead == 0xE0 && at[1] < 0xA0) || (lead == 0xED && at[1] > 0x9F)) /* overlong, surrogate */
            return 0;
        return 3;
    }
    if (lead >= 0xC2 && lead <= 0xDF)
        return left >= 2 && is_tail(at[1]) ? 2 : 0;
    if (lead >= 0xF0 && lead <= 0xF4) {
        if (left < 4 || !is_tail(at[1]) || !is_tail(at[2]) || !is_tail(at[3]))
            return 0;
        if ((lead == 0xF0 && at[1] < 0x90) || (lead == 0xF4 && at[1] > 0x8F)) /* overlong, beyond U+10FFFF */
            return 0;
        return 4;
    }
    return 0;
}

size_t utf8_valid_bytes(struct str s)
{
    if (s.len == 0)
        return 0;
    const unsigned char *at = (const unsigned char *)s.at, *end = at + s.len;
    while (at < end) {
        if (*at < 0x80) {
            uint64_t eight;
            while (end - at >= 8 && (memcpy(&eight, at, 8), (eight & HIGH_BITS) == 0))
                at += 8;
            while (at < end && *at < 0x80)
                at++;
            continue;
        }
        size_t n = sequence(at, end);
        if (n == 0)
            break;
        at += n;
    }
    return (size_t)(at - (const unsigned char *)s.at);
}

bool str_is_utf8(struct str s)
{
    return utf8_valid_bytes(s) == s.len;
}

/* The ASCII that a full-width character stands for (Unicode block FF00, and U+3000), or 0. All of them have three bytes. */
static char narrow(const unsigned char *at, size_t left)
{
    if (left < 3 || (at[0] != 0xE3 && at[0] != 0xEF))
        return 0;
    unsigned code = (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
    return code == 0x3000 ? ' ' : code >= 0xFF01 && code <= 0xFF5E ? (char)(code - 0xFF01 + '!') : 0;
}

struct str str_fold(struct arena *arena, struct str s)
{
    struct text text = text_open(arena, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        char ascii = narrow((const unsigned char *)s.at + i, s.len - i);
        i += ascii ? 2 : 0;
        char c = ascii ? ascii : s.at[i];
        text_add_char(&text, c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c);
    }
    return text_str(&text);
}

size_t str_code_points(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += !is_tail((unsigned char)s.at[i]);
    return n;
}

size_t utf8_write(char *out, uint32_t code_point)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_percent_decode(struct arena *arena, struct str s, bool form, struct str *out)
{
    char *decoded = arena_alloc_raw(arena, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];
        if (c == '%') {
            int high = s.len - i > 2 ? hex_digit(s.at[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(s.at[i + 2]) : -1;
            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        decoded[n++] = c;
    }
    decoded[n] = '\0';
    *out = (struct str){decoded, n};
    return true;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

struct str str_percent_encode(struct arena *arena, struct str s)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = arena_alloc_raw(arena, s.len * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];
        if (is_unreserved((char)c)) {
            encoded[n++] = (char)c;
            continue;
        }
        encoded[n++] = '%';
        encoded[n++] = digits[c >> 4];
        encoded[n++] = digits[c & 15];
    }
    encoded[n] = '\0';
    return (struct str){encoded, n};
}
