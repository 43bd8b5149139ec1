/* The catalogue: departments, services, areas and switches, as one immutable snapshot. */
#ifndef SHIMIN_CATALOGUE_H
#define SHIMIN_CATALOGUE_H

#include <shimin/json.h>
#include <shimin/problem.h>

enum archetype {
    ARCHETYPE_QUERY,
    ARCHETYPE_CERT,
    ARCHETYPE_ASSESS,
    ARCHETYPE_APPLY,
    ARCHETYPE_REPORT,
    ARCHETYPE_BILL,
    ARCHETYPE_BOOK,
    ARCHETYPE_LISTING,
    ARCHETYPE_VOTE,
    ARCHETYPE_LOCATE,
    ARCHETYPE_FEED,
    ARCHETYPE_CONTENT,
    ARCHETYPES,
};
const char *archetype_name(enum archetype archetype);
MUST_CHECK bool archetype_named(struct str name, enum archetype *archetype);

/* Access levels (standards: L0 guest … L4 certificate or counter). */
enum level { LEVEL_GUEST, LEVEL_PHONE, LEVEL_REAL_NAME, LEVEL_LIVE_FACE, LEVEL_CERTIFICATE, LEVELS };
const char *level_name(enum level level); /* "L0" … "L4" */
MUST_CHECK bool level_named(struct str name, enum level *level);

/* A switch's position, from most to least open. */
enum switch_position { SWITCH_OPEN, SWITCH_NO_NEW, SWITCH_READ_ONLY, SWITCH_OFF, SWITCH_POSITIONS };
const char *switch_position_name(enum switch_position position); /* "open", "no_new", "read_only", "off" */
MUST_CHECK bool switch_position_named(struct str name, enum switch_position *position);

/* What a switch holds for; the narrowest first. */
enum switch_scope {
    SWITCH_FOR_SERVICE,
    SWITCH_FOR_DEPARTMENT,
    SWITCH_FOR_CATEGORY,
    SWITCH_FOR_AREA,
    SWITCH_FOR_CITY,
    SWITCH_SCOPES
};
const char *switch_scope_name(enum switch_scope scope); /* "service", "department", "category", "area", "city" */
MUST_CHECK bool switch_scope_named(struct str name, enum switch_scope *scope);

struct switch_state {
    enum switch_position position;
    enum switch_scope scope;
    struct bilingual reason;
    int64_t from;  /* wall microseconds; 0: at once */
    int64_t until; /* 0: until it is set again */
    struct str set_by;
    int64_t id;     /* in the history; 0: the catalogue's own position */
    unsigned share; /* percent of the citizens; 0: everybody, guests included */
};

struct department {
    unsigned index;  /* in the snapshot */
    unsigned number; /* 1 … : its place in the sandbox's ports */
    struct str slug;
    struct bilingual name;
    struct str kind;
    struct str contract_name;        /* file name */
    struct str system;               /* one of its registered interfaces; empty: its own entry in the catalogue */
    const struct json *definition;   /* the whole entry */
    const struct contract *contract; /* compiled; NULL if it has none */
    void *backend;                   /* the federation's compiled part */
};

struct service {
    unsigned index;
    struct str slug;
    const struct str *aliases;
    unsigned alias_count;
    struct bilingual name;
    struct bilingual summary;
    struct str pinyin; /* initials */
    struct str category;
    unsigned category_index; /* in the snapshot */
    unsigned area; /* index of the area it lies in, its department's unless it has its own; AREA_NONE: the whole city */
    enum archetype archetype;
    enum level level;
    bool personal; /* its answers are personal data */
    const struct department *department;
    const struct json *definition; /* the whole entry */
    struct switch_state declared;  /* the catalogue's own position */
    void *binding;                 /* the federation's compiled mapping; NULL without an operation */
    unsigned version;              /* of a registered service; 0: it comes from the catalogue's files */
    const struct service *canary;  /* the version on trial, for a share of the citizens; NULL: none */
    unsigned canary_share;         /* of ten thousand */
    int64_t deprecated_at;         /* wall microseconds; 0: this version is not being retired */
    int64_t sunset_at;             /* when it ends; 0: not known */
    struct bilingual notice;       /* what callers should know of it */
    struct str successor;          /* slug of the service to use instead; empty: none is named */
};

struct area {
    struct str code;
    struct str name;
    struct str level;               /* city, district, street, community, compound */
    unsigned parent;                /* index, or AREA_NONE */
    unsigned first_child, children; /* areas are stored breadth first, so children are consecutive */
};
#define AREA_NONE UINT32_MAX

struct category {
    struct str slug;
    struct bilingual name;
    unsigned services;
};

struct snapshot;

/* The snapshot that the calling worker runs now. Inside a request it stays the same object from first to last (the pipeline
 * pins it). Does not wait. */
const struct snapshot *catalogue_snapshot(void);

/* For work that is no request's: keeps the calling worker's current snapshot valid over waits, until it is unpinned on the same
 * worker. NULL before the first catalogue. Do not wait. */
const struct snapshot *snapshot_pin(void);
void snapshot_unpin(const struct snapshot *snapshot);

struct str snapshot_version(const struct snapshot *snapshot); /* changes with every change; an ETag */
size_t snapshot_services(const struct snapshot *snapshot, const struct service **first);
size_t snapshot_departments(const struct snapshot *snapshot, const struct department **first);
size_t snapshot_categories(const struct snapshot *snapshot, const struct category **first);
/* By slug or alias; NULL when unknown. */
const struct service *snapshot_service(const struct snapshot *snapshot, struct str slug);
const struct department *snapshot_department(const struct snapshot *snapshot, struct str slug);
/* By code of 4, 6, 9 or 12 digits (trailing zeros of the longer form are understood). */
const struct area *snapshot_area(const struct snapshot *snapshot, struct str code);
const struct area *snapshot_area_at(const struct snapshot *snapshot, unsigned index);
/* The version of the service that this citizen is served: the same on every call while the share does not shrink. `who` is
 * whatever tells callers apart and stays (a citizen's id, an address); at == NULL is never on trial. */
const struct service *service_version_for(const struct service *service, struct str who);
/* Who asks, for switches of a share of the citizens and of an area. */
struct switch_asker {
    struct str citizen_id;   /* at == NULL: a guest, whom no share ever hits */
    const struct area *area; /* that the request asks about; NULL: none */
};
/* The switch in force now (windows are looked at) for this asker; NULL asks for everybody. Of each scope the switch set last
 * counts, for a service the catalogue's own position where none is in force; across scopes the most restrictive, and of equal
 * ones that of the narrowest scope. */
struct switch_state snapshot_switch(const struct snapshot *snapshot, const struct service *service,
                                    const struct switch_asker *asker);
/* What holds for everything of the department's: its own switch or the city's. Open where there is none. */
struct switch_state snapshot_department_switch(const struct snapshot *snapshot, const struct department *department);
/* Whether any switch holds for an area: else nobody need find out which area a request asks about. */
bool snapshot_switches_areas(const struct snapshot *snapshot);
/* The switches that will begin later, soonest first, shares included; into the arena. */
size_t snapshot_service_plans(const struct snapshot *snapshot, struct arena *arena, const struct service *service,
                              const struct switch_state **plans);
size_t snapshot_department_plans(const struct snapshot *snapshot, struct arena *arena, const struct department *department,
                                 const struct switch_state **plans);

/* What administrators have set over a service's or a department's definition; 0: the definition holds. */
struct tuning {
    int64_t deadline;         /* microseconds that a call may take */
    unsigned concurrency;     /* calls at a time, of all workers together */
    double breaker_ratio;     /* of a department: of failures that opens its breaker … */
    unsigned breaker_minimum; /* … of at least so many calls */
    bool caches;              /* fresh and stale are set, also to 0 */
    int64_t fresh, stale;     /* microseconds */
    int64_t requests, window; /* so many requests in so many seconds */
};
/* Never NULL; a snapshot that is NULL is taken as one without settings. The department is named by its slug, so that any
 * snapshot may be asked. */
const struct tuning *snapshot_service_tuning(const struct snapshot *snapshot, const struct service *service);
const struct tuning *snapshot_department_tuning(const struct snapshot *snapshot, struct str slug);

/* The next moment (wall microseconds) at which a window begins or ends; INT64_MAX without one. What was rendered from the
 * switches is good until then. */
int64_t snapshot_switch_changes_at(const struct snapshot *snapshot);

struct request;
/* The service that the operation's parameter names, found by the pipeline; NULL if the operation names none. */
const struct service *request_service(const struct request *request);
const struct snapshot *request_snapshot(const struct request *request);
/* The switch in force for who sent the request, by any snapshot. The area is that of the parameter `area` in the query. */
struct switch_state request_switch(struct request *request, const struct snapshot *snapshot, const struct service *service);

#endif
