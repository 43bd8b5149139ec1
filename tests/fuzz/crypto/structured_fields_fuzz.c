/* Any bytes as an item, a list and a dictionary: what parses must serialise, and its serialisation must parse to itself. */
#include "crypto/structured_fields.h"

#include <shimin/arena.h>
#include <shimin/log.h>

static bool write_item(struct arena *arena, struct str text, struct text *out)
{
    struct sf_item item;

    if (!sf_parse_item(arena, text, &item))
        return false;
    if (!sf_write_item(out, &item))
        fatal("an item that was read cannot be written");
    return true;
}

static bool write_list(struct arena *arena, struct str text, struct text *out)
{
    struct sf_members list;

    if (!sf_parse_list(arena, text, &list))
        return false;
    if (!sf_write_list(out, &list))
        fatal("a list that was read cannot be written");
    return true;
}

static bool write_dictionary(struct arena *arena, struct str text, struct text *out)
{
    struct sf_members dictionary;

    if (!sf_parse_dictionary(arena, text, &dictionary))
        return false;
    if (!sf_write_dictionary(out, &dictionary))
        fatal("a dictionary that was read cannot be written");
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool (*const kinds[])(struct arena *, struct str, struct text *) = {write_item, write_list, write_dictionary};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct arena *arena = arena_open();
        struct text once = text_open(arena, 64), twice = text_open(arena, 64);

        if (kinds[i](arena, (struct str){(const char *)data, size}, &once) &&
            (!kinds[i](arena, text_str(&once), &twice) || !str_equal(text_str(&once), text_str(&twice))))
            fatal("a serialisation does not read as itself");
        arena_close(arena);
    }
    return 0;
}
