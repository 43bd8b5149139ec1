/* Documents of the city's identity provider. */
#include "identity/oidc.h"

#include "http/upstream.h"

#include <shimin/clock.h>
#include <shimin/fiber.h>
#include <shimin/log.h>

enum { FETCH_SECONDS = 5, ANSWER_BYTES = 262144, OK = 200, HTTPS_PORT = 443, HTTP_PORT = 80, PORT_MOST = 65535 };

/* "https://host[:port]/path?query"; http is for a provider on this machine. */
static bool split(struct str url, struct upstream_settings *settings, struct str *target)
{
    bool tls = str_starts(url, STR("https://"));
    if (!tls && !str_starts(url, STR("http://")))
        return false;
    struct str rest = str_slice(url, tls ? 8 : 7, url.len);
    ptrdiff_t slash = str_find(rest, STR("/"));
    struct str authority = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash), host = str_cut(&authority, ':');
    int64_t port = tls ? HTTPS_PORT : HTTP_PORT;
    *target = slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len);
    if (!host.len || str_find(host, STR("@")) >= 0 || (authority.at && !str_to_i64(authority, &port)) || port < 1 ||
        port > PORT_MOST || (!tls && !str_is(host, "127.0.0.1") && !str_is(host, "localhost")))
        return false;
    settings->host = host;
    settings->port = (uint16_t)port;
    settings->tls = tls;
    return true;
}

static enum upstream_status ask(struct arena *arena, const struct upstream_settings *to, struct str target, struct str form,
                                struct str authorization, struct upstream_response *response)
{
    struct field fields[3] = {{STR("accept"), STR("application/json")}};
    size_t count = 1;
    if (form.at)
        fields[count++] = (struct field){STR("content-type"), STR("application/x-www-form-urlencoded")};
    if (authorization.at)
        fields[count++] = (struct field){STR("authorization"), authorization};
    const struct upstream_request request = {
        .method = form.at ? STR("POST") : STR("GET"),
        .target = target,
        .fields = fields,
        .field_count = count,
        .body = form,
        .most = ANSWER_BYTES,
        .deadline = deadline_in(seconds(FETCH_SECONDS)),
    };
    struct upstream *upstream = upstream_open(to);
    enum upstream_status status = upstream ? upstream_call(upstream, &request, arena, response) : UPSTREAM_CONNECT_FAILED;
    upstream_close(upstream);
    return status;
}

const struct json *oidc_fetch(struct arena *arena, const struct oidc_settings *settings, struct str url, struct str form,
                              struct str authorization)
{
    struct upstream_settings to = {.ca_file = settings->ca_file};
    struct upstream_response response = {0};
    struct str target;
    struct json_error error;
    if (!split(url, &to, &target)) {
        log_warning("the identity provider names an address that is not https");
        return NULL;
    }
    enum upstream_status status = ask(arena, &to, target, form, authorization, &response);
    const struct json *document =
        status == UPSTREAM_OK && response.status == OK ? json_parse(arena, response.body, &json_limits_request, &error) : NULL;
    if (!document)
        log_warning("the identity provider did not answer as it should: %s, status %u", upstream_status_name(status),
                    response.status);
    return document;
}
