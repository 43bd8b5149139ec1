/* Strings: borrowed spans; comparing, cutting, reading numbers. */
#include <shimin/str.h>

#include "base/number.h"

#include <shimin/arena.h>

#include <math.h>
#include <string.h>

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.at, b.at, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.at, prefix.at, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.at + s.len - suffix.len, suffix.at, suffix.len) == 0);
}

ptrdiff_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (s.len < needle.len)
        return -1;
    const char *found = memmem(s.at, s.len, needle.at, needle.len);
    return found ? found - s.at : -1;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
    to = to < s.len ? to : s.len;
    from = from < to ? from : to;
    return s.at ? (struct str){s.at + from, to - from} : STR_NONE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.at[0]))
        s = (struct str){s.at + 1, s.len - 1};
    while (s.len > 0 && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

struct str str_cut(struct str *rest, char separator)
{
    struct str whole = *rest;
    const char *found = whole.len ? memchr(whole.at, separator, whole.len) : NULL;
    if (!found) {
        *rest = STR_NONE;
        return whole;
    }
    size_t before = (size_t)(found - whole.at);
    *rest = (struct str){found + 1, whole.len - before - 1};
    return (struct str){whole.at, before};
}

bool str_to_i64(struct str s, int64_t *value)
{
    bool negative = s.len > 0 && s.at[0] == '-';
    size_t i = negative;
    if (i == s.len)
        return false;
    int64_t sum = 0; /* kept negative: INT64_MIN has no positive twin */
    for (; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_sub_overflow(sum, s.at[i] - '0', &sum))
            return false;
    }
    if (!negative && sum == INT64_MIN)
        return false;
    *value = negative ? sum : -sum;
    return true;
}

static size_t skip_digits(struct str s, size_t at)
{
    while (at < s.len && s.at[at] >= '0' && s.at[at] <= '9')
        at++;
    return at;
}

bool str_to_double(struct str s, double *value)
{
    size_t start = s.len > 0 && s.at[0] == '-';
    size_t at = skip_digits(s, start);
    if (at == start)
        return false;
    if (at < s.len && s.at[at] == '.') {
        size_t point = at + 1;
        at = skip_digits(s, point);
        if (at == point)
            return false;
    }
    if (at < s.len && (s.at[at] == 'e' || s.at[at] == 'E')) {
        at++;
        at += at < s.len && (s.at[at] == '-' || s.at[at] == '+');
        size_t exponent = at;
        at = skip_digits(s, at);
        if (at == exponent)
            return false;
    }
    if (at != s.len)
        return false;
    double read = number_read(s);
    if (!isfinite(read))
        return false;
    *value = read;
    return true;
}

char *str_to_c(struct arena *arena, struct str s)
{
    char *copy = arena_alloc_raw(arena, s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return copy;
}

struct str str_copy(struct arena *arena, struct str s)
{
    return s.at ? (struct str){str_to_c(arena, s), s.len} : STR_NONE;
}

uint64_t str_hash(struct str s)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < s.len; i++)
        hash = (hash ^ (unsigned char)s.at[i]) * UINT64_C(0x100000001b3);
    return hash;
}
