/* Results: rows as the server sent them, with an index of their cells. */
#include "store/pg_result.h"

#include "store/pg_wire.h"

#include <assert.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <string.h>

/* The last word of "INSERT 0 3", "UPDATE 3", "SELECT 1". */
static int64_t affected_of(struct str tag)
{
    size_t from = tag.len;
    while (from > 0 && tag.at[from - 1] != ' ')
        from--;
    int64_t count;
    return str_to_i64(str_slice(tag, from, tag.len), &count) ? count : 0;
}

static void index_row(struct pg_result *result, struct str *cells, struct str body)
{
    size_t count = wire_take_16(&body);
    for (size_t i = 0; i < count && i < result->columns; i++) {
        uint32_t size = wire_take_32(&body);
        if (size == UINT32_MAX)
            continue;
        if (size > body.len)
            size = (uint32_t)body.len;
        cells[i] = (struct str){body.at, size};
        body = (struct str){body.at + size, body.len - size};
    }
}

struct pg_result *pg_result_make(struct arena *arena, struct str messages, size_t rows, struct str tag)
{
    struct pg_result *result = arena_new(arena, struct pg_result);
    result->affected = affected_of(tag);
    result->rolled_back = str_is(tag, "ROLLBACK");
    if (!rows)
        return result;
    struct wire_buffer copy = {.at = arena_alloc_raw(arena, messages.len), .end = messages.len};
    memcpy(copy.at, messages.at, messages.len);
    struct wire_message message;
    for (size_t at = 0; wire_next(&copy, at, &message) == WIRE_MESSAGE; at += message.size) {
        if (message.type != 'D')
            continue;
        if (!result->cells) {
            struct str body = message.body;
            size_t columns = wire_take_16(&body), most = body.len / 4; /* a cell is a length at least */
            result->columns = columns < most ? columns : most;
            result->cells = arena_array(arena, struct str, result->columns * rows);
        }
        if (result->rows < rows)
            index_row(result, result->cells + result->rows++ * result->columns, message.body);
    }
    return result;
}

static struct str cell(const struct pg_result *result, size_t row, size_t column)
{
    assert(row < result->rows && column < result->columns);
    return result->cells[row * result->columns + column];
}

size_t pg_rows(const struct pg_result *result)
{
    return result->rows;
}

int64_t pg_affected(const struct pg_result *result)
{
    return result->affected;
}

bool pg_is_null(const struct pg_result *result, size_t row, size_t column)
{
    return !cell(result, row, column).at;
}

struct str pg_str(const struct pg_result *result, size_t row, size_t column)
{
    return cell(result, row, column);
}

/* bytea_output is hex on our connections: "\x…" */
struct str pg_bin(struct arena *arena, const struct pg_result *result, size_t row, size_t column)
{
    struct str hex = cell(result, row, column);
    if (hex.len < 2 || hex.at[0] != '\\' || hex.at[1] != 'x')
        return STR_NONE;
    size_t n = hex.len / 2 - 1;
    char *bytes = arena_alloc_raw(arena, n ? n : 1);
    return hex_decode(str_slice(hex, 2, hex.len), bytes, n) ? (struct str){bytes, n} : STR_NONE;
}

int64_t pg_int(const struct pg_result *result, size_t row, size_t column)
{
    int64_t value;
    return str_to_i64(cell(result, row, column), &value) ? value : 0;
}

bool pg_bool(const struct pg_result *result, size_t row, size_t column)
{
    return str_is(cell(result, row, column), "t");
}

double pg_number(const struct pg_result *result, size_t row, size_t column)
{
    double value;
    return str_to_double(cell(result, row, column), &value) ? value : 0;
}

/* "2026-03-01 09:00:00.5+08" (DateStyle ISO) differs from RFC 3339 by the space and the short offset. */
int64_t pg_wall(const struct pg_result *result, size_t row, size_t column)
{
    struct str text = cell(result, row, column);
    char rfc[48];
    if (text.len < 22 || text.len > sizeof rfc - 4)
        return 0;
    memcpy(rfc, text.at, text.len);
    rfc[10] = 'T';
    size_t len = text.len;
    if (rfc[len - 3] == '+' || rfc[len - 3] == '-') {
        memcpy(rfc + len, ":00", 3);
        len += 3;
    }
    int64_t wall;
    return time_parse_rfc3339((struct str){rfc, len}, &wall) ? wall : 0;
}
