/* Connecting: libpq's own handshake (addresses, TLS, SCRAM, service files) in a fiber, then its descriptor is ours. */
#include "store/pg_connection.h"

#include <openssl/ssl.h>
#include <shimin/fiber.h>
#include <shimin/log.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARAMETERS_MAX = 16 };

struct pg_parameters {
    char *connection_string;
    char *options;
    const char *keywords[PARAMETERS_MAX];
    const char *values[PARAMETERS_MAX];
    unsigned count;
    unsigned holders; /* of one worker; offload threads only read */
};

static void set(struct pg_parameters *parameters, const char *keyword, const char *value)
{
    parameters->keywords[parameters->count] = keyword;
    parameters->values[parameters->count++] = value;
}

/* Times and bytea must come in one form whatever the server's configuration says; times in JSON that Postgres builds carry
 * China Standard Time, as those that we build do. Plans are not worth compiling for statements of milliseconds. */
static char *session_options(const PQconninfoOption *given, unsigned statement_timeout_ms)
{
    const char *own = "";
    for (; given->keyword; given++)
        if (!strcmp(given->keyword, "options") && given->val)
            own = given->val;
    char *options = NULL;
    if (asprintf(&options,
                 "-c datestyle=ISO -c timezone=Asia/Shanghai -c bytea_output=hex -c search_path=shimin,public -c jit=off "
                 "-c statement_timeout=%u -c idle_in_transaction_session_timeout=60000 %s",
                 statement_timeout_ms, own) < 0)
        fatal("out of memory");
    return options;
}

struct pg_parameters *pg_parameters_new(const char *connection_string, unsigned statement_timeout_ms)
{
    char *reason = NULL;
    PQconninfoOption *given = PQconninfoParse(connection_string, &reason);
    if (!given) {
        log_error("postgres: the connection string is malformed: %s", reason ? reason : "out of memory");
        PQfreemem(reason);
        return NULL;
    }
    struct pg_parameters *parameters = memory_alloc(sizeof *parameters);
    parameters->connection_string = strdup(connection_string);
    parameters->holders = 1;
    parameters->options = session_options(given, statement_timeout_ms);
    PQconninfoFree(given);
    /* defaults, which the string may override … */
    set(parameters, "fallback_application_name", "shimin");
    set(parameters, "keepalives_idle", "5");
    set(parameters, "keepalives_interval", "2");
    set(parameters, "keepalives_count", "3");
    set(parameters, "tcp_user_timeout", "10000");
    set(parameters, "dbname", parameters->connection_string);
    /* … and what it may not; GSS encryption would leave us no descriptor to write on */
    set(parameters, "client_encoding", "UTF8");
    set(parameters, "gssencmode", "disable");
    set(parameters, "options", parameters->options);
    return parameters;
}

struct pg_parameters *pg_parameters_hold(struct pg_parameters *parameters)
{
    parameters->holders++;
    return parameters;
}

void pg_parameters_release(struct pg_parameters *parameters)
{
    if (!parameters || --parameters->holders)
        return;
    free(parameters->connection_string);
    free(parameters->options);
    free(parameters);
}

static void start_link(void *argument)
{
    struct pg_connection *connection = argument;
    connection->link = PQconnectStartParams(connection->parameters->keywords, connection->parameters->values, 1);
}

static void be_silent(void *argument, const char *message)
{
    (void)argument;
    (void)message;
}

static void on_ready(h2o_socket_t *socket, const char *error)
{
    (void)error; /* libpq will find out */
    fiber_wake(socket->data);
}

static h2o_socket_t *wrap(int descriptor)
{
    int copy = dup(descriptor);
    return copy < 0 ? NULL : h2o_evloop_socket_create(worker_loop(worker_self()), copy, H2O_SOCKET_FLAG_DONT_READ);
}

/* Wrapped anew each time: while libpq goes through a host's addresses the same number stands for other sockets. */
static bool wait_ready(int descriptor, bool to_write)
{
    h2o_socket_t *socket = wrap(descriptor);
    if (!socket)
        return false;
    socket->data = fiber_self();
    if (to_write)
        h2o_socket_notify_write(socket, on_ready);
    else
        h2o_socket_read_start(socket, on_ready);
    bool ready = fiber_wait(DEADLINE_NEVER) == WAIT_DONE;
    h2o_socket_close(socket);
    return ready;
}

static bool handshake(PGconn *link)
{
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want == PGRES_POLLING_READING || want == PGRES_POLLING_WRITING) {
        if (!wait_ready(PQsocket(link), want == PGRES_POLLING_WRITING))
            return false;
        want = PQconnectPoll(link);
    }
    return want == PGRES_POLLING_OK;
}

static void log_failure(const struct pg_connection *connection)
{
    /* once for a series of failures: a server that is away is reported by its loss and by the metrics */
    if (connection->backoff.failures)
        return;
    struct str reason = str_of(connection->link ? PQerrorMessage(connection->link) : "no memory, or the offload queue is full");
    log_warning("postgres: cannot connect: %.*s", STR_ARG(str_trim(reason)));
}

bool pg_connect(struct pg_connection *connection)
{
    connection->link = NULL;
    /* PQconnectStart resolves names, which blocks */
    bool started = offload(start_link, connection) && connection->link && PQstatus(connection->link) != CONNECTION_BAD;
    if (started)
        PQsetNoticeProcessor(connection->link, be_silent, NULL);
    if (started && handshake(connection->link) && (connection->socket = wrap(PQsocket(connection->link)))) {
        connection->descriptor = PQsocket(connection->link);
        connection->tls = PQsslStruct(connection->link, "OpenSSL");
        if (connection->tls)
            SSL_set_mode(connection->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        return true;
    }
    if (!connection->closing)
        log_failure(connection);
    PQfinish(connection->link);
    connection->link = NULL;
    return false;
}
