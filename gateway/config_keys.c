/* The table of configuration keys: what they are, what they may be, and what holds without them. */
#include "config_keys.h"

enum { PORT_MOST = 65535 };
#define SECOND INT64_C(1000000)

const struct config_key config_keys[] = {
    {"log.level", CONFIG_STRING, "info", .choices = "debug,info,warning,error", .help = "Lines below this level are left out."},
    {"workers", CONFIG_INTEGER, "0", .min = 0, .max = 256, .help = "Threads that serve; 0: one a processor."},
    {"offload.threads", CONFIG_INTEGER, "2", .min = 1, .max = 64, .help = "Threads for work that burns the processor or blocks."},

    {"listen.tls.address", CONFIG_STRING, "0.0.0.0", .help = "Where citizens' apps connect (TLS, HTTP/1.1 and HTTP/2)."},
    {"listen.tls.port", CONFIG_INTEGER, "8443", .min = 1, .max = PORT_MOST, .help = "Its port."},
    {"listen.plain.address", CONFIG_STRING, "127.0.0.1", .help = "Plain HTTP, for a balancer on this machine."},
    {"listen.plain.port", CONFIG_INTEGER, "8080", .min = 0, .max = PORT_MOST, .help = "Its port; 0: not listened on."},
    {"listen.operations.address", CONFIG_STRING, "127.0.0.1", .help = "/livez, /readyz and /metrics."},
    {"listen.operations.port", CONFIG_INTEGER, "9464", .min = 1, .max = PORT_MOST, .help = "Its port."},
    {"tls.certificate", CONFIG_PATH, NULL, .required = true, .help = "The gateway's certificate chain, PEM."},
    {"tls.private_key", CONFIG_PATH, NULL, .required = true, .help = "Its private key, PEM."},

    {"http.problem_base", CONFIG_STRING, "https://localhost:8443/problems/", .help = "What `type` of a problem begins with."},
    {"http.origins", CONFIG_LIST, "", .help = "Origins of web apps that may call (CORS), exact."},
    {"http.deadline", CONFIG_DURATION, "10s", .min = SECOND / 10, .max = 300 * SECOND, .help = "How long one request may take."},
    {"http.header_bytes", CONFIG_SIZE, "16KiB", .min = 1024, .max = 65536, .help = "All header fields of a request."},
    {"http.header_time", CONFIG_DURATION, "10s", .min = SECOND, .max = 60 * SECOND, .help = "For the head of a request to arrive."},
    {"http.body_bytes", CONFIG_SIZE, "1MiB", .min = 1024, .max = 64 << 20, .help = "The body of a request."},
    {"http.body_time", CONFIG_DURATION, "30s", .min = SECOND, .max = 300 * SECOND, .help = "For the body of a request to arrive."},
    {"http.idle_time", CONFIG_DURATION, "60s", .min = SECOND, .max = 600 * SECOND, .help = "A connection may idle between requests."},
    {"http.connections", CONFIG_INTEGER, "50000", .min = 16, .max = 1000000, .help = "Connections in all."},
    {"http.connections_per_address", CONFIG_INTEGER, "512", .min = 1, .max = 1000000, .help = "Connections of one address."},
    {"http.concurrent_streams", CONFIG_INTEGER, "100", .min = 1, .max = 100, .help = "Streams at a time on an HTTP/2 connection."},
    {"http.gzip_level", CONFIG_INTEGER, "1", .min = 0, .max = 9, .help = "Compression of replies; 0: none."},

    {"postgres.application", CONFIG_STRING, NULL, .required = true, .help = "Connection string of the gateway's own login."},
    {"postgres.owner", CONFIG_STRING, NULL, .help = "Connection string of the owner: migrate, catalogue load, switch."},
    {"postgres.connections", CONFIG_INTEGER, "2", .min = 1, .max = 32, .help = "Shared connections a worker."},
    {"postgres.leases", CONFIG_INTEGER, "2", .min = 1, .max = 32, .help = "Connections a worker for transactions."},
    {"redis.url", CONFIG_STRING, "redis://127.0.0.1:6379/0", .help = "redis://[:password@]host:port/db, or unix:///path?db=0."},

    {"keys.file", CONFIG_PATH, NULL, .required = true, .help = "The keys that encrypt personal fields (mode 0600)."},
    {"secrets.file", CONFIG_PATH, NULL, .help = "Credentials towards departments (mode 0600)."},
    {"login.code_by", CONFIG_STRING, "sandbox", .choices = "sandbox", .help = "Who sends one-time codes by SMS."},
    {"login.session_idle", CONFIG_DURATION, "30d", .min = 60 * SECOND, .max = INT64_C(366) * 86400 * SECOND, .help = "An L1 session ends when unused for so long."},
    {"login.verified_idle", CONFIG_DURATION, "30m", .min = 60 * SECOND, .max = INT64_C(366) * 86400 * SECOND, .help = "A session of L2 and up ends when unused for so long."},
    {"login.session_absolute", CONFIG_DURATION, "90d", .min = 60 * SECOND, .max = INT64_C(366) * 86400 * SECOND, .help = "An L1 session ends after so long."},
    {"login.verified_absolute", CONFIG_DURATION, "12h", .min = 60 * SECOND, .max = INT64_C(366) * 86400 * SECOND, .help = "A session of L2 and up ends after so long."},
    {"login.identity_department", CONFIG_STRING, "public-security", .help = "The department that verifies real names."},
    {"login.identity_operation", CONFIG_STRING, "verifyIdentity", .help = "Its operation."},
    {"limits", CONFIG_MAP, NULL, .help = "Limit policies: {name: {by: citizen|address|service, requests: 600, window: 60}}."},

    {"catalogue.directory", CONFIG_PATH, NULL, .help = "The catalogue's YAML files (catalogue check, catalogue load)."},
    {"catalogue.contracts", CONFIG_PATH, NULL, .help = "The departments' contracts."},
    {"catalogue.areas", CONFIG_PATH, NULL, .help = "The division tree, CSV."},
    {"catalogue.snapshot", CONFIG_PATH, NULL, .required = true, .help = "Directory for the last good snapshot."},
    {"migrations.directory", CONFIG_PATH, NULL, .help = "Numbered SQL files (migrate)."},

    {"departments", CONFIG_MAP, NULL, .help = "Addresses that differ from the catalogue: {slug: {address: \"https://…\"}}."},
    {"federation.cache", CONFIG_BOOLEAN, "true", .help = "Keep departments' answers in Redis as the catalogue allows."},
    {"federation.deadline", CONFIG_DURATION, "3s", .min = SECOND / 10, .max = 60 * SECOND, .help = "A department's time to answer, unless the catalogue says another."},
    {"federation.spool", CONFIG_PATH, NULL, .required = true, .help = "Directory for footprints and audit records while Postgres is away."},
    {"federation.ca", CONFIG_PATH, NULL, .help = "Certificates that departments' TLS is checked against, PEM; the system's otherwise."},

    {"sandbox.address", CONFIG_STRING, "127.0.0.1", .help = "Where the sandbox listens, and where departments with address `sandbox` are called."},
    {"sandbox.control_port", CONFIG_INTEGER, "9100", .min = 1, .max = PORT_MOST, .help = "Its control API, and its SMS provider."},
    {"sandbox.first_port", CONFIG_INTEGER, "9101", .min = 1, .max = PORT_MOST - 64, .help = "Department number n is played on first_port + n - 1."},
    {"sandbox.certificate", CONFIG_PATH, NULL, .help = "Certificate of the departments that are played over TLS."},
    {"sandbox.private_key", CONFIG_PATH, NULL, .help = "Its private key."},
    {"sandbox.ca", CONFIG_PATH, NULL, .help = "Certificates that the gateway's client certificate is checked against (mutual TLS)."},
};
const size_t config_key_count = COUNT_OF(config_keys);
