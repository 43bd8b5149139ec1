/* Chinese identifiers: citizen number, social credit code, mobile number, division code. */
#include <shimin/id.h>

#include "base/calendar.h"

#include <shimin/clock.h>

#include <string.h>

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
    return true;
}

static bool is_date_until_today(struct str s)
{
    const char *at = s.at, *end = s.at + s.len;
    int year, month, day;
    if (!calendar_take_digits(&at, end, 4, &year) || !calendar_take_digits(&at, end, 2, &month) ||
        !calendar_take_digits(&at, end, 2, &day) || !civil_is_date(year, month, day))
        return false;
    struct civil today = time_civil(clock_wall());
    return (year * 100 + month) * 100 + day <= (today.year * 100 + today.month) * 100 + today.day;
}

/* GB 11643-1999; check character by ISO 7064 MOD 11-2. The division is not looked up: codes retire, numbers stay. */
bool cn_id_is_valid(struct str s)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    if (s.len != 18 || !all_digits(str_slice(s, 0, 17)) || s.at[0] == '0')
        return false;
    int sum = 0;
    for (size_t i = 0; i < 17; i++)
        sum += (s.at[i] - '0') * weights[i];
    char last = s.at[17] == 'x' ? 'X' : s.at[17];
    return last == "10X98765432"[sum % 11] && is_date_until_today(str_slice(s, 6, 14));
}

/* GB 32100-2015: registrar, class, division, organisation code, check character modulo 31 with weights 3^i. */
bool cn_uscc_is_valid(struct str s)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    if (s.len != 18 || !all_digits(str_slice(s, 2, 8)))
        return false;
    int sum = 0, weight = 1, value = 0;
    for (size_t i = 0; i < 18; i++) {
        const char *found = s.at[i] ? strchr(alphabet, s.at[i]) : NULL;
        if (!found)
            return false;
        value = (int)(found - alphabet);
        if (i < 17)
            sum += value * weight;
        weight = weight * 3 % 31;
    }
    return value == (31 - sum % 31) % 31;
}

/* Carriers are not told by the prefix: numbers move, and new ranges come. */
bool cn_mobile_normalise(struct arena *arena, struct str s, struct str *e164)
{
    if (str_starts(s, STR("+86")))
        s = str_slice(s, 3, s.len);
    if (s.len != 11 || !all_digits(s) || s.at[0] != '1' || s.at[1] < '3')
        return false;
    *e164 = str_printf(arena, "+86%.*s", STR_ARG(s));
    return true;
}

/* Provinces of GB/T 2260. */
static const char provinces[][3] = {"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34",
                                    "35", "36", "37", "41", "42", "43", "44", "45", "46", "50", "51", "52",
                                    "53", "54", "61", "62", "63", "64", "65", "71", "81", "82"};

bool cn_area_is_valid(struct str s)
{
    bool length = s.len == 2 || s.len == 4 || s.len == 6 || s.len == 9 || s.len == 12;
    if (!length || !all_digits(s))
        return false;
    for (size_t i = 0; i < COUNT_OF(provinces); i++)
        if (str_starts(s, (struct str){provinces[i], 2}))
            return true;
    return false;
}
