/* What every test of this floor needs: documents and contracts from text. */
#ifndef SHIMIN_TESTS_CONTRACT_SUITE_H
#define SHIMIN_TESTS_CONTRACT_SUITE_H

#include "../suite.h"

#include "contract/contract.h"

#include <string.h>

/* JSON with ' for ", so that it can be read in C. */
static inline const struct json *json_of(const char *text)
{
    char *copy = str_to_c(arena, str_of(text));
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    struct json_error error = {0};
    const struct json *value = json_parse(arena, str_of(copy), &json_limits_document, &error);
    ck_assert_msg(value != NULL, "%s: %s (column %u)", text, error.reason, error.column);
    return value;
}

/* A contract from YAML that must load. */
static inline const struct contract *contract_of(const char *name, const char *yaml)
{
    struct contract_faults faults;
    const struct contract *contract = contract_load(str_of(name), str_of(yaml), arena, &faults);
    if (!contract)
        ck_abort_msg("line %u %.*s: %.*s", faults.list[0].line, STR_ARG(faults.list[0].pointer),
                     STR_ARG(faults.list[0].reason));
    arena_defer(arena, (void (*)(void *))contract_free, (void *)contract);
    return contract;
}

#endif
