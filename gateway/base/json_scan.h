/* Where a JSON string needs care: the next quote, backslash or control character. Used by the parser and the writer. */
#ifndef SHIMIN_BASE_JSON_SCAN_H
#define SHIMIN_BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline bool json_needs_care(char c)
{
    return c == '"' || c == '\\' || (unsigned char)c < 0x20;
}

#ifdef __SSE2__
/* A bit for each such byte. */
static inline unsigned json_care_mask(__m128i bytes)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    __m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash));
    found = _mm_or_si128(found, _mm_cmpeq_epi8(_mm_max_epu8(bytes, control), control));
    return (unsigned)_mm_movemask_epi8(found);
}

static inline unsigned json_care_mask_of_4(const char *at)
{
    int four;
    memcpy(&four, at, sizeof four);
    return json_care_mask(_mm_cvtsi32_si128(four)) & 0xf;
}
#endif

/* The first such byte at or after `at`, or `end`. Names and most strings are shorter than a few loads, so the rest is not
 * looked at byte by byte: the last load overlaps the one before it, in which nothing was found. */
static inline const char *json_scan(const char *at, const char *end)
{
#ifdef __SSE2__
    const char *start = at;
    unsigned mask;
    for (; end - at >= 16; at += 16)
        if ((mask = json_care_mask(_mm_loadu_si128((const __m128i *)(const void *)at))))
            return at + __builtin_ctz(mask);
    if (end - start >= 16) {
        at = end - 16;
        mask = json_care_mask(_mm_loadu_si128((const __m128i *)(const void *)at));
        return mask ? at + __builtin_ctz(mask) : end;
    }
    if (end - at >= 8) { /* of the register only the lower half is the text's */
        if ((mask = json_care_mask(_mm_loadl_epi64((const __m128i *)(const void *)at)) & 0xff))
            return at + __builtin_ctz(mask);
        at = end - 8;
        mask = json_care_mask(_mm_loadl_epi64((const __m128i *)(const void *)at)) & 0xff;
        return mask ? at + __builtin_ctz(mask) : end;
    }
    if (end - at >= 4) {
        if ((mask = json_care_mask_of_4(at)))
            return at + __builtin_ctz(mask);
        at = end - 4;
        mask = json_care_mask_of_4(at);
        return mask ? at + __builtin_ctz(mask) : end;
    }
#endif
    while (at < end && !json_needs_care(*at))
        at++;
    return at;
}

#endif
