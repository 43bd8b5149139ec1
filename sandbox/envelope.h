/* Error answers in the department's own form, as its contract describes it. */
#ifndef SANDBOX_ENVELOPE_H
#define SANDBOX_ENVELOPE_H

#include "shape.h"

/* One for each error status that an operation describes; a list that ends with next == NULL. */
struct envelope {
    unsigned status; /* 0: default; 4, 5: any of them */
    const char *type;
    struct str before, after; /* the JSON around the message; `before` is all when there is no message to replace */
    struct str message;       /* the example's own */
    const struct envelope *next;
};

/* From the contract's examples or, without one, its schemas. */
const struct envelope *envelopes_of(struct arena *arena, struct shape_compiler *compiler, const struct operation *operation);
/* The one for this status; NULL when the contract describes none. */
const struct envelope *envelope_find(const struct envelope *list, unsigned status);

struct request;
/* Replies in the envelope of the status, else in that of 400 or 500; without any with {"error": …, "message": …}. The reason is
 * also in the header x-sandbox-reason. */
void envelope_reply(struct request *request, const struct envelope *list, unsigned status, struct str reason);

#endif
