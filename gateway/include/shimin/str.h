/* Strings: a borrowed span of bytes, and a buffer that grows in an arena. */
#ifndef SHIMIN_STR_H
#define SHIMIN_STR_H

#include <shimin/attributes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct arena;

/* A span of bytes that somebody else owns. Not terminated by NUL unless its maker says so. Text is UTF-8. */
struct str {
    const char *at;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_ARG(s)) */
#define STR_ARG(s) (int)(s).len, (s).at ? (s).at : ""

/* The span of a NUL-terminated string; NULL gives STR_NONE. Inline, so that the compiler counts literals. */
static inline struct str str_of(const char *text)
{
    return text ? (struct str){text, strlen(text)} : STR_NONE;
}
static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
static inline bool str_is(struct str a, const char *text)
{
    return str_equal(a, str_of(text));
}
/* ASCII letters compared without case, as HTTP field names are (RFC 9110 §5.1). */
bool str_equal_nocase(struct str a, struct str b);
/* memcmp order, shorter first: for sorting and bsearch. */
int str_compare(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Index of the first occurrence of needle, or -1. */
ptrdiff_t str_find(struct str s, struct str needle);
struct str str_slice(struct str s, size_t from, size_t to);
/* Without spaces, tabs, CR and LF at both ends. */
struct str str_trim(struct str s);
/* Takes the part before `separator` off *rest and returns it; *rest becomes what follows, or at == NULL when there was no
 * separator. A loop reads `while (rest.at) { part = str_cut(&rest, ','); … }`. */
struct str str_cut(struct str *rest, char separator);
/* Whole of s as a decimal number, with an optional '-'. false when it is empty, has anything else in it, or overflows. */
MUST_CHECK bool str_to_i64(struct str s, int64_t *value);
MUST_CHECK bool str_to_double(struct str s, double *value);
/* A NUL-terminated copy. */
char *str_to_c(struct arena *arena, struct str s);
struct str str_copy(struct arena *arena, struct str s);
struct str str_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
/* Valid UTF-8 (RFC 3629): no surrogates, no overlong forms. */
bool str_is_utf8(struct str s);
/* Words to search for: ASCII in lower case, and full-width letters, digits, signs and space, as Chinese keyboards type them, as
 * the ASCII that they stand for. `s` must be UTF-8. */
struct str str_fold(struct arena *arena, struct str s);
/* Code points in valid UTF-8. */
size_t str_code_points(struct str s);
/* FNV-1a, for hash tables of trusted keys. */
uint64_t str_hash(struct str s);
/* Percent-decodes (RFC 3986 §2.1); '+' becomes a space when `form` is set. false on a broken escape. */
MUST_CHECK bool str_percent_decode(struct arena *arena, struct str s, bool form, struct str *out);
/* Percent-encodes all but unreserved characters. */
struct str str_percent_encode(struct arena *arena, struct str s);

/* A growing text in an arena. `at[len]` is always NUL once something was added. */
struct text {
    struct arena *arena;
    char *at;
    size_t len;
    size_t room;
};

struct text text_open(struct arena *arena, size_t room);
/* text_reserve where the room does not suffice. */
char *text_grow(struct text *text, size_t n);
/* Room for n more bytes and a NUL, to be written at text->at + text->len by the caller, who then adds to len. */
static inline char *text_reserve(struct text *text, size_t n)
{
    return n < text->room - text->len ? text->at + text->len : text_grow(text, n);
}
static inline void text_add(struct text *text, struct str s)
{
    char *at = text_reserve(text, s.len);
    if (s.len > 0)
        memcpy(at, s.at, s.len);
    at[s.len] = '\0';
    text->len += s.len;
}
static inline void text_add_c(struct text *text, const char *s)
{
    text_add(text, str_of(s));
}
static inline void text_add_char(struct text *text, char c)
{
    char *at = text_reserve(text, 1);
    at[0] = c;
    at[1] = '\0';
    text->len++;
}
void text_add_i64(struct text *text, int64_t value);
void text_printf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
struct str text_str(const struct text *text);

#endif
