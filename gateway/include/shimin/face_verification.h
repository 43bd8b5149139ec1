/* Verifications of a live face that were opened at the public-security department: whose they are, and how they ended. They lie
 * in Redis and may be lost: whoever loses one is filmed again. That there was an attempt is kept with the account. */
#ifndef SHIMIN_FACE_VERIFICATION_H
#define SHIMIN_FACE_VERIFICATION_H

#include <shimin/arena.h>
#include <shimin/str.h>

/* A verification ends once: what it is told to be first, it stays. */
enum face_state { FACE_OPEN, FACE_PASSED, FACE_FAILED, FACE_EXPIRED, FACE_STATES };

struct face_verification {
    struct str id;     /* ours, UUID: what the citizen knows */
    struct str serial; /* the department's, which nobody outside learns */
    enum face_state state;
    int64_t expires_at; /* wall */
};

enum face_outcome {
    FACE_DONE,
    FACE_UNKNOWN,     /* never was, forgotten, or another citizen's */
    FACE_TAKEN,       /* it had ended already */
    FACE_UNAVAILABLE, /* Redis is away */
};

/* Keeps an open one (serial and expires_at are taken, id is made). Waits. */
enum face_outcome face_verification_keep(struct arena *arena, struct str citizen_id, struct face_verification *face) MUST_CHECK;
/* One of the citizen's. It is found for an hour after its time is over. Waits. */
enum face_outcome face_verification_find(struct arena *arena, struct str citizen_id, struct str id,
                                         struct face_verification *face) MUST_CHECK;
/* Ends an open one; of many at once one gets FACE_DONE. Waits. */
enum face_outcome face_verification_end(struct arena *arena, struct str id, enum face_state state) MUST_CHECK;

#endif
