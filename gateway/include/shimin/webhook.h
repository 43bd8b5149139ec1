/* Webhooks: endpoints of departments that are told of events (schema/migrations/0022_outbox.sql). A module keeps the rows; this
 * makes keys, asks an endpoint whether it agrees, and delivers. */
#ifndef SHIMIN_WEBHOOK_H
#define SHIMIN_WEBHOOK_H

#include <shimin/arena.h>
#include <shimin/problem.h>

/* A key that deliveries are signed with (Standard Webhooks 1.0.0). */
struct webhook_key_made {
    struct str id;     /* UUID of its row */
    struct str shown;  /* "whsec_…" of scheme v1: shown once; "whpk_…", the public part, of v1a */
    struct str cipher; /* for the column secret_cipher: bound to the row */
};
/* `scheme` is "v1" or "v1a". Does not wait. */
struct webhook_key_made webhook_key_make(struct arena *arena, struct str scheme);

struct webhook_consent {
    bool agreed;  /* the endpoint knows the handshake, and agrees */
    int64_t rate; /* deliveries a minute that it allows; 0: any */
};
/* Asks an endpoint before anything is sent to it: OPTIONS with WebHook-Request-Origin (CloudEvents' abuse protection). NULL
 * when it agrees, or when it answers and knows no handshake; else the problem: no https address, one that may not be reached,
 * no answer, a certificate for another name, or a refusal. Waits, at most ten seconds. */
const struct problem *webhook_ask(struct arena *arena, struct str department, struct str url,
                                  struct webhook_consent *consent) MUST_CHECK;

#endif
