/* Where a JSON string needs care: the next quote, backslash or control character. Used by the parser and the writer. */
#ifndef SHIMIN_BASE_JSON_SCAN_H
#define SHIMIN_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool json_needs_care(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

/* The first such byte at or after `at`, or `end`. */
static inline const char *json_scan(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
        found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_max_epu8(bytes, control), control));
        unsigned mask = (unsigned)_mm_movemask_epi8(found);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && !json_needs_care(*at))
        at++;
    return at;
}

#endif
