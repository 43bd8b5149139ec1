/* The inside of a compiled schema: nodes, each with a flat array of rules. Shared by the files schema_*.c only. */
#ifndef SHIMIN_CONTRACT_SCHEMA_NODE_H
#define SHIMIN_CONTRACT_SCHEMA_NODE_H

#include "contract/schema.h"

/* One bit a JSON type; JSON_INTEGER and JSON_NUMBER are told apart by value where it matters. */
#define TYPE_BIT(type) (1u << (type))
#define TYPES_NUMBER (TYPE_BIT(JSON_INTEGER) | TYPE_BIT(JSON_NUMBER))
#define TYPES_STRING TYPE_BIT(JSON_STRING)
#define TYPES_ARRAY TYPE_BIT(JSON_ARRAY)
#define TYPES_OBJECT TYPE_BIT(JSON_OBJECT)
#define TYPES_ALL 0x7fu
/* In a node's mask: numbers are accepted when they have no fraction. */
#define TYPE_WHOLE 0x80u

enum vocabulary {
    VOCABULARY_CORE = 1,
    VOCABULARY_APPLICATOR = 2,
    VOCABULARY_UNEVALUATED = 4,
    VOCABULARY_VALIDATION = 8,
    VOCABULARY_FORMAT_ASSERTION = 16,
};
#define VOCABULARIES_STANDARD (VOCABULARY_CORE | VOCABULARY_APPLICATOR | VOCABULARY_UNEVALUATED | VOCABULARY_VALIDATION)

struct anchor {
    struct anchor *next;
    struct str name;
    const struct json *source;
    const struct schema *schema; /* of a dynamic anchor, else NULL */
};

/* A schema resource (core §4.3.5): what has an absolute URI of its own. The dynamic scope is a list of these. */
struct resource {
    struct resource *next;
    struct str uri; /* without fragment */
    const struct json *root;
    struct anchor *anchors;
    unsigned vocabularies;
};

struct decimal { /* digits * 10^exponent */
    uint64_t digits;
    int exponent;
};

struct schema_list {
    const struct schema **list;
    uint32_t count;
};

struct pattern;
struct members; /* schema_members.c */
struct format;

struct rule {
    const struct keyword *keyword;
    const struct json *source; /* the keyword's value */
    union {
        const struct schema *schema;
        struct schema_list schemas;
        const struct pattern *pattern;
        const struct members *members;
        const struct format *format;
        struct decimal divisor;
        uint64_t limit;
        struct { /* dynamicRef */
            const struct schema *initial;
            struct str anchor; /* at == NULL: an ordinary reference */
        } dynamic;
        struct {
            const struct schema *condition, *then, *otherwise;
        } branch;
        struct {
            const struct schema *schema;
            uint64_t least, most;
        } contains;
        struct {
            const struct schema **prefix;
            const struct schema *rest; /* NULL: anything */
            uint32_t prefix_count;
        } items;
        struct { /* dependentSchemas and properties by name */
            const struct json_member *names;
            const struct schema **list;
            uint32_t count;
        } named;
    };
};

struct schema {
    const struct json *source;
    const struct resource *resource;
    const struct rule *rules; /* in the order of the table of keywords */
    uint32_t rule_count;
    uint8_t types; /* TYPE_BITs and TYPE_WHOLE */
    bool never;    /* the schema `false` */
    bool nullable; /* OpenAPI 3.0: null is valid whatever else is said */
    bool wants_evaluated;
    uint8_t colour; /* while cycles are looked for */
};

/* ---- compiling ---- */

struct schema_compiler {
    struct arena *arena;
    struct schema_options options;
    schema_fault_fn *fault;
    void *fault_context;
    bool failed;
    struct resource *resources;
    struct spot *spots; /* open addressing by the address of the source */
    size_t spot_count, spot_room;
    struct schema **queue;
    size_t queued, taken, queue_room;
    struct pattern_entry *patterns;
};

/* Where a (sub)schema stands: which resource it belongs to, and its node once somebody refers to it. */
struct spot {
    const struct json *source;
    struct resource *resource;
    struct schema *schema;
};

void compile_fault(struct schema_compiler *compiler, const struct json *where, const char *format, ...) PRINTF_LIKE(3, 4);
/* The node of a subschema; a lone $ref is followed at once. Never NULL (after a fault: a node that refuses everything). */
const struct schema *compile_child(struct schema_compiler *compiler, const struct schema *parent, const struct json *source);
/* The node that `reference` (the value of $ref) names, seen from a node. NULL after a fault. */
const struct schema *compile_reference(struct schema_compiler *compiler, const struct resource *base,
                                       const struct json *reference);
const struct schema *compile_node(struct schema_compiler *compiler, const struct json *source, struct resource *resource);
/* A non-negative whole number, or a fault. */
bool compile_limit(struct schema_compiler *compiler, const struct json *source, uint64_t *limit);
bool compile_list(struct schema_compiler *compiler, const struct schema *node, const struct json *source,
                  struct schema_list *out);

/* schema_refs.c */
struct resource *resource_add(struct schema_compiler *compiler, struct str uri, const struct json *root);
struct spot *spot_find(struct schema_compiler *compiler, const struct json *source);
/* Registers a schema and all below it: identifiers, anchors, and to which resource each belongs. */
struct spot *spot_index(struct schema_compiler *compiler, const struct json *source, struct resource *resource);
const struct anchor *anchor_find(const struct resource *resource, struct str name);
/* The source that a URI reference names, and the resource in which it stands; NULL after a fault. */
const struct json *reference_resolve(struct schema_compiler *compiler, const struct resource *base,
                                     const struct json *reference, struct resource **resource);
/* RFC 3986 §5.2. */
struct str uri_resolve(struct arena *arena, struct str base, struct str reference);

/* schema_pattern.c: ECMA-262 with the u flag, by PCRE2. NULL after a fault at `where`. */
const struct pattern *pattern_compile(struct schema_compiler *compiler, struct str source, const struct json *where);
bool pattern_matches(const struct pattern *pattern, struct str subject, uint64_t *work); /* takes its cost from *work */
/* schema_ecma.c: the same pattern in PCRE2's words; NULL and *reason when it is not ECMA-262's. */
const char *ecma_translate(struct arena *arena, struct str pattern, const char **reason);

/* schema_formats.c */
const struct format *format_find(struct str name);
unsigned format_types(const struct format *format);
bool format_accepts(const struct format *format, const struct json *value);
struct bilingual format_detail(const struct format *format);

/* schema_numbers.c */
MUST_CHECK bool decimal_of(const struct json *number, struct decimal *out);
bool decimal_divides(struct decimal divisor, struct decimal value);
int number_compare(const struct json *a, const struct json *b);
bool number_is_whole(const struct json *value);

/* schema_unique.c: spends work for each comparison. */
bool items_are_unique(const struct json *array, uint64_t *work);

/* ---- validating ---- */

struct place { /* where in the instance: a list from the innermost outwards, on the stack */
    const struct place *parent;
    struct str name; /* at == NULL: an index */
    uint32_t index;
};

struct scope { /* the dynamic scope, likewise */
    const struct scope *parent;
    const struct resource *resource;
};

struct evaluated { /* one bit a member or item that some keyword has seen */
    uint64_t *bits;
    uint64_t few; /* where the bits are when there are at most 64 */
};

struct run {
    struct schema_errors *errors; /* NULL: only yes or no */
    uint64_t work;                /* left */
    unsigned depth;
    bool exhausted; /* a bound was exceeded: the answer is no, even under `not` */
};

/* One node against one value. */
struct visit {
    struct run *run;
    const struct schema *schema;
    const struct json *value;
    const struct place *place;
    struct evaluated *evaluated; /* NULL: nobody asks */
    struct scope scope;
};

bool schema_visit(struct run *run, const struct schema *schema, const struct json *value, const struct place *place,
                  struct evaluated *evaluated, const struct scope *scope);
/* The same value against another node. */
bool visit_again(const struct visit *visit, const struct schema *schema, struct evaluated *evaluated);
/* Says only yes or no, whatever the run collects. */
bool visit_quietly(const struct visit *visit, const struct schema *schema, const struct json *value,
                   struct evaluated *evaluated);
bool visit_member(const struct visit *visit, const struct schema *schema, uint32_t index);
bool visit_item(const struct visit *visit, const struct schema *schema, uint32_t index);
/* Whether to look for more faults after one. */
bool visit_goes_on(const struct visit *visit);
/* Records a fault, in the words of the keyword's row with {} replaced by `argument`. Always false. */
bool visit_fault(const struct visit *visit, const struct keyword *keyword, struct str argument);
bool visit_fault_at(const struct visit *visit, const struct keyword *keyword, const struct place *place, struct str argument);

void evaluated_open(struct evaluated *evaluated, uint32_t count);
void evaluated_close(struct evaluated *evaluated);
void evaluated_mark(struct evaluated *evaluated, uint32_t index);
void evaluated_mark_all(struct evaluated *evaluated, uint32_t count);
bool evaluated_has(const struct evaluated *evaluated, uint32_t index);
void evaluated_merge(struct evaluated *into, const struct evaluated *from, uint32_t count);

/* ---- the table of keywords ---- */

struct keyword {
    const char *name;
    enum vocabulary vocabulary;
    unsigned types; /* of instances it says something about */
    /* Fills the rule; false when the keyword needs no rule (or after a fault). */
    bool (*compile)(struct schema_compiler *compiler, struct schema *node, struct rule *rule);
    bool (*check)(const struct visit *visit, const struct rule *rule);
    const char *zh, *en; /* {} stands for the keyword's value or another argument */
};
extern const struct keyword schema_keywords[];
extern const size_t schema_keyword_count;
/* A row by its name, for rules that combine several keywords. */
const struct keyword *keyword_named(const char *name);

extern const struct keyword keyword_false, keyword_bounds;

#define COMPILE(name) bool compile_##name(struct schema_compiler *compiler, struct schema *node, struct rule *rule)
#define CHECK(name) bool check_##name(const struct visit *visit, const struct rule *rule)
COMPILE(nullable);
COMPILE(type);
COMPILE(limit_of);
COMPILE(max_contains);
COMPILE(const);
COMPILE(enum);
COMPILE(pattern);
COMPILE(format);
COMPILE(required);
COMPILE(dependent_required);
COMPILE(members);
COMPILE(property_names);
COMPILE(items);
COMPILE(contains);
COMPILE(unique_items);
COMPILE(ref);
COMPILE(dynamic_ref);
COMPILE(all_of);
COMPILE(if);
COMPILE(dependent_schemas);
COMPILE(one_of);
COMPILE(any_of);
COMPILE(not );
COMPILE(unevaluated_items);
COMPILE(unevaluated_properties);
COMPILE(bound);
COMPILE(multiple_of);
CHECK(string_length);
CHECK(count);
CHECK(const);
CHECK(enum);
CHECK(pattern);
CHECK(format);
CHECK(required);
CHECK(dependent_required);
CHECK(members);
CHECK(property_names);
CHECK(items);
CHECK(contains);
CHECK(unique_items);
CHECK(ref);
CHECK(dynamic_ref);
CHECK(all_of);
CHECK(if);
CHECK(dependent_schemas);
CHECK(one_of);
CHECK(any_of);
CHECK(not );
CHECK(unevaluated_items);
CHECK(unevaluated_properties);
CHECK(bound);
CHECK(multiple_of);

#endif
