/* Decimal text to double and back. Independent of the locale. */
#ifndef SHIMIN_BASE_NUMBER_H
#define SHIMIN_BASE_NUMBER_H

#include <shimin/str.h>

/* The double nearest to s, which must match -?digits[.digits][e[+-]digits]. Infinite when it is too large. */
double number_read(struct str s);
/* The shortest text that number_read gives back as `value` (finite), with its terminating NUL. Returns the length. */
#define NUMBER_TEXT_MAX 32
size_t number_write(char out[NUMBER_TEXT_MAX], double value);
/* value in decimal, without NUL. Returns the length, at most 20. */
size_t number_write_i64(char *out, int64_t value);

#endif
