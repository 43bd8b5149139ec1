/* What a snapshot is made of; shared by the files of this folder only. */
#ifndef SHIMIN_DEFINITIONS_H
#define SHIMIN_DEFINITIONS_H

#include <shimin/arena.h>
#include "catalogue/snapshot.h"
#include <stdatomic.h>

/* Finds entries by slug: open addressing, at most half full. */
struct slug_table {
    struct slug_entry {
        struct str slug; /* at == NULL: free */
        unsigned index;
    } * entries;
    size_t mask;
};
void slug_table_open(struct slug_table *table, struct arena *arena, size_t entries);
/* false when the slug is there already. */
MUST_CHECK bool slug_table_add(struct slug_table *table, struct str slug, unsigned index);
/* The index, or -1. */
int64_t slug_table_find(const struct slug_table *table, struct str slug);

/* Departments, services, categories and areas: what does not change when a switch does. */
struct definitions {
    atomic_uint references;
    struct arena *arena;
    struct str version;
    int64_t number;              /* the version as a number */
    const struct json *document; /* what it was compiled from */
    struct service *services;
    struct department *departments;
    struct department *systems; /* departments as their registered interfaces see them: other contract, other backend */
    struct category *categories;
    struct area *areas;
    size_t service_count, department_count, system_count, category_count, area_count;
    struct slug_table service_slugs, department_slugs, system_keys, category_slugs, area_codes;
};
/* NULL with lines added to *faults. The caller owns the one reference. */
struct definitions *definitions_compile(struct str document,
                                        struct str (*contract_bytes)(struct arena *arena, struct str sha256),
                                        struct text *faults) MUST_CHECK;
void definitions_release(struct definitions *definitions);

/* One that was set; of those of a target the last set comes first. */
struct switch_entry {
    struct switch_state state;
    const struct switch_entry *next;
};

/* All that are set or planned, by what they hold for; in the snapshot's arena. */
struct switches {
    const struct switch_entry **of[SWITCH_SCOPES]; /* by the target's index; NULL: none of that scope */
    bool wide;                                     /* there is one of a wider scope than a service */
    unsigned planned;                              /* how many began after they were read */
    int64_t *changes;                              /* moments at which a window begins or ends, in order */
    size_t change_count;
};
/* Reads the document's rows, which come in the order in which they were set. Faults go to *faults. */
void switches_read(struct switches *switches, struct arena *arena, const struct definitions *definitions,
                   const struct json *document, struct text *faults);

struct snapshot {
    atomic_uint references;
    struct arena *arena;
    struct definitions *definitions;
    struct switches switches;
    struct tuning **service_tunings, **department_tunings; /* by index; NULL: none is set */
    int64_t switches_version;
    atomic_uint awaited; /* workers that have yet to take it up, once it is published */
    struct str version;
};
/* Reads the document's settings over the snapshot's definitions. Faults go to *faults. */
void tunings_read(struct snapshot *snapshot, const struct json *document, struct text *faults);
void snapshot_reference(struct snapshot *snapshot);

/* One compiled contract of these bytes for all snapshots; released when the arena closes. NULL with lines in *faults. */
const struct contract *contract_share(struct arena *arena, struct str name, struct str sha256,
                                      struct str (*contract_bytes)(struct arena *arena, struct str sha256),
                                      struct text *faults) MUST_CHECK;

/* A member {zh, en} of a definition. */
struct bilingual bilingual_read(const struct json *object, const char *name);

#endif
