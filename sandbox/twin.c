/* Twins: contracts that are handed in over the control API and played under their digest. */
#include "twin.h"

#include <pthread.h>
#include <shimin/fiber.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "http/request_internal.h"
#include "stage.h"

enum { TWINS_MOST = 64, SHA256_HEX = 64 };

static const char prefix[] = "/sandbox/twins/";

struct twin {
    char sha256[SHA256_HEX];
    struct player player;
    struct arena *arena;
    unsigned references; /* the table's, and one of each call under way */
    uint64_t used;
};

/* Both workers look in it; a look is short. */
static struct {
    pthread_mutex_t lock;
    struct twin *list[TWINS_MOST];
    unsigned count;
    uint64_t clock;
} twins = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void give_up(struct twin *twin)
{
    if (--twin->references)
        return;
    contract_free(twin->player.contract);
    arena_close(twin->arena);
    free(twin);
}

void twin_release(struct twin *twin)
{
    pthread_mutex_lock(&twins.lock);
    give_up(twin);
    pthread_mutex_unlock(&twins.lock);
}

static struct twin *twin_hold(struct str sha256)
{
    struct twin *found = NULL;
    pthread_mutex_lock(&twins.lock);
    for (unsigned i = 0; i < twins.count && !found; i++)
        if (str_equal((struct str){twins.list[i]->sha256, SHA256_HEX}, sha256))
            found = twins.list[i];
    if (found) {
        found->references++;
        found->used = ++twins.clock;
    }
    pthread_mutex_unlock(&twins.lock);
    return found;
}

static void keep(struct twin *twin)
{
    pthread_mutex_lock(&twins.lock);
    unsigned at = twins.count;
    if (at == TWINS_MOST) {
        at = 0;
        for (unsigned i = 1; i < TWINS_MOST; i++)
            if (twins.list[i]->used < twins.list[at]->used)
                at = i;
        give_up(twins.list[at]);
    } else {
        twins.count++;
    }
    twin->used = ++twins.clock;
    twins.list[at] = twin;
    pthread_mutex_unlock(&twins.lock);
}

struct raising {
    struct arena *arena;
    struct str sha256, bytes, reason;
    struct twin *twin;
};

static void compile(void *argument)
{
    struct raising *raising = argument;
    uint8_t digest[DIGEST_SIZE];
    struct contract_faults found = {0};
    digest_sha256(raising->bytes, digest);
    if (!str_equal(hex_encode(raising->arena, digest, sizeof digest), raising->sha256)) {
        raising->reason = STR("the body has another digest");
        return;
    }
    const struct contract *contract = contract_load(STR("twin"), raising->bytes, raising->arena, &found);
    if (!contract) {
        raising->reason =
            str_printf(raising->arena, "%.*s: %.*s", STR_ARG(found.list[0].pointer), STR_ARG(found.list[0].reason));
        return;
    }
    struct twin *twin = memory_alloc(sizeof *twin);
    struct text faults = text_open(raising->arena, 256);
    twin->references = 1;
    twin->arena = arena_open();
    memcpy(twin->sha256, raising->sha256.at, SHA256_HEX);
    twin->player = (struct player){.slug = STR("twin"), .title = contract->title, .number = 1, .is_twin = true};
    if (!player_prepare(&twin->player, twin->arena, contract, NULL, false, &faults))
        log_debug("a twin is not complete: %.*s", STR_ARG(text_str(&faults)));
    for (unsigned i = 0; i < twin->player.operation_count; i++)
        twin->player.operations[i].player = &twin->player;
    raising->twin = twin;
}

bool twin_raise(struct arena *arena, struct str sha256, struct str bytes, struct str *reason)
{
    struct twin *known = twin_hold(sha256);
    if (known) {
        twin_release(known);
        return true;
    }
    struct raising raising = {.arena = arena, .sha256 = sha256, .bytes = bytes, .reason = STR("busy; try again")};
    if (offload(compile, &raising) && raising.twin)
        keep(raising.twin);
    *reason = raising.reason;
    return raising.twin != NULL;
}

bool twin_handle(struct request *request)
{
    struct str path = request->path;
    size_t head = sizeof prefix - 1 + SHA256_HEX;
    if (!str_starts(path, STR("/sandbox/twins/")) || path.len <= head || path.at[head] != '/')
        return false;
    struct twin *twin = twin_hold(str_slice(path, sizeof prefix - 1, head));
    if (twin)
        play_twin(request, &twin->player, twin, str_slice(path, head, path.len));
    else
        reply_fault(request, PROBLEM_NOT_FOUND, BILINGUAL("没有这个孪生", "No such twin is played"));
    return true;
}
