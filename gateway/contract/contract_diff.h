/* What changes for callers between two versions of a contract. */
#ifndef SHIMIN_CONTRACT_DIFF_H
#define SHIMIN_CONTRACT_DIFF_H

#include "contract/contract.h"

/* Breaking: a caller that was right may now be wrong. Compatible: it need not care. Editorial: words only. */
enum change_level { CHANGE_BREAKING, CHANGE_COMPATIBLE, CHANGE_EDITORIAL, CHANGE_LEVELS };

struct change {
    enum change_level level;
    const char *kind;   /* static: "parameter-required", … */
    struct str pointer; /* into the newer document; of what is gone, into the older */
    struct str detail;  /* English */
};

#define CHANGES_MAX 300

struct changes {
    struct change *list;
    size_t count;
    size_t of_level[CHANGE_LEVELS]; /* all that there are, also those beyond CHANGES_MAX */
};

/* CPU only: for an offload thread. The changes live in the arena. */
void contract_diff(struct arena *arena, const struct contract *before, const struct contract *after, struct changes *changes);
/* The same as JSON {breaking, compatible, editorial: counts, changes: [{level, kind, pointer, detail}]}. */
struct str contract_diff_json(struct arena *arena, const struct contract *before, const struct contract *after);

#endif
