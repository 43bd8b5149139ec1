/* What a department's systems did wrong, told so that its engineers can mend it: counted by operation and kind, in
 * the metrics and in what the department sees of its traffic, and logged with the place. No value of an answer, and nothing of
 * a citizen's, is in it. */
#ifndef FEDERATION_REPORT_H
#define FEDERATION_REPORT_H

#include <shimin/str.h>

struct report {
    struct str department; /* slug */
    struct str operation;  /* of its contract */
    const char *kind;      /* static, one word: a label of department_faults_total and a member of `faults` */
    const char *detail;    /* static words; NULL: the kind says it */
    struct str pointer;    /* into the answer, "" for the whole; at == NULL: none */
};

/* Each worker logs five a second of each department; all are counted. */
void report_fault(const struct report *report);

#endif
