/* Login at the city's identity provider: the way there, and the way back. */
#include "handlers.h"

#define BINDING "__Host-shimin-oidc"
#define BINDING_PLACE "Path=/; Secure; HttpOnly; SameSite=Lax"

/* The provider sends the browser back from another site, which is why this one is Lax and short-lived. */
static struct str binding_of(const struct request *request)
{
    struct str rest = request_header(request, "cookie");
    while (rest.at) {
        struct str pairs = str_cut(&rest, ';');
        while (pairs.at) {
            struct str value = str_trim(str_cut(&pairs, ','));
            if (str_is(str_cut(&value, '='), BINDING) && value.at)
                return value;
        }
    }
    return STR("");
}

void read_oidc(struct request *request)
{
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field_bool(out, "offered", staff_oidc_offered());
}

void begin_oidc(struct request *request)
{
    struct str url, binding;
    enum staff_outcome outcome = staff_oidc_begin(request_arena(request), &url, &binding);
    if (outcome != STAFF_DONE) {
        staff_reply_outcome(request, outcome);
        return;
    }
    struct json_out *out = reply_json(request, 201);
    json_object(out);
    json_field(out, "url", url);
    reply_header(request, "set-cookie",
                 str_printf(request_arena(request), BINDING "=%.*s; Max-Age=600; " BINDING_PLACE, STR_ARG(binding)));
}

void finish_oidc(struct request *request)
{
    const struct json *body = request_body(request);
    const struct staff_oidc_answer answer = {
        .state = json_get_string(body, "state", STR("")),
        .code = json_get_string(body, "code", STR("")),
        .issuer = json_get_string(body, "iss", STR_NONE),
        .binding = binding_of(request),
    };
    const struct staff_login login = {
        .device = request_header(request, "user-agent"),
        .address = request_client_address(request),
    };
    struct staff_session_new made;
    struct str name = STR("");
    enum staff_outcome outcome = staff_oidc_finish(request_arena(request), &answer, &login, &made, &name);
    if (outcome == STAFF_REJECTED) {
        reply_fault(request, PROBLEM_CREDENTIALS_REJECTED,
                    BILINGUAL("身份提供方的答复不可用，或没有对应的账号",
                              "The identity provider's answer does not hold, or there is no account for it"));
        return;
    }
    if (outcome != STAFF_DONE) {
        staff_reply_outcome(request, outcome);
        return;
    }
    request_audit(request, str_printf(request_arena(request), "staff:%.*s", STR_ARG(name)), STR("oidc"));
    staff_reply_session(request, 201, &made, json_get_boolean(body, "cookie", false));
}
