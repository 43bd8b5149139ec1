/* Answers made from shapes: the same for the same person, operation and place in the answer. */
#ifndef SANDBOX_GENERATE_H
#define SANDBOX_GENERATE_H

#include "inputs.h"
#include "shape.h"

struct generate_order {
    struct str department; /* slug */
    const struct operation *operation;
    const struct answer_shape *answer;
    const struct inputs *inputs;
    struct str told[SHAPE_RULES]; /* JSON texts of its rules; at == NULL: any that would do */
    int64_t now;                  /* wall microseconds: what `past_days: 0` gives */
};

/* The JSON text of the answer, in the arena; empty when it has no body. Does not wait. */
struct str generate_answer(struct arena *arena, const struct generate_order *order);
/* A value that suits the shape, without a request: for tests of what a contract asks of its callers. */
struct str generate_value(struct arena *arena, const struct shape *shape, uint64_t seed, int64_t now);
/* A text that matches the pattern, as far as it uses literals, classes, groups, alternatives and repeats; false for what it
 * cannot do (look-around, back references). */
MUST_CHECK bool generate_matching(struct text *text, struct str pattern, uint64_t seed);
/* The next number of a stream that begins at *state (splitmix64). */
uint64_t generate_random(uint64_t *state);

#endif
