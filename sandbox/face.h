/* Face verifications that were opened, and how each ends: no camera, only what the control API decided. */
#ifndef SANDBOX_FACE_H
#define SANDBOX_FACE_H

#include <shimin/str.h>

enum face_result { FACE_PASSED, FACE_FAILED, FACE_PENDING, FACE_EXPIRED, FACE_RESULTS };
/* "passed", "failed", "pending", "expired", as the contract has them. */
const char *face_result_name(enum face_result result);
MUST_CHECK bool face_result_named(struct str name, enum face_result *result);

struct face_opened {
    struct str serial, sdk_token;
    int64_t seconds; /* that it lives */
};
/* Opens one for the person; the newest 4096 are kept. Any thread. */
void face_open(struct arena *arena, struct str id_number, struct face_opened *opened);
/* How it stands: what was decided for it, else for its person, else passed; expired when its time is over. false when it is not
 * known, or another person's. */
MUST_CHECK bool face_read(struct str serial, struct str id_number, enum face_result *result);

/* Decides one, by what the app hands to the SDK; false when it is not known. */
MUST_CHECK bool face_decide(struct str sdk_token, enum face_result result);
/* Decides all of one person, those to come too. */
void face_decide_person(struct str id_number, enum face_result result);
void face_forget_decisions(void);

#endif
