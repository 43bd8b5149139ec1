/* Accept: ranges and their qualities. */
#include "accept.h"

enum { QUALITY_FULL = 1000 };

/* "0.5" in thousandths; what is no quality counts as 1, which is what its sender most likely meant. */
static int quality_of(struct str parameters)
{
    while (parameters.at) {
        struct str parameter = str_trim(str_cut(&parameters, ';'));
        double value;
        if (parameter.len > 2 && (parameter.at[0] == 'q' || parameter.at[0] == 'Q') && parameter.at[1] == '=' &&
            str_to_double(str_slice(parameter, 2, parameter.len), &value) && value >= 0 && value <= 1)
            return (int)(value * QUALITY_FULL + 0.5);
    }
    return QUALITY_FULL;
}

/* How exactly a range names the type: 0 not at all, 1 by any type, 2 by its main type, 3 by itself. */
static int match_of(struct str range, struct str type)
{
    if (str_equal_nocase(range, type))
        return 3;
    if (str_is(range, "*/*"))
        return 1;
    struct str rest = type, main = str_cut(&rest, '/');
    bool wild = str_ends(range, STR("/*")) && range.len == main.len + 2;
    return wild && str_equal_nocase(str_slice(range, 0, main.len), main) ? 2 : 0;
}

int accept_quality(struct str accept, struct str type)
{
    int best = 0, quality = 0;
    if (!str_trim(accept).len)
        return QUALITY_FULL;
    while (accept.at) {
        struct str parameters = str_cut(&accept, ',');
        struct str range = str_trim(str_cut(&parameters, ';'));
        int match = match_of(range, type);
        if (match > best) {
            best = match;
            quality = quality_of(parameters);
        }
    }
    return quality;
}
