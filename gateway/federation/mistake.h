/* Making a request wrong on purpose, for the publish gate: the answer should be an error. */
#ifndef FEDERATION_MISTAKE_H
#define FEDERATION_MISTAKE_H

#include "federation/template.h"
#include <shimin/department.h>

/* Whether the operation leaves room for this mistake: a parameter that must be there, a resource in the path. */
bool mistake_is_possible(const struct template *template, enum department_mistake mistake);
/* Changes what the template filled; nothing when the mistake is not possible. */
void mistake_make(struct arena *arena, const struct template *template, enum department_mistake mistake, struct filled *filled);

#endif
