/* code,name,level,parent_code: plain values without quotes, as the statistics bureau's codes and names are. */
#include "catalogue/areas_csv.h"

#include "catalogue/definitions.h"

#include <shimin/id.h>

enum { COLUMNS = 4 };

static bool read_row(struct arena *arena, struct str line, struct json *row)
{
    struct str rest = line, code = STR("");
    for (int column = 0; column < COLUMNS; column++) {
        if (!rest.at)
            return false;
        struct str cell = str_cut(&rest, ',');
        if (column == 0)
            code = cell;
        json_append(arena, row, json_make_string(arena, cell));
    }
    return !rest.at && cn_area_is_valid(code) && str_is_utf8(line);
}

/* What hangs on nothing in this file is a root of the tree. */
static void cut_foreign_parents(struct arena *arena, struct json *rows)
{
    struct slug_table codes;
    slug_table_open(&codes, arena, rows->count);
    for (uint32_t i = 0; i < rows->count; i++)
        (void)!slug_table_add(&codes, rows->items[i].items[0].string, i);
    for (uint32_t i = 0; i < rows->count; i++)
        if (slug_table_find(&codes, rows->items[i].items[3].string) < 0)
            rows->items[i].items[3] = (struct json){.type = JSON_NULL};
}

const struct json *areas_csv_read(struct arena *arena, const char *path, struct str bytes, struct text *faults)
{
    struct json *rows = json_make_array(arena);
    struct str rest = bytes;
    size_t before = faults->len;
    for (unsigned number = 1; rest.at; number++) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (number == 1 && !str_ends(line, STR("code,name,level,parent_code"))) /* what precedes it is a byte order mark */
            text_printf(faults, "%s:1: the first line must be code,name,level,parent_code\n", path);
        if (!line.len || number == 1)
            continue;
        struct json *row = json_make_array(arena);
        if (read_row(arena, line, row))
            json_append(arena, rows, row);
        else
            text_printf(faults, "%s:%u: needs code,name,level,parent_code in UTF-8 with a code of 2, 4, 6, 9 or 12 digits\n",
                        path, number);
    }
    if (faults->len != before)
        return NULL;
    cut_foreign_parents(arena, rows);
    return rows;
}
