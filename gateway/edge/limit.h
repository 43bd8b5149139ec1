/* Limits: how much one citizen, one address or one service may ask, counted in Redis and spent from leases. */
#ifndef SHIMIN_LIMIT_H
#define SHIMIN_LIMIT_H

#include <shimin/request.h>

/* Whose requests a policy counts together. */
enum limit_subject { LIMIT_CITIZEN, LIMIT_ADDRESS, LIMIT_SERVICE, LIMIT_DEPARTMENT };

struct limit_policy {
    struct str name; /* as in the RateLimit fields */
    enum limit_subject subject;
    int64_t quota;  /* requests … */
    int64_t window; /* … in so many seconds */
};

/* Those of the configuration; "citizen", "address" and "service" hold for all requests, the others where x-shimin names them.
 */
struct limits {
    const struct limit_policy *list;
    size_t count;
};

/* From the configuration's map: {name: {by: citizen|address|service, requests: 600, window: 60}}. false with lines in *faults.
 */
/* Why a member of the map is no policy, or STR_NONE. */
struct str limit_refuse(struct arena *arena, const struct json_member *member);
MUST_CHECK bool limits_read(struct arena *arena, const struct json *map, struct limits *limits, struct text *faults);
const struct limit_policy *limits_named(const struct limits *limits, struct str name);

/* What is left after a request was counted. */
struct limit_state {
    bool allowed;
    int64_t remaining;
    int64_t resets_in; /* seconds until the window ends, at least 1 */
};

/* Counts one request of the subject. Most calls are answered from the worker's lease of the window's quota, at once; else waits
 * for Redis. While Redis is away each worker counts by itself and grants its share of the quota. */
struct limit_state limit_spend(struct arena *arena, const struct limit_policy *policy, struct str subject);

/* Does this worker know that the window's quota is used up? Counts nothing and does not wait. */
bool limit_is_spent(const struct limit_policy *policy, struct str subject, struct limit_state *state);

#endif
