/* Bytes as text: hexadecimal, base64 and base64url (RFC 4648). */
#include <shimin/id.h>

#include <shimin/arena.h>

static const char hex_digits[] = "0123456789abcdef";

struct alphabet {
    const char *digits;
    char last[2];
    bool padded;
};

static const char common_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
static const struct alphabet standard = {common_digits, {'+', '/'}, true};
static const struct alphabet url_safe = {common_digits, {'-', '_'}, false};

struct str hex_encode(struct arena *arena, const void *bytes, size_t n)
{
    const unsigned char *from = bytes;
    char *text = arena_alloc_raw(arena, 2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = hex_digits[from[i] >> 4];
        text[2 * i + 1] = hex_digits[from[i] & 15];
    }
    text[2 * n] = '\0';
    return (struct str){text, 2 * n};
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(struct str text, void *out, size_t n)
{
    if (text.len / 2 != n || text.len % 2 != 0)
        return false;
    unsigned char *to = out;
    for (size_t i = 0; i < n; i++) {
        int high = hex_value(text.at[2 * i]), low = hex_value(text.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static char digit_of(const struct alphabet *alphabet, uint32_t value)
{
    value &= 63;
    return value < 62 ? alphabet->digits[value] : alphabet->last[value - 62];
}

static struct str encode(struct arena *arena, const struct alphabet *alphabet, const unsigned char *from, size_t n)
{
    char *text = arena_alloc_raw(arena, n / 3 * 4 + 5);
    size_t len = 0, i = 0;
    for (; n - i >= 3; i += 3) {
        uint32_t group = (uint32_t)from[i] << 16 | (uint32_t)from[i + 1] << 8 | from[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            text[len++] = digit_of(alphabet, group >> shift);
    }
    if (n > i) {
        uint32_t group = (uint32_t)from[i] << 16 | (n - i == 2 ? (uint32_t)from[i + 1] << 8 : 0);
        text[len++] = digit_of(alphabet, group >> 18);
        text[len++] = digit_of(alphabet, group >> 12);
        if (n - i == 2)
            text[len++] = digit_of(alphabet, group >> 6);
        while (alphabet->padded && len % 4 != 0)
            text[len++] = '=';
    }
    text[len] = '\0';
    return (struct str){text, len};
}

struct str base64_encode(struct arena *arena, const void *bytes, size_t n)
{
    return encode(arena, &standard, bytes, n);
}

struct str base64url_encode(struct arena *arena, const void *bytes, size_t n)
{
    return encode(arena, &url_safe, bytes, n);
}

static int value_of(const struct alphabet *alphabet, char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == alphabet->last[0] ? 62 : c == alphabet->last[1] ? 63 : -1;
}

/* Bits that no byte uses must be zero (RFC 4648 §3.5): one value has one form, and a token compares as text. */
static bool decode(struct arena *arena, const struct alphabet *alphabet, struct str text, struct str *out)
{
    if (alphabet->padded) {
        if (text.len % 4 != 0)
            return false;
        for (int i = 0; i < 2 && text.len > 0 && text.at[text.len - 1] == '='; i++)
            text.len--;
    }
    if (text.len % 4 == 1)
        return false;
    char *bytes = arena_alloc_raw(arena, text.len / 4 * 3 + 4);
    size_t n = 0;
    uint32_t group = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(alphabet, text.at[i]);
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[n++] = (char)(group >> bits);
            group &= (1u << bits) - 1;
        }
    }
    if (group != 0)
        return false;
    bytes[n] = '\0';
    *out = (struct str){bytes, n};
    return true;
}

bool base64_decode(struct arena *arena, struct str text, struct str *out)
{
    return decode(arena, &standard, text, out);
}

bool base64url_decode(struct arena *arena, struct str text, struct str *out)
{
    return decode(arena, &url_safe, text, out);
}
