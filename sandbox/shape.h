/* Shapes: what the answers of an operation look like, compiled once from the contract's schemas so that an answer is written
 * without reading the schema again. */
#ifndef SANDBOX_SHAPE_H
#define SANDBOX_SHAPE_H

#include "contract/contract.h"

enum shape_kind {
    SHAPE_NULL,
    SHAPE_CHOICE, /* one of the texts of `choices` */
    SHAPE_BOOLEAN,
    SHAPE_TOLD,     /* x-sandbox rule: what play.c tells */
    SHAPE_NUMBER,   /* units of 10^-decimals, from `least` in steps of `step` */
    SHAPE_MOMENT,   /* a date or date-time, days before or after the present */
    SHAPE_NUMBERED, /* x-sandbox sequence */
    SHAPE_FORMAT,   /* a text of that `format` */
    SHAPE_PATTERN,  /* a text that matches `pattern` */
    SHAPE_TEXT,     /* any text between two lengths */
    SHAPE_OBJECT,
    SHAPE_ARRAY,
    SHAPE_ONE_OF, /* one of the shapes of `members` */
};

/* x-sandbox `rule`: values that depend on more than the request. */
enum shape_rule { RULE_PERSON_MATCH, RULE_FACE_SERIAL, RULE_FACE_TOKEN, RULE_FACE_RESULT, SHAPE_RULES };

struct shape;

struct shape_member {
    struct str name; /* of the object's member; empty in SHAPE_ONE_OF */
    uint64_t hash;   /* of the name: the step of the seed */
    struct shape *shape;
    bool required;
};

struct shape {
    enum shape_kind kind;
    struct str pointer; /* of the schema, for messages */
    /* x-sandbox */
    struct str echo;                /* at == NULL: none */
    const struct schema *echo_fits; /* what an echoed value must satisfy */
    bool echo_text;                 /* the value is wanted as a string, whatever it was */
    bool in_order;
    const struct shape_member *pick_with;
    struct str sequence; /* with {n} */
    enum shape_rule rule;
    struct str page, size;
    int64_t first_page, default_size;

    const struct str *choices; /* JSON texts */
    uint32_t choice_count;
    bool is_date;              /* of SHAPE_MOMENT */
    int32_t past, future;      /* days */
    int64_t least, most, step; /* of SHAPE_NUMBER */
    unsigned decimals;
    struct str format, pattern;
    int64_t length_least, length_most; /* of texts in characters, of arrays in items */
    struct shape *items;
    const struct shape_member *members;
    uint32_t member_count;
    unsigned surveyed; /* of shape.c: the operation that looked here last, + 1 */
};

/* What an operation answers when all goes well: its lowest 2xx response, and the shape of its JSON body. */
struct answer_shape {
    unsigned status;
    const struct media *media; /* NULL: no body */
    const struct shape *shape; /* NULL: no body, or only an example */
    unsigned rules;            /* that it has: bits of enum shape_rule */
    bool tells_time;           /* has moments in it */
};

struct shape_compiler;
/* Compiles the shapes of one contract, in the arena. */
struct shape_compiler *shape_compiler_new(struct arena *arena, const struct contract *contract);
/* false, with the reason, when the contract describes no answer that could be played. */
MUST_CHECK bool shape_answer(struct shape_compiler *compiler, const struct operation *operation, struct answer_shape *answer,
                             struct str *reason);
/* The shape of one schema of the contract; NULL with the reason. */
struct shape *shape_compile(struct shape_compiler *compiler, const struct json *schema, struct str *reason);
/* The schema with its allOf folded in: one object of keywords, as far as they can be joined. */
const struct json *shape_fold(struct arena *arena, const struct contract *contract, const struct json *schema);

#endif
