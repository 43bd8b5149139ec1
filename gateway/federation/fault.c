/* Faults of a catalogue entry. */
#include "federation/fault.h"
#include <stdarg.h>
#include <stdio.h>

void fault_add(struct fault_sink *sink, const struct json *node, struct str pointer, const char *format, ...)
{
    char reason[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    text_printf(sink->faults, "%s %.*s: %.*s", sink->kind, STR_ARG(sink->slug), STR_ARG(pointer));
    if (node && node->line)
        text_printf(sink->faults, " (line %u)", node->line);
    text_printf(sink->faults, ": %s\n", reason);
    sink->count++;
}
