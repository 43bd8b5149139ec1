/* Structured field values for HTTP: parsing and serialising (RFC 9651, which obsoletes RFC 8941).
 *
 * A field that came in several lines is to be joined with ", " first (RFC 9110 §5.3). Parsed values live in the arena and
 * borrow from the input. Nothing here waits. Parsing is bounded: lists and dictionaries to 1024 members, inner lists and
 * parameters to 256, the least that RFC 9651 §3 lets an implementation support; what exceeds them is a fault. */
#ifndef CRYPTO_STRUCTURED_FIELDS_H
#define CRYPTO_STRUCTURED_FIELDS_H

#include <shimin/str.h>

#define SF_MEMBERS_MAX 1024
#define SF_ITEMS_MAX 256
#define SF_PARAMETERS_MAX 256
#define SF_INTEGER_MAX 999999999999999 /* 15 digits, RFC 9651 §3.3.1 */

enum sf_type {
    SF_INTEGER,
    SF_DECIMAL,
    SF_STRING,
    SF_TOKEN,
    SF_BYTES,
    SF_BOOLEAN,
    SF_DATE,
    SF_DISPLAY_STRING,
};

struct sf_value {
    enum sf_type type;
    union {
        int64_t integer; /* SF_INTEGER; SF_DATE: seconds since 1970; SF_DECIMAL: thousandths, which is exact */
        bool boolean;
        struct str text; /* SF_STRING, SF_TOKEN, SF_BYTES (decoded), SF_DISPLAY_STRING (UTF-8) */
    };
};

struct sf_parameter {
    struct str key;
    struct sf_value value;
};

struct sf_item {
    struct sf_value value;
    struct sf_parameter *parameters;
    size_t parameter_count;
};

/* A member of a list or of a dictionary: an item, or an inner list with parameters of its own. */
struct sf_member {
    struct str key; /* dictionaries only */
    bool is_inner_list;
    struct sf_item item; /* an inner list uses its parameters only */
    struct sf_item *items;
    size_t item_count;
};

struct sf_members {
    struct sf_member *members; /* in order of the text; of a repeated key the last value, at the first one's place */
    size_t count;
};

/* Parsing (RFC 9651 §4.2): the whole of `text`, or false. An empty list or dictionary is good. */
MUST_CHECK bool sf_parse_item(struct arena *arena, struct str text, struct sf_item *item);
MUST_CHECK bool sf_parse_list(struct arena *arena, struct str text, struct sf_members *list);
MUST_CHECK bool sf_parse_dictionary(struct arena *arena, struct str text, struct sf_members *dictionary);

/* The member of that key, or NULL. */
const struct sf_member *sf_get(const struct sf_members *dictionary, const char *key);
/* The parameter's value, or NULL. */
const struct sf_value *sf_parameter(const struct sf_item *item, const char *key);

/* Serialising (RFC 9651 §4.1): added to `out`. false for a value that no field can carry (a string that is not printable
 * ASCII, an integer of more than 15 digits, a key or token of wrong characters, a display string that is not UTF-8);
 * what was added to `out` until then is of no use. */
MUST_CHECK bool sf_write_value(struct text *out, const struct sf_value *value);
MUST_CHECK bool sf_write_item(struct text *out, const struct sf_item *item);
MUST_CHECK bool sf_write_member(struct text *out, const struct sf_member *member); /* without its key */
MUST_CHECK bool sf_write_list(struct text *out, const struct sf_members *list);
MUST_CHECK bool sf_write_dictionary(struct text *out, const struct sf_members *dictionary);

/* Whether c may stand in a key after its first character, or in a token after its first. */
bool sf_is_key_char(char c);
bool sf_is_token_char(char c);

static inline struct sf_value sf_string(struct str text)
{
    return (struct sf_value){.type = SF_STRING, .text = text};
}
static inline struct sf_value sf_bytes(struct str bytes)
{
    return (struct sf_value){.type = SF_BYTES, .text = bytes};
}
static inline struct sf_value sf_integer(int64_t integer)
{
    return (struct sf_value){.type = SF_INTEGER, .integer = integer};
}

#endif
