/* What a client says it prefers or has: media types, languages, encodings, entity tags. */
#include "http/negotiate.h"

enum { WEIGHT_WHOLE = 1000 };

/* ";q=0.8" of the parameters that follow a list member: 0 to 1000; a weight that is none counts as absent. */
static unsigned weight_of(struct str parameters)
{
    while (parameters.at) {
        struct str one = str_trim(str_cut(&parameters, ';'));
        if (one.len < 3 || (one.at[0] | 0x20) != 'q' || one.at[1] != '=')
            continue;
        if (one.at[2] != '0' && one.at[2] != '1')
            return WEIGHT_WHOLE;
        unsigned weight = one.at[2] == '1' ? WEIGHT_WHOLE : 0, scale = 100;
        for (size_t i = 4; i < one.len && one.at[3] == '.' && scale > 0; i++, scale /= 10) {
            if (one.at[i] < '0' || one.at[i] > '9')
                break;
            weight += (unsigned)(one.at[i] - '0') * scale;
        }
        return weight > WEIGHT_WHOLE ? WEIGHT_WHOLE : weight;
    }
    return WEIGHT_WHOLE;
}

/* The next member of a comma list, split into its value and its weight. */
static struct str next_member(struct str *rest, unsigned *weight)
{
    struct str parameters = str_cut(rest, ',');
    struct str value = str_trim(str_cut(&parameters, ';'));
    *weight = weight_of(parameters);
    return value;
}

/* Whether the language range names the language or one of its variants: "zh", "zh-Hans-CN". */
static bool is_language(struct str range, const char *language)
{
    return range.len >= 2 && str_equal_nocase(str_slice(range, 0, 2), str_of(language)) &&
           (range.len == 2 || range.at[2] == '-');
}

bool negotiate_chinese(struct str accept_language)
{
    int chinese = -1, english = -1, any = -1;
    while (accept_language.at) {
        unsigned weight;
        struct str range = next_member(&accept_language, &weight);
        int *best = is_language(range, "zh")   ? &chinese
                    : is_language(range, "en") ? &english
                    : str_is(range, "*")       ? &any
                                               : NULL;
        if (best && *best < (int)weight)
            *best = (int)weight;
    }
    int spare = any > 0 ? any : 0;
    return (english < 0 ? spare : english) <= (chinese < 0 ? spare : chinese);
}

bool negotiate_gzip(struct str accept_encoding)
{
    int gzip = -1, any = -1;
    while (accept_encoding.at) {
        unsigned weight;
        struct str coding = next_member(&accept_encoding, &weight);
        if (str_equal_nocase(coding, STR("gzip")) || str_equal_nocase(coding, STR("x-gzip")))
            gzip = (int)weight;
        else if (str_is(coding, "*"))
            any = (int)weight;
    }
    return (gzip < 0 ? any : gzip) > 0;
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

unsigned negotiate_type(struct str accept, struct str type)
{
    int best = 0;
    unsigned quality = 0;
    if (!str_trim(accept).len)
        return WEIGHT_WHOLE;
    while (accept.at) {
        unsigned weight;
        struct str range = next_member(&accept, &weight);
        int match = match_of(range, type);
        if (match > best) {
            best = match;
            quality = weight;
        }
    }
    return quality;
}

/* An opaque tag cannot hold a quote, but it can hold a comma (RFC 9110 §8.8.3): the list is read by its quotes. */
struct str negotiate_listed_tag(struct str list, struct str tag)
{
    list = str_trim(list);
    if (str_is(list, "*"))
        return tag;
    while (list.at) {
        str_cut(&list, '"');
        if (!list.at)
            return STR_NONE;
        struct str listed = str_cut(&list, '"');
        if (!list.at)
            return STR_NONE; /* not closed */
        struct str plain = listed;
        if (str_ends(listed, STR(NEGOTIATE_GZIP_SUFFIX)))
            plain.len -= sizeof(NEGOTIATE_GZIP_SUFFIX) - 1;
        if (str_equal(listed, tag) || str_equal(plain, tag))
            return listed;
    }
    return STR_NONE;
}
