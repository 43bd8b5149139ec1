/* Snapshots: compiled aside from one document, checked, and swapped whole in every worker. */
#ifndef SHIMIN_SNAPSHOT_H
#define SHIMIN_SNAPSHOT_H

#include <shimin/catalogue.h>

/* What a higher floor adds while a snapshot is compiled: the federation compiles backends and mappings. Each returns false
 * after adding lines to *faults ("housing-fund.yaml: /services/0/operation/id: no operation getFundAccount in the contract");
 * the snapshot is then refused. What they make lives in the arena, or is released by arena_defer. */
struct snapshot_compiler {
    bool (*department)(struct arena *arena, struct department *department, struct text *faults);
    bool (*service)(struct arena *arena, struct service *service, struct text *faults);
};
void snapshot_set_compiler(const struct snapshot_compiler *compiler);

/* Compiles a snapshot from the document of catalogue_document() (schema/migrations): categories, departments, services, areas,
 * switches; contracts are taken from `contract_bytes(sha256)`. NULL with every fault in *faults. CPU only; any thread. */
struct snapshot *snapshot_compile(struct str document, struct str (*contract_bytes)(struct arena *arena, struct str sha256),
                                  struct text *faults) MUST_CHECK;
/* The same definitions with other switches; shares everything else with `base`, which it keeps alive. */
struct snapshot *snapshot_with_switches(struct snapshot *base, struct str switches_document, struct text *faults) MUST_CHECK;

/* The key (32 bytes, the same in every gateway) that decides which citizens a share is. Once, before the first snapshot;
 * without it a share hits nobody. */
void switches_open(const uint8_t key[32]);

/* Gives up the caller's reference; NULL is ignored. */
void snapshot_release(struct snapshot *snapshot);
/* The same from a worker, which does not wait: a large one takes its time to be freed, aside. */
void snapshot_retire(struct snapshot *snapshot);

/* Hands a snapshot (and the caller's reference) to every worker. Any thread. */
void snapshot_publish(struct snapshot *snapshot);

#endif
