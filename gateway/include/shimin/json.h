/* JSON: a parsed tree in an arena (from JSON or YAML), and a writer.
 *
 * Ours, and not a library's, for three reasons: a tree must live and die with a request's arena; the parser runs on a
 * fiber's small stack, so its depth is bounded and its recursion counted; and a subtree that nobody changed is passed on as
 * the bytes it came as. RFC 8259 with the restrictions of RFC 7493: UTF-8, no duplicate names, no lone surrogates. */
#ifndef SHIMIN_JSON_H
#define SHIMIN_JSON_H

#include <shimin/str.h>

enum json_type {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_INTEGER, /* a number without fraction or exponent that fits int64_t */
    JSON_NUMBER,  /* any other number */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_member;

/* One value. Read-only once parsed. */
struct json {
    enum json_type type;
    uint32_t line;  /* 1-based line of the text it came from; 0 if made by code */
    uint32_t count; /* items of an array, members of an object */
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct str string;
        struct json *items;
        struct json_member *members; /* in the order of the text */
    };
    struct str source; /* the bytes of this value in the parsed JSON text; at == NULL if it came from YAML or code */
};

struct json_member {
    struct str name;
    struct json value;
};

struct json_limits {
    size_t depth; /* nested containers; at most JSON_DEPTH_MAX */
    size_t bytes;
    size_t nodes;
};
#define JSON_DEPTH_MAX 128
/* What citizens send: depth 32, 1 MiB, 100 000 nodes. */
extern const struct json_limits json_limits_request;
/* What departments' answers may be: depth 32, 8 MiB, 1 000 000 nodes. */
extern const struct json_limits json_limits_answer;
/* Configuration, contracts, catalogues: depth 128, 16 MiB, 2 000 000 nodes. */
extern const struct json_limits json_limits_document;

struct json_error {
    uint32_t line;
    uint32_t column;    /* in bytes, 1-based */
    const char *reason; /* static English text */
    const char *reason_zh;
};

/* Parses the whole text. The tree borrows from `text` (which must live as long as the arena) and from the arena. NULL and
 * *error filled on a fault. Does not wait. */
const struct json *json_parse(struct arena *arena, struct str text, const struct json_limits *limits,
                              struct json_error *error) MUST_CHECK;
/* The same tree from one YAML 1.1 document (libyaml) under the JSON schema of YAML 1.2 §10.2 plus plain strings: no tags,
 * no duplicate names; anchors and aliases are resolved within limits->nodes. Bounded as above. */
const struct json *yaml_parse(struct arena *arena, struct str text, const struct json_limits *limits,
                              struct json_error *error) MUST_CHECK;

/* The member's value, or NULL; also NULL when object is NULL or no object. */
const struct json *json_get(const struct json *object, const char *name);
const struct json *json_get_str(const struct json *object, struct str name);
/* The value at a JSON Pointer (RFC 6901, "" is the whole), or NULL. */
const struct json *json_at(const struct json *root, struct str pointer);
/* Equality of JSON Schema 2020-12 (core §4.2.2): 1 equals 1.0, members in any order. */
bool json_equal(const struct json *a, const struct json *b);
/* The member's string, integer, boolean, or the fallback when it is absent or of another type. 5.0 is an integer too. */
struct str json_get_string(const struct json *object, const char *name, struct str fallback);
int64_t json_get_integer(const struct json *object, const char *name, int64_t fallback);
bool json_get_boolean(const struct json *object, const char *name, bool fallback);
double json_as_double(const struct json *value); /* JSON_INTEGER or JSON_NUMBER; 0 otherwise */

/* Made by code, in an arena; for documents that are rewritten (bundled contracts). */
struct json *json_make_object(struct arena *arena);
struct json *json_make_array(struct arena *arena);
struct json *json_make_string(struct arena *arena, struct str s);
struct json *json_make_integer(struct arena *arena, int64_t value);
struct json *json_make_boolean(struct arena *arena, bool value);
/* Adds or replaces; the value is copied (shallowly) into the object. `object` must come from json_make_* or json_clone. */
void json_set(struct arena *arena, struct json *object, struct str name, const struct json *value);
void json_append(struct arena *arena, struct json *array, const struct json *value);
struct json *json_clone(struct arena *arena, const struct json *value);

/* The writer. Commas and quotes are its business; what must match (begin and end, keys only in objects) is asserted.
 *
 *     struct json_out out = json_write(&text);
 *     json_object(&out); json_key(&out, "name"); json_put(&out, name); json_end(&out);
 */
struct json_out {
    struct text *text;
    unsigned depth;
    uint64_t is_object[2]; /* one bit a level */
    bool need_comma;
    bool after_key;
};

struct json_out json_write(struct text *text);
void json_object(struct json_out *out);
void json_array(struct json_out *out);
void json_end(struct json_out *out);     /* closes the innermost container */
void json_end_all(struct json_out *out); /* closes what is open */
void json_key_str(struct json_out *out, struct str name);
void json_put(struct json_out *out, struct str string); /* one without bytes (at == NULL) is an empty string */
void json_put_i64(struct json_out *out, int64_t value);
void json_put_double(struct json_out *out, double value); /* shortest form that reads back the same; not finite writes null */
void json_put_bool(struct json_out *out, bool value);
void json_put_null(struct json_out *out);
void json_put_raw(struct json_out *out, struct str json);            /* bytes that are JSON already */
void json_put_value(struct json_out *out, const struct json *value); /* by its source bytes where it has them */
/* Names are literals, whose length the compiler counts: hence inline. */
static inline void json_key(struct json_out *out, const char *name)
{
    json_key_str(out, str_of(name));
}
static inline void json_put_c(struct json_out *out, const char *string) /* NULL writes null */
{
    if (string)
        json_put(out, str_of(string));
    else
        json_put_null(out);
}
/* key and value in one line */
static inline void json_field(struct json_out *out, const char *name, struct str string)
{
    json_key(out, name);
    json_put(out, string);
}
static inline void json_field_c(struct json_out *out, const char *name, const char *string)
{
    json_key(out, name);
    json_put_c(out, string);
}
static inline void json_field_i64(struct json_out *out, const char *name, int64_t value)
{
    json_key(out, name);
    json_put_i64(out, value);
}
static inline void json_field_bool(struct json_out *out, const char *name, bool value)
{
    json_key(out, name);
    json_put_bool(out, value);
}
static inline void json_field_raw(struct json_out *out, const char *name, struct str json)
{
    json_key(out, name);
    json_put_raw(out, json);
}
/* The whole tree as text. */
struct str json_text(struct arena *arena, const struct json *value);

#endif
