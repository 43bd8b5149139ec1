/* Problems: error answers as RFC 9457 defines them, in Chinese and English. */
#ifndef SHIMIN_PROBLEM_H
#define SHIMIN_PROBLEM_H

#include <shimin/str.h>

/* A text in both languages; what is shown is chosen by Accept-Language. */
struct bilingual {
    struct str zh;
    struct str en;
};
#define BILINGUAL(zh_literal, en_literal)                                                                                      \
    ((struct bilingual){{(zh_literal), sizeof(zh_literal) - 1}, {(en_literal), sizeof(en_literal) - 1}})

/* The types, each with its slug (the last segment of `type`), HTTP status and bilingual title in the table of
 * gateway/http/problem.c; GET /problems/{slug} explains each. */
enum problem_type {
    PROBLEM_BAD_REQUEST,             /* 400 bad-request: syntax */
    PROBLEM_INVALID_JSON,            /* 400 invalid-json */
    PROBLEM_INVALID_PARAMETER,       /* 400 invalid-parameter: path, query or header */
    PROBLEM_INVALID_CURSOR,          /* 400 invalid-cursor */
    PROBLEM_IDEMPOTENCY_KEY_MISSING, /* 400 idempotency-key-missing */
    PROBLEM_UNAUTHENTICATED,         /* 401 unauthenticated: no or unknown token; WWW-Authenticate: Bearer */
    PROBLEM_STEP_UP,                 /* 401 insufficient-user-authentication (RFC 9470) */
    PROBLEM_FORBIDDEN,               /* 403 forbidden */
    PROBLEM_NOT_FOUND,               /* 404 not-found */
    PROBLEM_METHOD_NOT_ALLOWED,      /* 405 method-not-allowed; Allow */
    PROBLEM_NOT_ACCEPTABLE,          /* 406 not-acceptable */
    PROBLEM_CONFLICT,                /* 409 conflict */
    PROBLEM_FACE_PENDING,            /* 409 face-pending: nobody was filmed yet; Retry-After */
    PROBLEM_BILL_HELD,               /* 409 bill-held: another payment of it is open; bill, payment, state */
    PROBLEM_BILL_PAID,               /* 409 bill-paid */
    PROBLEM_BILL_ENDED,              /* 409 bill-ended: withdrawn, or too late */
    PROBLEM_AMOUNT_DIFFERS,          /* 409 amount-differs: outstanding_fen */
    PROBLEM_IN_PROGRESS,             /* 409 request-in-progress: same Idempotency-Key still running */
    PROBLEM_FACE_EXPIRED,            /* 410 face-expired */
    PROBLEM_SERVICE_RETIRED,         /* 410 service-retired: its version's sunset is past; service, sunset_at, successor */
    PROBLEM_PRECONDITION_FAILED,     /* 412 precondition-failed */
    PROBLEM_BODY_TOO_LARGE,          /* 413 body-too-large */
    PROBLEM_TARGET_TOO_LONG,         /* 414 target-too-long */
    PROBLEM_UNSUPPORTED_MEDIA_TYPE,  /* 415 unsupported-media-type; Accept */
    PROBLEM_VALIDATION,              /* 422 validation-error: errors[] */
    PROBLEM_KEY_REUSED,              /* 422 idempotency-key-reused */
    PROBLEM_CODE_REJECTED,           /* 422 code-rejected: wrong, used or expired one-time code */
    PROBLEM_CREDENTIALS_REJECTED,    /* 422 credentials-rejected: of a member of staff */
    PROBLEM_IDENTITY_REJECTED,       /* 422 identity-rejected */
    PROBLEM_FACE_REJECTED,           /* 422 face-rejected: somebody else, or nobody alive */
    PROBLEM_PRECONDITION_REQUIRED,   /* 428 precondition-required: If-Match is missing */
    PROBLEM_TOO_MANY_REQUESTS,       /* 429 IANA quota-exceeded; Retry-After */
    PROBLEM_HEADERS_TOO_LARGE,       /* 431 headers-too-large */
    PROBLEM_INTERNAL,                /* 500 internal-error */
    PROBLEM_METHOD_UNKNOWN,          /* 501 method-unknown */
    PROBLEM_DEPARTMENT_FAILED,       /* 502 department-failed: refused, reset, or error status */
    PROBLEM_DEPARTMENT_CONTRACT,     /* 502 department-contract-violation: names the operation */
    PROBLEM_SERVICE_SWITCHED,        /* 503 service-switched: reason, window; Retry-After */
    PROBLEM_STORE_UNAVAILABLE,       /* 503 store-unavailable: Postgres or Redis away; Retry-After */
    PROBLEM_DEPARTMENT_UNAVAILABLE,  /* 503 department-unavailable: breaker open or all slots taken; Retry-After */
    PROBLEM_OVERLOADED,              /* 503 IANA temporary-reduced-capacity */
    PROBLEM_DEADLINE,                /* 504 deadline-exceeded */
    PROBLEM_TYPES,                   /* the count */
};

/* One member of errors[]: where and why. */
struct problem_error {
    struct str pointer;   /* JSON Pointer into the body without '#'; at == NULL if it is a parameter */
    struct str parameter; /* name of a query, path or header parameter */
    struct bilingual detail;
};

struct problem {
    enum problem_type type;
    struct bilingual detail; /* of this occurrence; never personal data, SQL or addresses; may be empty */
    const struct problem_error *errors;
    size_t error_count;
    int64_t retry_after;  /* seconds; 0: no Retry-After header */
    struct str extension; /* more members as JSON text without braces, e.g. "\"operation\":\"getFundAccount\""; may be empty */
};

/* A problem in the arena with a bilingual detail. */
struct problem *problem_new(struct arena *arena, enum problem_type type, struct bilingual detail);
unsigned problem_status(enum problem_type type);
struct str problem_slug(enum problem_type type);
struct bilingual problem_title(enum problem_type type);

#endif
