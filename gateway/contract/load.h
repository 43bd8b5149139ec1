/* Loading a contract: what the files load_*.c share. */
#ifndef SHIMIN_CONTRACT_LOAD_H
#define SHIMIN_CONTRACT_LOAD_H

#include "contract/contract.h"

struct loader {
    struct arena *arena;  /* the contract's */
    struct arena *report; /* the caller's, for faults */
    struct contract_faults *faults;
    const struct json **fault_places; /* of each fault, so that what many operations share is told once */
    struct contract *contract;
    struct schema_compiler *schemas;
    struct operation *operations;
    size_t operation_count, operation_room;
};

void load_fault(struct loader *loader, const struct json *where, const char *format, ...) PRINTF_LIKE(3, 4);
/* The node itself, or what its $refs lead to; NULL after a fault. */
const struct json *load_resolve(struct loader *loader, const struct json *node);
/* Follows local references; NULL when broken, with the reference at fault in *broken (may be NULL). */
const struct json *follow_references(struct arena *arena, const struct json *document, const struct json *node,
                                     const struct json **broken);
/* The member when it has this type; NULL when it is absent; NULL after a fault when it has another. */
const struct json *load_member(struct loader *loader, const struct json *object, const char *name, enum json_type type);
const struct schema *load_schema(struct loader *loader, const struct json *source);

/* load_operations.c: all of `paths`. */
void load_paths(struct loader *loader, const struct json *paths);
/* load_parameters.c: the path item's and the operation's lists, merged, into the operation. */
void load_parameters(struct loader *loader, struct operation *operation, const struct json *path_item);
/* load_media.c */
const struct media *load_content(struct loader *loader, const struct json *content, unsigned *count);
void load_body(struct loader *loader, struct operation *operation);
void load_responses(struct loader *loader, struct operation *operation);
/* load_security.c */
void load_security(struct loader *loader, struct operation *operation);

#endif
