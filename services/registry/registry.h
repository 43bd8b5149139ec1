/* What the files of this module share: the table's handlers, and replies that several of them give. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <shimin/actor.h>
#include <shimin/draft.h>
#include <shimin/pg.h>
#include <shimin/request.h>

void list_systems(struct request *request);
void read_system(struct request *request);
void put_system(struct request *request);
void put_credential(struct request *request);
void delete_credential(struct request *request);

void register_contract(struct request *request);
void list_contracts(struct request *request);
void read_contract(struct request *request);
void read_contract_document(struct request *request);
void compare_contracts(struct request *request);

void list_department_services(struct request *request);
void read_department_service(struct request *request);
void put_service_draft(struct request *request);
void try_service(struct request *request);
void submit_service(struct request *request);
void read_gate_report(struct request *request);
void rollback_service(struct request *request);
void remove_service(struct request *request);
void promote_service(struct request *request);
void share_service(struct request *request);
void retire_service_version(struct request *request);
void read_service_probe(struct request *request);

void list_submissions(struct request *request);
void read_submission(struct request *request);
void compare_submission(struct request *request);
void decide_submission(struct request *request);

void probe_start(void);
void probe_stop(void);

/* The actor's department; its own requests always have one. */
struct str department_of(const struct request *request);
struct str label_of(struct request *request);
/* Whose records: the actor's department; NULL, any department's, for the city's own staff. */
struct pg_value owner_of(const struct request *request);
/* For the audit: "service:metro-arrivals". */
void audit_object(struct request *request, const char *kind, struct str name);
/* true after a reply that the store is away, when it is; PG_CONFLICT is `taken`. */
MUST_CHECK bool store_failed(struct request *request, enum pg_status status);
/* The first column of the first row as JSON; 404 without a row. */
void reply_row(struct request *request, unsigned status, const struct pg_result *rows);
void reply_missing(struct request *request);
/* The edition of If-Match; -1: there is none; -2: it is no edition of ours. */
int64_t edition_asked(const struct request *request);
void reply_edition(struct request *request, int64_t edition);
/* A problem with one error: of the member at that pointer. */
void refuse_member(struct request *request, enum problem_type type, struct str pointer, struct bilingual detail);
/* 428 or 412. */
void reply_stale(struct request *request, int64_t asked);

/* A version with what a draft needs of its neighbours, out of version_to_try or next_probe. */
struct version {
    int64_t number, edition;
    struct str service, state, department, system, sha256, contract_name, contract_bytes, backend, definition;
};
/* The order for it in an environment; false when its department is not in the catalogue or its definition is broken. */
MUST_CHECK bool version_order(struct arena *arena, const struct snapshot *snapshot, const struct version *version,
                              const char *environment, struct draft_order *order);
/* The one to try: number 0 is the one at work, else the live one. false after the reply. */
MUST_CHECK bool version_read(struct request *request, struct str service, int64_t number, struct version *version);

/* true after a reply when the version cannot be served as things are: its name is taken by now, or it has no address. */
MUST_CHECK bool version_is_unfit(struct request *request, struct str service, int64_t number);

#endif
