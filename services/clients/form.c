/* Bodies of the type application/x-www-form-urlencoded. */
#include "handlers.h"

enum { FIELDS_MOST = 16 };

struct form {
    struct {
        struct str name, value;
    } fields[FIELDS_MOST];
    size_t count;
};

static bool has(const struct form *form, struct str name)
{
    for (size_t i = 0; i < form->count; i++)
        if (str_equal(form->fields[i].name, name))
            return true;
    return false;
}

const struct form *form_read(struct arena *arena, struct str body)
{
    struct form *form = arena_new(arena, struct form);
    struct str rest = body;
    while (rest.at && rest.len) {
        struct str value = str_cut(&rest, '&'), name = str_cut(&value, '=');
        if (!name.len)
            continue;
        struct str decoded_name, decoded_value = STR("");
        if (form->count == FIELDS_MOST || !str_percent_decode(arena, name, true, &decoded_name) ||
            (value.len && !str_percent_decode(arena, value, true, &decoded_value)) || has(form, decoded_name))
            return NULL;
        form->fields[form->count].name = decoded_name;
        form->fields[form->count++].value = decoded_value;
    }
    return form;
}

struct str form_get(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (str_is(form->fields[i].name, name) && form->fields[i].value.len)
            return form->fields[i].value;
    return STR_NONE;
}
