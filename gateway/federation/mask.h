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

/* The same in two steps, for several sets of masks on one value: what they meet … */
struct mask_hit {
    const struct json *value;
    enum mask_rule rule;
};
struct mask_hits {
    struct arena *arena;
    struct mask_hit *list;
    size_t count, room;
};
/* … in an item, or in each item of an array of them (NULL: in nothing), … */
void masks_find(struct mask_hits *hits, const struct masks *masks, const struct json *items);
/* … and the value that holds them all, as it was parsed, with each of them masked. */
void masks_write_hits(struct json_out *out, struct mask_hits *hits, const struct json *whole);

#endif
