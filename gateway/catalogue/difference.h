/* What would have to change in one catalogue to make it another, by service and field. */
#ifndef SHIMIN_CATALOGUE_DIFFERENCE_H
#define SHIMIN_CATALOGUE_DIFFERENCE_H

#include <shimin/json.h>

/* Changes that lead from one document to the other, as an array of {kind: category|department|service|area, name, action:
 * add|change|remove, fields: [{path, from, to}]}; what is absent on a side is left out of its field. Documents as of
 * catalogue_document() or catalogue_files_read(); services that departments registered are no files' business and left out. */
const struct json *catalogue_difference(struct arena *arena, const struct json *from, const struct json *to);

#endif
