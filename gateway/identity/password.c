/* Staff's passwords, hashed on the offload threads. */
#include "identity/staff.h"

#include "crypto/password.h"

#include <shimin/fiber.h>

#include <stdatomic.h>

/* At a time in the whole process, waiting ones included: each may hold 64 MiB and an offload thread for a tenth of a second. */
enum { HASHES_MOST = 16 };

static atomic_int hashes;

struct hashing {
    struct arena *arena;
    struct str phc, password;
    bool right;
};

static void verify(void *argument)
{
    struct hashing *hashing = argument;
    hashing->right = password_verify(hashing->phc, hashing->password);
}

static void make(void *argument)
{
    struct hashing *hashing = argument;
    hashing->phc = password_hash(hashing->arena, identity_settings()->password_cost, hashing->password);
}

static bool run(void (*function)(void *argument), struct hashing *hashing)
{
    bool done = atomic_fetch_add(&hashes, 1) < HASHES_MOST && offload(function, hashing);
    atomic_fetch_sub(&hashes, 1);
    return done;
}

bool staff_password_check(struct str phc, struct str password, bool *right)
{
    struct hashing hashing = {.phc = phc, .password = password};
    bool done = run(verify, &hashing);
    *right = done && hashing.right;
    return done;
}

bool staff_password_make(struct arena *arena, struct str password, struct str *phc)
{
    struct hashing hashing = {.arena = arena, .password = password};
    bool done = run(make, &hashing);
    *phc = hashing.phc;
    return done;
}

struct str staff_password_decoy(struct arena *arena)
{
    return password_decoy(arena, identity_settings()->password_cost);
}
