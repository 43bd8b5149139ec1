/* Masks: what of a personal value may be shown. A value too short for its rule is hidden whole. */
#include <shimin/id.h>

#include <string.h>

struct mask {
    struct str name;
    size_t head, tail; /* characters left readable */
    struct str middle; /* what stands for the hidden; one star a character when empty */
};

static const struct mask masks[] = {
    [MASK_ID_NUMBER] = {{"id_number", 9}, 6, 4, {NULL, 0}},
    [MASK_PHONE_NUMBER] = {{"phone_number", 12}, 3, 4, {NULL, 0}},
    [MASK_NAME] = {{"name", 4}, 1, 0, {"*", 1}}, /* not a star a character: the length tells much of a rare name */
    [MASK_BANK_CARD] = {{"bank_card", 9}, 0, 4, {"**** ", 5}},
    [MASK_PLATE] = {{"plate", 5}, 2, 2, {NULL, 0}},
};

bool mask_rule_named(struct str name, enum mask_rule *rule)
{
    for (size_t i = MASK_ID_NUMBER; i < COUNT_OF(masks); i++) {
        if (str_equal(name, masks[i].name)) {
            *rule = (enum mask_rule)i;
            return true;
        }
    }
    return false;
}

/* The byte where the character with this index begins. */
static size_t offset_of(struct str s, size_t character)
{
    size_t at = 0;
    for (; at < s.len; at++)
        if (((unsigned char)s.at[at] & 0xC0) != 0x80 && character-- == 0)
            break;
    return at;
}

static void add_stars(struct text *text, size_t n)
{
    for (; n > 0; n--)
        text_add_char(text, '*');
}

struct str mask_apply(struct arena *arena, enum mask_rule rule, struct str value)
{
    if (rule == MASK_NONE || value.len == 0)
        return value;
    const struct mask *mask = &masks[rule];
    struct text text = text_open(arena, value.len);
    if (rule == MASK_PHONE_NUMBER && str_starts(value, STR("+86"))) { /* a prefix that everybody has hides nobody */
        text_add_c(&text, "+86");
        value = str_slice(value, 3, value.len);
    }
    size_t characters = str_code_points(value);
    if (characters <= mask->head + mask->tail) {
        add_stars(&text, characters);
        return text_str(&text);
    }
    text_add(&text, str_slice(value, 0, offset_of(value, mask->head)));
    if (mask->middle.len > 0)
        text_add(&text, mask->middle);
    else
        add_stars(&text, characters - mask->head - mask->tail);
    text_add(&text, str_slice(value, offset_of(value, characters - mask->tail), value.len));
    return text_str(&text);
}
