/* URI references resolved against a base (RFC 3986 §5.2). */
#include "contract/schema_node.h"

#include <string.h>

struct uri {
    struct str scheme, authority, path, query, fragment; /* at == NULL: not there; the path always is */
};

static struct str until(struct str *rest, const char *stops)
{
    size_t n = 0;
    while (n < rest->len && !strchr(stops, rest->at[n]))
        n++;
    struct str part = {rest->at, n};
    *rest = (struct str){rest->at + n, rest->len - n};
    return part;
}

static struct uri split(struct str s)
{
    struct uri uri = {0};
    struct str rest = s, head = until(&rest, ":/?#");
    if (rest.len > 0 && rest.at[0] == ':' && head.len > 0) {
        uri.scheme = head;
        rest = str_slice(rest, 1, rest.len);
    } else {
        rest = s;
    }
    if (rest.len >= 2 && rest.at[0] == '/' && rest.at[1] == '/') {
        rest = str_slice(rest, 2, rest.len);
        uri.authority = until(&rest, "/?#");
    }
    uri.path = until(&rest, "?#");
    if (rest.len > 0 && rest.at[0] == '?') {
        rest = str_slice(rest, 1, rest.len);
        uri.query = until(&rest, "#");
    }
    if (rest.len > 0)
        uri.fragment = str_slice(rest, 1, rest.len);
    return uri;
}

/* §5.2.4, on whole segments: "." falls away, ".." takes its predecessor along. */
static struct str without_dots(struct arena *arena, struct str path)
{
    struct text out = text_open(arena, path.len + 1);
    size_t i = 0;
    while (i < path.len) {
        size_t end = i + 1;
        while (end < path.len && path.at[end] != '/')
            end++;
        struct str segment = str_slice(path, i, end); /* with its leading '/', if any */
        struct str name = segment.at[0] == '/' ? str_slice(segment, 1, segment.len) : segment;
        bool last = end == path.len;
        if (str_is(name, ".") || str_is(name, "..")) {
            if (name.len == 2) {
                while (out.len > 0 && out.at[out.len - 1] != '/')
                    out.len--;
                if (out.len > 0)
                    out.len--;
            }
            if (last)
                text_add_char(&out, '/');
        } else {
            text_add(&out, segment);
        }
        i = end;
    }
    return text_str(&out);
}

static struct str merged(struct arena *arena, const struct uri *base, struct str path)
{
    if (base->authority.at && base->path.len == 0)
        return str_printf(arena, "/%.*s", STR_ARG(path));
    size_t keep = base->path.len;
    while (keep > 0 && base->path.at[keep - 1] != '/')
        keep--;
    return str_printf(arena, "%.*s%.*s", (int)keep, base->path.at ? base->path.at : "", STR_ARG(path));
}

struct str uri_resolve(struct arena *arena, struct str base_text, struct str reference_text)
{
    struct uri base = split(base_text), out = split(reference_text);
    if (out.scheme.at) {
        out.path = out.authority.at ? without_dots(arena, out.path) : out.path;
    } else {
        out.scheme = base.scheme;
        if (out.authority.at) {
            out.path = without_dots(arena, out.path);
        } else {
            out.authority = base.authority;
            if (out.path.len == 0) {
                out.path = base.path;
                if (!out.query.at)
                    out.query = base.query;
            } else {
                out.path = without_dots(arena, out.path.at[0] == '/' ? out.path : merged(arena, &base, out.path));
            }
        }
    }
    struct text text = text_open(arena, base_text.len + reference_text.len + 8);
    text_add_c(&text, "");
    if (out.scheme.at) {
        text_add(&text, out.scheme);
        text_add_char(&text, ':');
    }
    if (out.authority.at) {
        text_add_c(&text, "//");
        text_add(&text, out.authority);
    }
    text_add(&text, out.path);
    if (out.query.at) {
        text_add_char(&text, '?');
        text_add(&text, out.query);
    }
    if (out.fragment.at) {
        text_add_char(&text, '#');
        text_add(&text, out.fragment);
    }
    return text_str(&text);
}
