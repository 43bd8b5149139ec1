/* The route table: a tree of path segments whose edges lie in one hash table. Built before it is shared; read-only then. */
#include "contract/router.h"

#include <string.h>

struct route {
    const struct operation *operation;
    void *target;
};

struct node {
    uint64_t salt;          /* tells the edges of one node from another's */
    struct node *parameter; /* the edge {name} */
    struct node *rest;
    unsigned methods;
    struct route routes[METHODS];
};

struct edge {
    struct str segment; /* at == NULL: an empty slot */
    const struct node *from;
    struct node *to;
};

struct router {
    struct arena *arena;
    struct node root;
    struct edge *edges;
    size_t edge_count, edge_room;
    uint64_t next_salt;
};

struct router *router_new(struct arena *arena)
{
    struct router *router = arena_new(arena, struct router);
    router->arena = arena;
    router->edge_room = 64;
    router->edges = arena_array(arena, struct edge, router->edge_room);
    return router;
}

static struct edge *edge_slot(const struct router *router, const struct node *from, struct str segment)
{
    size_t slot = (size_t)((str_hash(segment) ^ from->salt) & (router->edge_room - 1));
    while (router->edges[slot].segment.at &&
           (router->edges[slot].from != from || !str_equal(router->edges[slot].segment, segment)))
        slot = (slot + 1) & (router->edge_room - 1);
    return &router->edges[slot];
}

static struct node *node_new(struct router *router)
{
    struct node *node = arena_new(router->arena, struct node);
    node->salt = ++router->next_salt * 0x9e3779b97f4a7c15u >> 16;
    return node;
}

static struct node *literal_child(struct router *router, struct node *from, struct str segment)
{
    struct edge *edge = edge_slot(router, from, segment);
    if (edge->segment.at)
        return edge->to;
    if ((router->edge_count + 1) * 2 > router->edge_room) {
        struct edge *old = router->edges;
        size_t old_room = router->edge_room;
        router->edge_room *= 2;
        router->edges = arena_array(router->arena, struct edge, router->edge_room);
        for (size_t i = 0; i < old_room; i++)
            if (old[i].segment.at)
                *edge_slot(router, old[i].from, old[i].segment) = old[i];
        edge = edge_slot(router, from, segment);
    }
    router->edge_count++;
    *edge = (struct edge){str_copy(router->arena, segment), from, node_new(router)};
    return edge->to;
}

static bool takes_rest(const struct operation *operation, struct str name)
{
    const struct parameter *parameter = operation_parameter(operation, PARAMETER_PATH, name);
    return parameter && json_get_boolean(parameter->source, "x-shimin-rest", false);
}

/* The node of the next segment of a template, made if need be; NULL with *reason. */
static struct node *template_child(struct router *router, struct node *from, const struct operation *operation,
                                   struct str segment, bool last, struct str *reason)
{
    bool opens = segment.len > 0 && segment.at[0] == '{', closes = segment.len > 0 && segment.at[segment.len - 1] == '}';
    if (segment.len == 0 && !last) {
        *reason = STR("the path has an empty segment");
        return NULL;
    }
    if (!opens && str_find(segment, STR("{")) < 0)
        return literal_child(router, from, segment);
    struct str name = str_slice(segment, 1, segment.len - 1);
    if (!opens || !closes || str_find(name, STR("{")) >= 0) {
        *reason = STR("a parameter must be a whole segment of the path");
        return NULL;
    }
    struct node **child = &from->parameter;
    if (takes_rest(operation, name)) {
        if (!last) {
            *reason = STR("only the last segment can take the rest of the path");
            return NULL;
        }
        child = &from->rest;
    }
    if (!*child)
        *child = node_new(router);
    return *child;
}

bool router_add(struct router *router, const struct operation *operation, void *target, struct str *reason)
{
    struct node *node = &router->root;
    struct str rest = operation->path;
    if (rest.len == 0 || rest.at[0] != '/') {
        *reason = STR("the path does not begin with '/'");
        return false;
    }
    if (operation->path_parameter_count > ROUTE_PARAMETERS_MAX) {
        *reason = STR("the path has too many parameters");
        return false;
    }
    rest = str_slice(rest, 1, rest.len);
    while (rest.at && !(rest.len == 0 && operation->path.len == 1)) {
        struct str segment = str_cut(&rest, '/');
        node = template_child(router, node, operation, segment, rest.at == NULL, reason);
        if (!node)
            return false;
    }
    if (node->methods & 1u << operation->method) {
        const struct operation *earlier = node->routes[operation->method].operation;
        *reason = str_printf(router->arena, "%s %.*s is taken by operation %.*s (%.*s)", method_name(operation->method),
                             STR_ARG(operation->path), STR_ARG(earlier->id), STR_ARG(earlier->path));
        return false;
    }
    node->methods |= 1u << operation->method;
    node->routes[operation->method] = (struct route){operation, target};
    return true;
}

/* ".", ".." and their percent-encoded spellings. */
static bool is_dots(struct str segment)
{
    unsigned dots = 0;
    for (size_t i = 0; i < segment.len; dots++) {
        if (segment.at[i] == '.') {
            i++;
        } else if (i + 2 < segment.len && segment.at[i] == '%' && segment.at[i + 1] == '2' && (segment.at[i + 2] | 32) == 'e') {
            i += 3;
        } else {
            return false;
        }
    }
    return dots <= 2;
}

/* Every segment that a router may see: no dots, and none empty but the last, which a template names by ending in '/'. */
static bool is_plain(struct str rest)
{
    while (rest.at) {
        struct str segment = str_cut(&rest, '/');
        if (is_dots(segment) && (segment.len || rest.at)) /* the empty one too */
            return false;
    }
    return true;
}

/* Literal segments first. What a branch that failed has noted is overwritten: the number of values is the depth's. */
static const struct node *descend(const struct router *router, const struct node *node, struct str rest, unsigned values,
                                  struct route_match *match)
{
    if (!rest.at) {
        match->value_count = values;
        return node->methods ? node : NULL;
    }
    struct str whole = rest, segment = str_cut(&rest, '/');
    const struct edge *edge = edge_slot(router, node, segment);
    const struct node *found = edge->segment.at ? descend(router, edge->to, rest, values, match) : NULL;
    if (found || values == ROUTE_PARAMETERS_MAX || segment.len == 0 || str_ends(whole, STR("/")))
        return found;
    if (node->parameter) {
        match->values[values] = segment;
        found = descend(router, node->parameter, rest, values + 1, match);
    }
    if (!found && node->rest) {
        match->values[values] = whole;
        match->value_count = values + 1;
        found = node->rest;
    }
    return found;
}

void router_match(const struct router *router, enum http_method method, struct str path, struct route_match *match)
{
    match->operation = NULL;
    match->target = NULL;
    match->value_count = 0;
    match->found = false;
    match->allowed = 0;
    if (path.len == 0 || path.at[0] != '/')
        return;
    struct str rest = path.len == 1 ? STR_NONE : str_slice(path, 1, path.len);
    if (rest.at && !is_plain(rest))
        return;
    const struct node *node = descend(router, &router->root, rest, 0, match);
    if (!node) {
        match->value_count = 0;
        return;
    }
    match->found = true;
    match->allowed = node->methods;
    if (node->methods & 1u << METHOD_GET)
        match->allowed |= 1u << METHOD_HEAD;
    if (method == METHOD_HEAD && !(node->methods & 1u << METHOD_HEAD))
        method = METHOD_GET;
    match->operation = node->routes[method].operation;
    match->target = node->routes[method].target;
}

struct str router_methods(struct arena *arena, unsigned allowed)
{
    struct text text = text_open(arena, 64);
    for (int method = 0; method < METHODS; method++) {
        bool implied = (method == METHOD_HEAD && (allowed & (1U << METHOD_GET))) || method == METHOD_OPTIONS;
        if (!implied && !(allowed & (1U << method)))
            continue;
        text_add_c(&text, text.len ? ", " : "");
        text_add_c(&text, method_name((enum http_method)method));
    }
    return text_str(&text);
}
