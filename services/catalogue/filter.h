/* Which services a citizen looks for. */
#ifndef SERVICES_CATALOGUE_FILTER_H
#define SERVICES_CATALOGUE_FILTER_H

#include <shimin/catalogue.h>
#include <shimin/request.h>

enum { FILTER_WORDS = 8 };

struct filter {
    struct str category;   /* slug; at == NULL: any */
    struct str department; /* slug */
    bool by_archetype, by_level;
    enum archetype archetype;
    enum level level; /* services that this level may use */
    struct str words[FILTER_WORDS];
    unsigned word_count;
};

/* From the validated parameters. */
struct filter filter_read(struct request *request);
/* Every word must be in the Chinese or English name or summary, or begin somewhere in the pinyin initials. */
bool filter_matches(const struct filter *filter, const struct service *service);

#endif
