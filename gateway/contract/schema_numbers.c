/* Numbers: comparison without loss, and multiples in decimal, so that 0.3 is a multiple of 0.1. */
#include "base/number.h"
#include "contract/schema_node.h"

#include <math.h>

bool number_is_whole(const struct json *value)
{
    return value->type == JSON_INTEGER ||
           (value->type == JSON_NUMBER && isfinite(value->number) && floor(value->number) == value->number);
}

int number_compare(const struct json *a, const struct json *b)
{
    if (a->type == JSON_INTEGER && b->type == JSON_INTEGER)
        return (a->integer > b->integer) - (a->integer < b->integer);
    /* 64 bits of mantissa where we run: every int64_t and every double is exact. */
    long double x = a->type == JSON_INTEGER ? (long double)a->integer : (long double)a->number;
    long double y = b->type == JSON_INTEGER ? (long double)b->integer : (long double)b->number;
    return (x > y) - (x < y);
}

/* From the shortest text that reads back as the same double: what its author wrote. The sign does not matter here. */
bool decimal_of(const struct json *number, struct decimal *out)
{
    if (number->type == JSON_INTEGER) {
        uint64_t size = number->integer < 0 ? 0 - (uint64_t)number->integer : (uint64_t)number->integer;
        *out = (struct decimal){size, 0};
        return true;
    }
    if (number->type != JSON_NUMBER || !isfinite(number->number))
        return false;
    char text[NUMBER_TEXT_MAX];
    size_t length = number_write(text, fabs(number->number));
    *out = (struct decimal){0, 0};
    bool fraction = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.') {
            fraction = true;
        } else if (text[i] == 'e' || text[i] == 'E') {
            int64_t exponent = 0;
            size_t from = text[i + 1] == '+' ? i + 2 : i + 1;
            if (!str_to_i64((struct str){text + from, length - from}, &exponent))
                return false;
            out->exponent += (int)exponent;
            break;
        } else if (out->digits > UINT64_MAX / 10 - 1) {
            out->exponent += !fraction; /* a zero that only says how large it is */
        } else {
            out->digits = out->digits * 10 + (uint64_t)(text[i] - '0');
            out->exponent -= fraction;
        }
    }
    return true;
}

static uint64_t multiply(uint64_t a, uint64_t b, uint64_t modulus)
{
    return (uint64_t)((unsigned __int128)a * b % modulus);
}

bool decimal_divides(struct decimal divisor, struct decimal value)
{
    if (value.digits == 0)
        return true;
    int shift = value.exponent - divisor.exponent;
    if (shift >= 0) { /* value.digits * 10^shift modulo divisor.digits */
        uint64_t rest = value.digits % divisor.digits, power = 10 % divisor.digits;
        for (; shift > 0; shift >>= 1) {
            if (shift & 1)
                rest = multiply(rest, power, divisor.digits);
            power = multiply(power, power, divisor.digits);
        }
        return rest == 0;
    }
    /* The divisor has to be scaled up; beyond 19 digits it is larger than any value. */
    unsigned __int128 scaled = divisor.digits;
    for (; shift < 0; shift++) {
        scaled *= 10;
        if (scaled > value.digits)
            return false;
    }
    return value.digits % (uint64_t)scaled == 0;
}
