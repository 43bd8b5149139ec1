/* How many calls of one service are under way in this worker, where administrators have set a bound. */
#ifndef FEDERATION_CROWD_H
#define FEDERATION_CROWD_H

#include <shimin/str.h>

/* false when as many are under way as this worker may have of `most`, which is for all workers together. Who was let in leaves.
 */
bool crowd_enter(struct str service, unsigned most) MUST_CHECK;
void crowd_leave(struct str service);

#endif
