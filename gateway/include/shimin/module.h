/* What a module of services/ is: a contract, handlers for its operations, and statements. */
#ifndef SHIMIN_MODULE_H
#define SHIMIN_MODULE_H

#include <shimin/request.h>

/* The handler of an operation, by its operationId. Runs in a fiber, may wait, and ends in exactly one reply. */
struct module_handler {
    const char *operation_id;
    void (*handle)(struct request *request);
};

struct module {
    const char *name;
    const char *contract;                  /* its openapi.yaml, embedded in the program */
    const size_t *contract_size;           /* as its address is a constant, and the size is not */
    const struct module_handler *handlers; /* ends with an empty entry */
    /* In a fiber of each worker after the stores are open; may be NULL. */
    void (*worker_open)(void);
    /* On the loop of each worker when it stops: what runs by itself ends. May be NULL. */
    void (*worker_close)(void);
};

/* The directory where a module may keep copies of what it can rebuild, in a folder of its own name; NULL: nothing is to be
 * kept. Other gateways do not see it, and it may be empty at any start. */
const char *state_directory(void);
/* The directory of the console as it was built; NULL: it is not served. */
const char *console_directory(void);

/* Declares the embedded contract that the build makes of services/<name>/openapi.yaml. */
#define MODULE_CONTRACT(name)                                                                                                  \
    extern const char name##_contract[];                                                                                       \
    extern const size_t name##_contract_size

#endif
