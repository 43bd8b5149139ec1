/* How a department behaves: normally, or in one of the ways that departments fail. */
#ifndef SANDBOX_BEHAVIOUR_H
#define SANDBOX_BEHAVIOUR_H

#include <shimin/json.h>

enum behaviour_mode {
    BEHAVIOUR_NORMAL,
    BEHAVIOUR_SLOW,
    BEHAVIOUR_HANGING,
    BEHAVIOUR_DRIPPING,
    BEHAVIOUR_FAILING,
    BEHAVIOUR_RESETTING,
    BEHAVIOUR_GARBAGE,
    BEHAVIOUR_BREAKING,
    BEHAVIOUR_REDIRECTING,
    BEHAVIOUR_OVERSIZED,
    BEHAVIOUR_DOWN,
    BEHAVIOURS,
};
const char *behaviour_name(enum behaviour_mode mode);

struct behaviour {
    enum behaviour_mode mode;
    int64_t delay; /* microseconds */
    double ratio;
    unsigned status;
    char operation[201]; /* operationId; empty: all */
    int64_t until;       /* steady; 0: until it is set again */
};

/* From the control API's JSON, which is valid against its schema. false with the reason. */
MUST_CHECK bool behaviour_read(const struct json *value, struct behaviour *behaviour, const char **reason);
void behaviour_write(struct json_out *out, const struct behaviour *behaviour);

/* A department's; any thread. */
struct behaviour_slot;
struct behaviour_slot *behaviour_slot_new(struct arena *arena);
void behaviour_set(struct behaviour_slot *slot, const struct behaviour *behaviour);
struct behaviour behaviour_now(struct behaviour_slot *slot);
/* How this call is treated: counts it, so that of `ratio` 0.25 every fourth is affected. */
struct behaviour behaviour_draw(struct behaviour_slot *slot, struct str operation_id);

#endif
