/* The division tree's file, any bytes: what is read are rows of four cells with valid codes, each under a parent that is there
 * or under none; what is refused has a line that says where. */
#include "catalogue/areas_csv.h"

#include <shimin/arena.h>
#include <shimin/id.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool has_code(const struct json *rows, struct str code)
{
    for (uint32_t i = 0; i < rows->count; i++)
        if (str_equal(rows->items[i].items[0].string, code))
            return true;
    return false;
}

static void check(const struct json *rows)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *row = &rows->items[i];
        if (row->count != 4 || !cn_area_is_valid(row->items[0].string))
            abort();
        const struct json *parent = &row->items[3];
        if (parent->type != JSON_NULL && !has_code(rows, parent->string))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena *arena = arena_open();
    struct text faults = text_open(arena, 64);
    const struct json *rows = areas_csv_read(arena, "areas.csv", (struct str){(const char *)data, size}, &faults);
    if (rows ? faults.len != 0 : !str_starts(text_str(&faults), STR("areas.csv:")))
        abort();
    if (rows)
        check(rows);
    arena_close(arena);
    return 0;
}
