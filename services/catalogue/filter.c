/* The filter of GET /v1/services: by category, department, archetype, level and words. */
#include "filter.h"

#include <ctype.h>

struct filter filter_read(struct request *request)
{
    struct filter filter = {
        .category = request_string(request, "category"),
        .department = request_string(request, "department"),
    };
    filter.by_archetype = archetype_named(request_string(request, "archetype"), &filter.archetype);
    filter.by_level = level_named(request_string(request, "level"), &filter.level);
    struct str text = request_string(request, "text"), rest = text.at ? str_fold(request_arena(request), text) : STR_NONE;
    while (rest.at && filter.word_count < FILTER_WORDS) {
        struct str word = str_cut(&rest, ' ');
        if (word.len)
            filter.words[filter.word_count++] = word;
    }
    return filter;
}

/* The word is folded; the text's ASCII letters are taken without case. */
static bool contains(struct str text, struct str word)
{
    for (size_t at = 0; at + word.len <= text.len; at++) {
        size_t same = 0;
        while (same < word.len && tolower((unsigned char)text.at[at + same]) == (unsigned char)word.at[same])
            same++;
        if (same == word.len)
            return true;
    }
    return false;
}

static bool word_matches(const struct service *service, struct str word)
{
    return contains(service->name.zh, word) || contains(service->name.en, word) || contains(service->pinyin, word) ||
           contains(service->summary.zh, word) || contains(service->summary.en, word);
}

bool filter_matches(const struct filter *filter, const struct service *service)
{
    if ((filter->category.at && !str_equal(filter->category, service->category)) ||
        (filter->department.at && !str_equal(filter->department, service->department->slug)) ||
        (filter->by_archetype && filter->archetype != service->archetype) ||
        (filter->by_level && service->level > filter->level))
        return false;
    for (unsigned i = 0; i < filter->word_count; i++)
        if (!word_matches(service, filter->words[i]))
            return false;
    return true;
}
