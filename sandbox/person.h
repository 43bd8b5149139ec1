/* Who bears which identity number: the first name it is asked with, kept in memory. */
#ifndef SANDBOX_PERSON_H
#define SANDBOX_PERSON_H

#include <shimin/str.h>

/* Whether the number is valid and its bearer has this name. The pairs of GB 11643's examples are fixed: 11010519491231002X is
 * 张伟, 440524188001010014 is 李秀英. Only digests are kept; with more than 65 536 numbers old ones are forgotten. Any thread.
 */
MUST_CHECK bool person_matches(struct str id_number, struct str name);
/* Forgets all but the fixed pairs. */
void person_forget_all(void);

#endif
