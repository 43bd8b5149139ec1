/* Looking things up in a loaded contract. */
#include "contract/load.h"

static const char *const method_names[METHODS] = {
    [METHOD_GET] = "GET",     [METHOD_HEAD] = "HEAD",     [METHOD_POST] = "POST",       [METHOD_PUT] = "PUT",
    [METHOD_PATCH] = "PATCH", [METHOD_DELETE] = "DELETE", [METHOD_OPTIONS] = "OPTIONS",
};

const char *method_name(enum http_method method)
{
    return method_names[method];
}

/* Methods are case-sensitive (RFC 9110 §9.1); OpenAPI writes them in lower case. A mixture is neither. */
bool method_named(struct str name, enum http_method *method)
{
    bool is_lower = name.len > 0 && name.at[0] >= 'a';
    for (unsigned i = 0; i < METHODS; i++) {
        const char *known = method_names[i];
        size_t k = 0;
        while (k < name.len && known[k] && name.at[k] == (is_lower ? known[k] | 32 : known[k]))
            k++;
        if (k == name.len && known[k] == '\0') {
            *method = (enum http_method)i;
            return true;
        }
    }
    return false;
}

const struct operation *contract_operation(const struct contract *contract, struct str operation_id)
{
    for (unsigned i = 0; i < contract->operation_count; i++)
        if (str_equal(contract->operations[i].id, operation_id))
            return &contract->operations[i];
    return NULL;
}

const struct parameter *operation_parameter(const struct operation *operation, enum parameter_place place, struct str name)
{
    for (unsigned i = 0; i < operation->parameter_count; i++) {
        const struct parameter *parameter = &operation->parameters[i];
        if (parameter->place == place &&
            (place == PARAMETER_HEADER ? str_equal_nocase(parameter->name, name) : str_equal(parameter->name, name)))
            return parameter;
    }
    return NULL;
}

const struct response *operation_response(const struct operation *operation, unsigned status)
{
    const unsigned wanted[] = {status, status / 100, 0};
    for (size_t i = 0; i < COUNT_OF(wanted); i++)
        for (unsigned k = 0; k < operation->response_count; k++)
            if (operation->responses[k].status == wanted[i])
                return &operation->responses[k];
    return NULL;
}

const struct media *media_for(const struct media *list, unsigned count, struct str content_type)
{
    struct str rest = content_type, type = str_trim(str_cut(&rest, ';'));
    struct str family = type;
    ptrdiff_t slash = str_find(type, STR("/"));
    if (slash < 1)
        return NULL;
    family.len = (size_t)slash + 1;
    const struct media *best = NULL;
    for (unsigned i = 0; i < count; i++) {
        struct str known = list[i].type;
        if (str_equal_nocase(known, type))
            return &list[i];
        bool same_family = known.len == family.len + 1 && known.at[known.len - 1] == '*' &&
                           str_equal_nocase(str_slice(known, 0, family.len), family);
        if (same_family)
            best = &list[i];
        else if (!best && str_is(known, "*/*"))
            best = &list[i];
    }
    return best;
}

const struct json *contract_resolve(const struct contract *contract, const struct json *node)
{
    if (!json_get(node, "$ref"))
        return node;
    struct arena *arena = arena_open(); /* for decoding pointers only */
    const struct json *found = follow_references(arena, contract->document, node, NULL);
    arena_close(arena);
    return found;
}
