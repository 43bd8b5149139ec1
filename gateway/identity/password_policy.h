/* What a password of staff must be. */
#ifndef SHIMIN_IDENTITY_PASSWORD_POLICY_H
#define SHIMIN_IDENTITY_PASSWORD_POLICY_H

#include <shimin/problem.h>

/* One row of the table: which rules hold. */
struct password_policy {
    const char *name;
    unsigned length;  /* code points, at least */
    unsigned classes; /* of lower case, upper case, digits, others, at least */
    unsigned history; /* so many of the passwords before are not taken again */
    int64_t age;      /* microseconds until it must be changed; 0: never */
};

/* "djbh3" (graded protection, level 3) or "nist" (SP 800-63B-4); NULL for any other. */
const struct password_policy *password_policy_named(struct str name);
/* Why it is refused; zh.at == NULL when it is not. The history is the caller's business. */
struct bilingual password_fault(const struct password_policy *policy, struct str password, struct str account);

#endif
