/* What the database's functions for switches and settings may object, in words. */
#ifndef SHIMIN_SWITCH_FAULTS_H
#define SHIMIN_SWITCH_FAULTS_H

#include <shimin/problem.h>

struct switch_fault {
    const char *name; /* as the functions of schema/migrations say it */
    enum problem_type type;
    const char *pointer; /* into the body that was sent; NULL: it is not about one member */
    struct bilingual detail;
};
/* Never NULL. */
const struct switch_fault *switch_fault_named(struct str name);

#endif
