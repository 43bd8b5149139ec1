/* What the two files of contract_diff share. */
#ifndef SHIMIN_CONTRACT_DIFF_INTERNAL_H
#define SHIMIN_CONTRACT_DIFF_INTERNAL_H

#include "contract/contract_diff.h"

/* Who has to keep to a schema: we in what we send, the department in what it answers. */
enum side { SIDE_REQUEST, SIDE_RESPONSE, SIDES };

enum rule {
    RULE_OPERATION_REMOVED,
    RULE_OPERATION_ADDED,
    RULE_OPERATION_RENAMED,
    RULE_SECURITY_CHANGED,
    RULE_DEPRECATED,
    RULE_PARAMETER_REMOVED,
    RULE_PARAMETER_ADDED,
    RULE_PARAMETER_ADDED_REQUIRED,
    RULE_PARAMETER_REQUIRED,
    RULE_PARAMETER_OPTIONAL,
    RULE_BODY_ADDED_REQUIRED,
    RULE_BODY_ADDED,
    RULE_BODY_REMOVED,
    RULE_MEDIA_REMOVED,
    RULE_MEDIA_ADDED,
    RULE_SUCCESS_REMOVED,
    RULE_SUCCESS_ADDED,
    RULE_RESPONSE_REMOVED,
    RULE_RESPONSE_ADDED,
    RULE_TYPE_NARROWED,
    RULE_TYPE_WIDENED,
    RULE_VALUE_REMOVED,
    RULE_VALUE_ADDED,
    RULE_MEMBER_REQUIRED,
    RULE_MEMBER_OPTIONAL,
    RULE_MEMBER_REMOVED,
    RULE_MEMBER_ADDED,
    RULE_BOUND_NARROWED,
    RULE_BOUND_WIDENED,
    RULE_PATTERN_CHANGED,
    RULE_OTHERS_CLOSED,
    RULE_OTHERS_OPENED,
    RULE_CHOICE_REMOVED,
    RULE_CHOICE_ADDED,
    RULE_COMPOSITION_CHANGED,
    RULE_DEFAULT_CHANGED,
    RULE_WORDS_CHANGED,
    RULES,
};

struct pair;
struct diff {
    struct arena *arena;
    const struct contract *before, *after;
    struct changes *changes;
    struct pair *pairs[256]; /* of schemas that were compared */
};

/* `where` lies in the newer document or, when newer is false, in the older. */
void diff_add(struct diff *diff, enum rule rule, enum side side, const struct json *where, bool newer, const char *format, ...)
    PRINTF_LIKE(6, 7);
/* contract_diff_schema.c. Either may be NULL: any value. `owner` is what the pointer leads to when both are missing. */
void diff_schema(struct diff *diff, const struct json *before, const struct json *after, enum side side);

#endif
