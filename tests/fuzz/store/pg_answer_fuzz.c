/* Whatever a Postgres sends, in pieces: messages are taken off the stream whole, belong to the statement that waits first, and
 * become rows whose cells lie in them. The first byte says how many statements wait, the second how large the pieces are. */
#include "store/pg_connection.h"
#include "store/pg_result.h"

#include <shimin/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const struct pg_statement statement = {.name = "fuzz.statement", .sql = "select 1"};

static void on_notice(struct pg_connection *connection, struct str channel, struct str payload)
{
    const struct wire_buffer *in = &connection->in;
    const char *first = in->at + in->start, *last = in->at + in->end;
    if (channel.at < first || channel.at + channel.len > last || payload.at < first || payload.at + payload.len > last)
        abort();
}

static const struct pg_connection_events events = {.notice = on_notice};

/* Every reader of every cell: none may look beyond it. */
static void read_cells(struct arena *arena, const struct pg_result *result)
{
    for (size_t row = 0; row < pg_rows(result) && row < 64; row++)
        for (size_t column = 0; column < result->columns && column < 64; column++) {
            struct str text = pg_str(result, row, column), bytes = pg_bin(arena, result, row, column);
            if (pg_is_null(result, row, column) != !text.at || bytes.len > text.len / 2)
                abort();
            (void)pg_int(result, row, column);
            (void)pg_bool(result, row, column);
            (void)pg_number(result, row, column);
            (void)pg_wall(result, row, column);
        }
}

static void take_stream(struct str stream, unsigned statements, size_t piece)
{
    struct pg_connection connection = {.state = PG_UP, .events = &events, .descriptor = -1};
    connection.last = &connection.first;
    for (unsigned i = 0; i < statements; i++) {
        struct pg_slot *slot = pg_slot_take(NULL, &statement, NULL, 0, true);
        slot->parses = i % 2;
        *connection.last = slot;
        connection.last = &slot->next;
        connection.waiting++;
    }
    bool good = true;
    while (stream.len && good) {
        size_t n = piece < stream.len ? piece : stream.len;
        wire_put(&connection.in, stream.at, n);
        stream = str_slice(stream, n, stream.len);
        good = pg_answers_take(&connection);
        if (connection.in.start + connection.answer.scanned > connection.in.end)
            abort();
    }
    unsigned left = 0;
    for (struct pg_slot *slot = connection.first; slot; left++) {
        struct pg_slot *next = slot->next;
        pg_slot_free(slot);
        slot = next;
    }
    if (left != connection.waiting)
        abort();
    wire_free(&connection.in);
    free(connection.prepared);
}

static size_t count_rows(struct str stream)
{
    struct wire_buffer in = {.at = (char *)stream.at, .end = stream.len};
    struct wire_message message;
    size_t rows = 0;
    for (size_t at = 0; wire_next(&in, at, &message) == WIRE_MESSAGE; at += message.size)
        rows += message.type == 'D';
    return rows;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size < 2)
        return 0;
    log_set_level(LOG_ERROR + 1);
    struct str stream = {(const char *)data + 2, size - 2};
    take_stream(stream, data[0] % 8, data[1] + 1);

    struct arena *arena = arena_open();
    const struct pg_result *result = pg_result_make(arena, stream, count_rows(stream), STR("SELECT 1"));
    if (pg_affected(result) != 1 || pg_rows(result) != count_rows(stream) || arena_size(arena) > (64 << 20))
        abort();
    read_cells(arena, result);
    (void)wire_error_field(stream, 'C');
    arena_close(arena);
    return 0;
}
