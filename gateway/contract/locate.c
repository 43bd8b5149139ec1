/* JSON Pointers (RFC 6901) made: of a value in its document, and token by token. */
#include "contract/locate.h"

#include <shimin/arena.h>

void pointer_add(struct text *pointer, struct str name)
{
    text_add_char(pointer, '/');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '~')
            text_add(pointer, STR("~0"));
        else if (name.at[i] == '/')
            text_add(pointer, STR("~1"));
        else
            text_add_char(pointer, name.at[i]);
    }
}

void pointer_add_index(struct text *pointer, uint32_t index)
{
    text_add_char(pointer, '/');
    text_add_i64(pointer, index);
}

static bool locate(const struct json *root, const struct json *where, struct text *pointer)
{
    if (root == where)
        return true;
    if (root->type != JSON_ARRAY && root->type != JSON_OBJECT)
        return false;
    size_t before = pointer->len;
    for (uint32_t i = 0; i < root->count; i++) {
        bool is_array = root->type == JSON_ARRAY;
        if (is_array)
            pointer_add_index(pointer, i);
        else
            pointer_add(pointer, root->members[i].name);
        if (locate(is_array ? &root->items[i] : &root->members[i].value, where, pointer))
            return true;
        pointer->len = before;
    }
    return false;
}

struct str json_locate(struct arena *arena, const struct json *root, const struct json *where)
{
    struct text pointer = text_open(arena, 64);
    if (!root || !locate(root, where, &pointer))
        return STR_NONE;
    return pointer.len > 0 ? text_str(&pointer) : STR("");
}
