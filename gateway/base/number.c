/* Decimal text to double and back: exact arithmetic where it suffices, strtod and printf where it does not. */
#include "base/number.h"

#include <shimin/arena.h>

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Powers of ten that a double holds exactly. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define EXACT_POWER 22
#define EXACT_INTEGER (UINT64_C(1) << 53)

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double read_slowly(struct str s)
{
    char near[128];
    char *copy = s.len < sizeof(near) ? near : memory_alloc(s.len + 1);
    memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    pthread_once(&c_locale_once, make_c_locale);
    double value = strtod_l(copy, NULL, c_locale);
    if (copy != near)
        free(copy);
    return value;
}

/* Clinger's fast path: a mantissa below 2^53 times or divided by an exact power of ten is rounded once, so correctly. */
double number_read(struct str s)
{
    const char *at = s.at, *end = s.at + s.len;
    bool negative = at < end && *at == '-';
    at += negative;
    uint64_t mantissa = 0;
    int digits = 0, exponent = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++, digits++)
        mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    if (at < end && *at == '.') {
        for (at++; at < end && *at >= '0' && *at <= '9'; at++, digits++, exponent--)
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        bool down = at < end && *at == '-';
        at += at < end && (*at == '-' || *at == '+');
        int given = 0;
        for (; at < end && given < 10000; at++)
            given = given * 10 + (*at - '0');
        exponent += down ? -given : given;
    }
    if (digits > 18 || mantissa > EXACT_INTEGER || exponent < -EXACT_POWER || exponent > EXACT_POWER)
        return read_slowly(s);
    double value = (double)mantissa;
    value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
    return negative ? -value : value;
}

/* From the end, two digits a division. */
size_t number_write_i64(char *out, int64_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
        "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
        "9899";
    char digits[20], *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    for (; rest >= 100; rest /= 100)
        memcpy(at -= 2, &pairs[rest % 100 * 2], 2);
    if (rest >= 10)
        memcpy(at -= 2, &pairs[rest * 2], 2);
    else
        *--at = (char)('0' + rest);
    if (value < 0)
        *--at = '-';
    size_t len = (size_t)(digits + sizeof digits - at);
    memcpy(out, at, len);
    return len;
}

/* value = integer / 10^places with an exact integer: the division that reads it back is rounded once. Prints money, shares
 * and coordinates, nearly all that this program writes. Returns 0 when the value is not so simple. */
static size_t write_fixed(char *out, double value)
{
    double magnitude = fabs(value);
    if (magnitude != 0 && (magnitude < 1e-5 || magnitude >= 1e15))
        return 0;
    for (int places = 0; places <= 10; places++) {
        double scaled = nearbyint(magnitude * powers[places]);
        if (scaled > (double)EXACT_INTEGER)
            return 0;
        if (scaled / powers[places] != magnitude)
            continue;
        size_t len = 0;
        if (signbit(value))
            out[len++] = '-';
        uint64_t unit = (uint64_t)powers[places];
        uint64_t whole = (uint64_t)scaled / unit, fraction = (uint64_t)scaled % unit;
        len += number_write_i64(out + len, (int64_t)whole);
        if (places > 0) {
            out[len++] = '.';
            for (int i = places - 1; i >= 0; i--, fraction /= 10)
                out[len + (size_t)i] = (char)('0' + fraction % 10);
            len += (size_t)places;
        }
        out[len] = '\0';
        return len;
    }
    return 0;
}

size_t number_write(char out[NUMBER_TEXT_MAX], double value)
{
    size_t len = write_fixed(out, value);
    if (len > 0)
        return len;
    pthread_once(&c_locale_once, make_c_locale);
    locale_t before = uselocale(c_locale);
    for (int precision = 1; precision <= 17; precision++) {
        len = (size_t)snprintf(out, NUMBER_TEXT_MAX, "%.*g", precision, value);
        if (strtod(out, NULL) == value)
            break;
    }
    uselocale(before);
    return len;
}
