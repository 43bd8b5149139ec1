/* Does an operation's answer have a member at a pointer? Asked of the contract when the catalogue is compiled, so that a
 * mistyped pointer is refused there and not found by a citizen. */
#ifndef FEDERATION_SCHEMA_PATH_H
#define FEDERATION_SCHEMA_PATH_H

#include "contract/contract.h"

/* In the body of a 2xx answer. Schemas that say nothing about their members have every member. */
bool schema_path_exists(const struct operation *operation, struct str pointer);
/* Within the items at `items` (at == NULL: the whole body): in each item of an array, or in the object itself. "*" stands for
 * every item or member. */
bool schema_item_path_exists(const struct operation *operation, struct str items, struct str pointer);
/* The pointer to a value that broke the schema, as it may be shown: an index and any name that the contract does not declare
 * (the key of a map can be an identity number) is "*". */
struct str schema_path_shown(struct arena *arena, const struct contract *contract, const struct json *schema,
                             struct str pointer);

#endif
