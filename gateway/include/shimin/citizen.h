/* The citizen who asks: known from the session, with the level it proves. */
#ifndef SHIMIN_CITIZEN_H
#define SHIMIN_CITIZEN_H

#include <shimin/catalogue.h>

struct citizen {
    struct str id; /* UUID */
    enum level level;
    struct str session_id;   /* public id of the session, not its token */
    struct str phone_number; /* E.164, plain: never log it */
    struct str name;         /* plain; empty below L2 */
    struct str id_number;    /* plain; empty below L2 */
    int64_t authenticated_at;
};

struct request;
/* NULL for a guest. The spans live as long as the request. */
const struct citizen *request_citizen(const struct request *request);

#endif
