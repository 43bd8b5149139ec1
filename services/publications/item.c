/* Fields of departments' items. Departments write numbers as strings and the reverse; both are understood. */
#include "item.h"

#include <shimin/clock.h>

enum { REFRESH_DEFAULT = 3600 };

const struct json *operation_of(const struct service *service)
{
    return json_get(service->definition, "operation");
}

int64_t refresh_seconds(const struct service *service)
{
    return json_get_integer(operation_of(service), "refresh", REFRESH_DEFAULT);
}

struct str item_text(struct arena *arena, const struct item *item, const char *name)
{
    struct str pointer = json_get_string(item->fields, name, STR_NONE);
    const struct json *value = pointer.at ? json_at(item->value, pointer) : NULL;
    struct str text = STR_NONE;
    if (value && value->type == JSON_STRING)
        text = str_trim(value->string);
    else if (value && (value->type == JSON_INTEGER || value->type == JSON_NUMBER || value->type == JSON_BOOLEAN))
        text = json_text(arena, value);
    return text.len ? text : STR_NONE;
}

bool item_number(struct arena *arena, const struct item *item, const char *name, double *number)
{
    return str_to_double(item_text(arena, item, name), number);
}

int64_t item_time(struct arena *arena, const struct item *item, const char *name)
{
    int64_t wall;
    return time_parse_rfc3339(item_text(arena, item, name), &wall) ? wall : 0;
}

struct str text_cut(struct str text, size_t most)
{
    if (text.len <= most)
        return text;
    while (most && ((unsigned char)text.at[most] & 0xc0) == 0x80)
        most--;
    return str_slice(text, 0, most);
}

bool item_has_nul(struct arena *arena, const struct item *item)
{
    return str_find(json_text(arena, item->value), STR("\\u0000")) >= 0;
}
