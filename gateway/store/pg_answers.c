/* Answers: the messages of the server, and the statements that they belong to. */
#include "store/pg_connection.h"
#include "store/pg_result.h"
#include "store/pg_statements.h"

#include <shimin/log.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

uint8_t *pg_prepared(struct pg_connection *connection, const struct pg_statement *statement)
{
    size_t number = statement_entry(statement)->number;
    if (number >= connection->prepared_room) {
        size_t room = (number | 63) + 1;
        connection->prepared = memory_grow(connection->prepared, room);
        memset(connection->prepared + connection->prepared_room, 0, room - connection->prepared_room);
        connection->prepared_room = room;
    }
    return &connection->prepared[number];
}

static bool class_is(const char *sqlstate, const char *class)
{
    return !strncmp(sqlstate, class, strlen(class));
}

/* PostgreSQL manual, appendix A. A prefix of the SQLSTATE; the first that fits counts. */
static const struct {
    const char *prefix;
    enum pg_status status;
} statuses[] = {
    {"23", PG_CONFLICT},     {"40001", PG_CONFLICT},
    {"40P01", PG_CONFLICT},  {"57014", PG_DEADLINE}, /* statement_timeout */
    {"57P", PG_UNAVAILABLE}, {"53300", PG_UNAVAILABLE},
    {"08", PG_UNAVAILABLE},  {"25006", PG_UNAVAILABLE}, /* a standby: the connection is dropped as well */
    {"", PG_REFUSED},
};

static enum pg_status status_of(const char *sqlstate)
{
    size_t i = 0;
    while (!class_is(sqlstate, statuses[i].prefix))
        i++;
    return statuses[i].status;
}

/* The plan on the server is gone (DISCARD, a pooler) or no longer fits its table (a migration): nothing ran, so it is prepared
 * anew, once. */
static bool is_stale_plan(const char *sqlstate)
{
    return !strcmp(sqlstate, "26000") || !strcmp(sqlstate, "0A000");
}

/* Messages of class 42 name what is wrong with the statement; those of other classes may quote values. */
static void on_error(struct pg_connection *connection, struct str body)
{
    struct str sqlstate = wire_error_field(body, 'C');
    if (!connection->first) {
        log_info("postgres: the server says %.*s", STR_ARG(sqlstate));
        return;
    }
    connection->answer.failed = true;
    snprintf(connection->answer.sqlstate, sizeof connection->answer.sqlstate, "%.*s", STR_ARG(sqlstate));
    if (is_stale_plan(connection->answer.sqlstate) && !connection->first->again)
        return;
    enum pg_status status = status_of(connection->answer.sqlstate);
    struct str message = class_is(connection->answer.sqlstate, "42") ? wire_error_field(body, 'M') : STR_NONE;
    if (status == PG_REFUSED || status == PG_DEADLINE)
        log_error("postgres: %s failed with %s%s%.*s", connection->first->statement->name, connection->answer.sqlstate,
                  message.len ? ": " : "", STR_ARG(message));
}

static void end_answer(struct pg_connection *connection)
{
    struct pg_slot *slot = connection->first;
    bool failed = connection->answer.failed;
    char sqlstate[sizeof connection->answer.sqlstate];
    memcpy(sqlstate, connection->answer.sqlstate, sizeof sqlstate);
    if (!failed && slot->fiber && slot->wants_rows)
        slot->result =
            pg_result_make(slot->arena, (struct str){connection->in.at + connection->in.start, connection->answer.scanned},
                           connection->answer.rows, str_of(slot->tag));
    connection->in.start += connection->answer.scanned;
    memset(&connection->answer, 0, sizeof connection->answer);

    connection->first = slot->next;
    if (!connection->first)
        connection->last = &connection->first;
    connection->waiting--;
    if (failed && ((slot->parses && !slot->parsed) || is_stale_plan(sqlstate)))
        *pg_prepared(connection, slot->statement) = 0;
    if (failed && is_stale_plan(sqlstate) && slot->alone && slot->fiber && !slot->again) {
        slot->again = true;
        pg_connection_send(connection, slot);
        return;
    }
    pg_slot_finish(slot, failed ? status_of(sqlstate) : PG_OK);
    if (failed && !strcmp(sqlstate, "25006"))
        shutdown(connection->descriptor, SHUT_RDWR);
}

static void on_notification(struct pg_connection *connection, struct str body)
{
    (void)wire_take_32(&body); /* who notified */
    struct str channel = wire_take_string(&body);
    struct str payload = wire_take_string(&body);
    if (connection->events->notice)
        connection->events->notice(connection, channel, payload);
}

/* false when the server speaks out of turn. */
static bool take_message(struct pg_connection *connection, const struct wire_message *message)
{
    struct pg_slot *slot = connection->first;
    switch (message->type) {
    case 'D':
        connection->answer.rows++;
        return slot;
    case 'C':
        if (slot)
            snprintf(slot->tag, sizeof slot->tag, "%.*s", STR_ARG(message->body));
        return slot;
    case '1': /* ParseComplete */
        if (slot)
            slot->parsed = true;
        return slot;
    case 'E':
        on_error(connection, message->body);
        return true;
    case 'A':
        on_notification(connection, message->body);
        return true;
    case 'Z':
        if (slot)
            end_answer(connection);
        return slot;
    case '2': /* BindComplete */
    case '3': /* CloseComplete */
    case 'I': /* EmptyQueryResponse */
    case 'N': /* NoticeResponse */
    case 'S': /* ParameterStatus */
        return true;
    default: /* COPY, rows in portions: no statement of ours asks for them */
        return false;
    }
}

bool pg_answers_take(struct pg_connection *connection)
{
    unsigned generation = connection->generation;
    struct wire_message message;
    for (;;) {
        enum wire_step step = wire_next(&connection->in, connection->answer.scanned, &message);
        if (step == WIRE_PARTIAL)
            return true;
        if (step == WIRE_BROKEN)
            return false;
        connection->answer.scanned += message.size;
        if (!take_message(connection, &message))
            return false;
        if (connection->generation != generation) /* a notice's receiver has dropped it */
            return true;
        if (!connection->first) { /* between answers nothing is kept */
            connection->in.start += connection->answer.scanned;
            connection->answer.scanned = 0;
        }
    }
}
