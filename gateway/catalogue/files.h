/* The catalogue as files: one YAML file a department, the categories, the contracts and the division tree. */
#ifndef SHIMIN_CATALOGUE_FILES_H
#define SHIMIN_CATALOGUE_FILES_H

#include <shimin/arena.h>
#include <shimin/json.h>

struct catalogue_paths {
    const char *directory; /* <department>.yaml, categories.yaml, catalogue.schema.json */
    const char *contracts;
    const char *areas; /* CSV: code,name,level,parent_code */
};

struct catalogue_contract {
    struct str department, name, version, sha256, bytes;
};

struct catalogue_files {
    struct str
        document; /* as catalogue_document() of the migrations gives it, but for the switches: what a snapshot is made of */
    const struct catalogue_contract *contracts;
    size_t contract_count;
    size_t departments, services, areas;
};

/* Reads and checks all of it: each file against catalogue.schema.json, and the whole by compiling a snapshot. false with every
 * fault in *faults, each naming file and line. Reads the disk and burns the processor: for commands. */
MUST_CHECK bool catalogue_files_read(struct arena *arena, const struct catalogue_paths *paths, struct catalogue_files *files,
                                     struct text *faults);

#endif
