/* Masks of an answer's personal members, by pointer within an item, applied while the answer is written. */
#ifndef FEDERATION_MASK_H
#define FEDERATION_MASK_H

#include "federation/fault.h"
#include <shimin/id.h>

struct mask {
    const struct str *segments; /* of the pointer, unescaped; "*" stands for every item or member */
    unsigned segment_count;
    enum mask_rule rule;
};

struct masks {
    const struct mask *list;
    unsigned count;
};

/* From {pointer: rule}; NULL gives none. false after reporting faults. */
MUST_CHECK bool masks_compile(struct arena *arena, const struct json *source, struct masks *masks, struct fault_sink *sink);
/* Writes one item. Only what is masked is made anew, all else goes out as the bytes it came as. What a mask meets that is
 * neither text nor number is written as null: a mask never lets something through because it has another type. */
void masks_write(struct json_out *out, struct arena *arena, const struct masks *masks, const struct json *item);

#endif
