/* Where a value of a department's request comes from: the citizen, the service's own parameters, a constant. */
#ifndef FEDERATION_SOURCE_H
#define FEDERATION_SOURCE_H

#include <shimin/catalogue.h>

struct citizen;

enum source_kind {
    SOURCE_CONST,
    SOURCE_ID_NUMBER,    /* citizen.id_number */
    SOURCE_NAME,         /* citizen.name */
    SOURCE_PHONE_NUMBER, /* citizen.phone_number */
    SOURCE_QUERY,        /* query.<name>: a parameter of the service */
    SOURCE_PAGE,         /* the cursor of a paged pull */
    SOURCE_VALUE,        /* a member of the question's values, by the target's own name */
    SOURCE_KINDS,
};

struct source {
    enum source_kind kind;
    struct str name;            /* SOURCE_QUERY, SOURCE_VALUE */
    enum source_kind identity;  /* SOURCE_VALUE: what of the citizen's takes its place when it is absent; 0: nothing */
    unsigned index;             /* SOURCE_QUERY: of the service's parameter */
    const struct json *literal; /* SOURCE_CONST; SOURCE_PAGE: the first page, when the question names none */
};

/* What a question brings. Spans and values live as long as the question's arena. */
struct source_inputs {
    const struct citizen *citizen;   /* NULL: none */
    const struct json *const *query; /* by index of the service's parameter; NULL entries are absent */
    const struct json *values;       /* may be NULL */
    const struct json *body;         /* of an operation called without a mapping, instead of `values`; NULL: none */
    struct str page;                 /* at == NULL: none */
};

bool source_is_personal(enum source_kind kind);
/* The least level at which the citizen's value is known. */
enum level source_level(enum source_kind kind);
/* "citizen.name", "query.year", "const:app". false when it is none of these. The index of a query source is not set. */
MUST_CHECK bool source_parse(struct arena *arena, struct str text, struct source *source);
/* What of the citizen's a parameter or member of that name (id_number, X-Phone-Number, sfzh, …) stands for, where no mapping
 * says so. */
MUST_CHECK bool source_of_identity(struct str name, enum source_kind *kind);
/* The value; NULL when the question does not have it. What is made is put into *made. */
const struct json *source_value(const struct source *source, const struct source_inputs *inputs, struct json *made);

#endif
