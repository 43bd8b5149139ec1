/* Faults of a catalogue entry, each a line that names the entry, the place and the reason. */
#ifndef FEDERATION_FAULT_H
#define FEDERATION_FAULT_H

#include <shimin/arena.h>
#include <shimin/json.h>

struct fault_sink {
    struct text *faults;
    const char *kind; /* "service", "department" */
    struct str slug;
    size_t count;
};

/* "service fund-balance: /operation/request/year (line 12): no such parameter\n". `node` gives the line; may be NULL. */
void fault_add(struct fault_sink *sink, const struct json *node, struct str pointer, const char *format, ...) PRINTF_LIKE(4, 5);

#endif
