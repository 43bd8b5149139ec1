/* The division tree's CSV file as the rows of a catalogue document. */
#ifndef SHIMIN_AREAS_CSV_H
#define SHIMIN_AREAS_CSV_H

#include <shimin/json.h>

/* [[code, name, level, parent or null], …]; a parent that the file does not have makes a root. NULL with lines in *faults. */
const struct json *areas_csv_read(struct arena *arena, const char *path, struct str bytes, struct text *faults) MUST_CHECK;

#endif
