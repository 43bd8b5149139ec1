/* The security of an operation: the first alternative of its own list, or of the document's. */
#include "contract/load.h"

static const struct {
    const char *type;
    enum security_kind kind;
} kinds[] = {
    {"apiKey", SECURITY_API_KEY},       {"http", SECURITY_HTTP},
    {"oauth2", SECURITY_OAUTH2},        {"openIdConnect", SECURITY_OPENID},
    {"mutualTLS", SECURITY_MUTUAL_TLS},
};

void load_security(struct loader *loader, struct operation *operation)
{
    const struct json *document = loader->contract->document;
    const struct json *list = load_member(loader, operation->source, "security", JSON_ARRAY);
    if (!list && !json_get(operation->source, "security"))
        list = json_get(document, "security");
    if (!list || list->type != JSON_ARRAY || list->count == 0)
        return;
    const struct json *first = &list->items[0];
    if (first->type != JSON_OBJECT) {
        load_fault(loader, first, "a security requirement must be an object");
        return;
    }
    if (first->count == 0) /* {}: may be called without */
        return;
    struct str name = first->members[0].name;
    const struct json *schemes = json_get(json_get(document, "components"), "securitySchemes");
    const struct json *scheme = json_get_str(schemes, name);
    if (!scheme) {
        load_fault(loader, first, "the security scheme %.*s is not in components.securitySchemes", STR_ARG(name));
        return;
    }
    scheme = load_resolve(loader, scheme);
    if (!scheme)
        return;
    struct str type = json_get_string(scheme, "type", STR(""));
    operation->security = (struct security){
        .name = name,
        .scheme = json_get_string(scheme, "scheme", STR_NONE),
        .token_url = json_get_string(json_get(json_get(scheme, "flows"), "clientCredentials"), "tokenUrl", STR_NONE),
        .source = scheme,
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_is(type, kinds[i].type))
            operation->security.kind = kinds[i].kind;
    if (operation->security.kind == SECURITY_NONE)
        load_fault(loader, scheme, "a security scheme is apiKey, http, oauth2, openIdConnect or mutualTLS");
    else if (operation->security.kind == SECURITY_HTTP && !operation->security.scheme.at)
        load_fault(loader, scheme, "the http security scheme does not name its scheme");
}
