/* UTF-8: how far it is valid, and writing one code point. */
#ifndef SHIMIN_BASE_UTF8_H
#define SHIMIN_BASE_UTF8_H

#include <shimin/str.h>

/* Bytes before the first fault: s.len when all of s is valid. */
size_t utf8_valid_bytes(struct str s);
/* Writes a code point (at most U+10FFFF, no surrogate) and returns its length, at most 4. */
size_t utf8_write(char *out, uint32_t code_point);

#endif
