/* Finding by its look what names a person: an identity number by its check digit, a phone number by its form. */
#include "look.h"

#include <shimin/arena.h>
#include <shimin/id.h>

enum { ID_LENGTH = 18, PHONE_LENGTH = 11, DEPTH_MOST = 32 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The length of the run of digits at `at`, with the X that may end an identity number. */
static size_t run_length(struct str text, size_t at)
{
    size_t end = at;
    while (end < text.len && is_digit(text.at[end]))
        end++;
    if (end - at == ID_LENGTH - 1 && end < text.len && (text.at[end] == 'X' || text.at[end] == 'x'))
        end++;
    return end - at;
}

static const char *look(struct str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t length = is_digit(text.at[i]) ? run_length(text, i) : 0;
        struct str run = str_slice(text, i, i + length);
        bool after_86 = length == PHONE_LENGTH + 2 && str_starts(run, STR("86"));
        struct str phone = after_86 ? str_slice(run, 2, run.len) : run;
        if (length == ID_LENGTH && cn_id_is_valid(run))
            return "identity number";
        if (phone.len == PHONE_LENGTH && phone.at[0] == '1' && phone.at[1] >= '3')
            return "phone number";
        i += length ? length : 1;
    }
    return NULL;
}

static const char *find(const struct json *value, struct text *pointer, unsigned depth)
{
    const char *what = NULL;
    if (!value || depth > DEPTH_MOST)
        return NULL;
    if (value->type == JSON_STRING)
        return look(value->string);
    if (value->type == JSON_INTEGER || value->type == JSON_NUMBER)
        return look(value->source);
    size_t before = pointer->len;
    for (uint32_t i = 0; (value->type == JSON_ARRAY || value->type == JSON_OBJECT) && i < value->count && !what; i++) {
        pointer->len = before;
        if (value->type == JSON_ARRAY)
            text_printf(pointer, "/%u", i);
        else
            text_printf(pointer, "/%.*s", STR_ARG(value->members[i].name));
        what = find(value->type == JSON_ARRAY ? &value->items[i] : &value->members[i].value, pointer, depth + 1);
    }
    return what;
}

const char *look_for_person(struct arena *arena, const struct json *value, struct str *pointer)
{
    struct text text = text_open(arena, 64);
    const char *what = find(value, &text, 0);
    *pointer = text_str(&text);
    return what;
}
