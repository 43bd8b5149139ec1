/* The frames of server-sent events. */
#include <shimin/sse.h>

/* A field's value ends with its line: what would end it early, and NUL, which makes an id be ignored, are left out. */
static void add_field(struct text *out, const char *name, struct str value)
{
    text_add_c(out, name);
    text_add_c(out, ": ");
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] != '\r' && value.at[i] != '\n' && value.at[i] != '\0')
            text_add_char(out, value.at[i]);
    text_add_char(out, '\n');
}

void sse_write(struct text *out, const struct sse_event *event)
{
    if (event->retry)
        text_printf(out, "retry: %lld\n", (long long)event->retry);
    if (event->event.at)
        add_field(out, "event", event->event);
    if (event->id.at)
        add_field(out, "id", event->id);
    struct str rest = event->data;
    while (rest.at) {
        struct str line = str_cut(&rest, '\n');
        add_field(out, "data", line);
    }
    text_add_char(out, '\n');
}

void sse_write_heartbeat(struct text *out)
{
    text_add_c(out, ":\n\n");
}
