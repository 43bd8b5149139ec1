/* One table a worker, addressed by a hash of all that the request says; a newer entry takes an older one's place. */
#include "cache.h"

#include <pthread.h>
#include <shimin/clock.h>
#include <stdlib.h>
#include <string.h>

#include "http/request_internal.h"

enum { SLOTS = 4096, ANSWER_MOST = 16 * 1024, ASKED_MOST = 2048, PARTS_MOST = 16 };

struct kept {
    const struct played_operation *played;
    uint64_t hash;
    int64_t made; /* wall seconds */
    char *bytes;  /* what was asked, then the answer */
    uint32_t asked, answered, room;
};

static _Thread_local struct kept *slots;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_end;

static void free_slots(void *argument)
{
    struct kept *list = argument;
    for (size_t i = 0; i < SLOTS; i++)
        free(list[i].bytes);
    free(list);
}

static void make_key(void)
{
    pthread_key_create(&at_end, free_slots);
}

static void open_slots(void)
{
    pthread_once(&once, make_key);
    slots = memory_alloc(SLOTS * sizeof *slots);
    pthread_setspecific(at_end, slots); /* freed with its worker */
}

/* All that an answer depends on. */
struct question {
    struct str parts[PARTS_MOST];
    unsigned count;
    size_t length;
    uint64_t hash;
};

static void ask(struct question *question, struct str part)
{
    question->parts[question->count++] = part;
    question->length += part.len + 1;
    question->hash = (question->hash ^ str_hash(part)) * 0x100000001b3u + part.len;
}

static bool question_of(const struct played_operation *played, struct request *request, struct question *question)
{
    *question = (struct question){.hash = (uint64_t)(uintptr_t)played};
    ask(question, request->path);
    ask(question, request->query);
    ask(question, request->body_bytes);
    if (request->body_bytes.len)
        ask(question, request_field(request, STR("content-type")));
    for (const char *const *name = played->header_names; *name; name++) {
        if (question->count + 1 >= PARTS_MOST)
            return false;
        ask(question, request_header(request, *name));
    }
    for (unsigned i = 0; i < played->operation->parameter_count; i++)
        if (played->operation->parameters[i].place == PARAMETER_COOKIE)
            return false;
    return question->length <= ASKED_MOST && !played->answer.rules;
}

static struct kept *slot_of(uint64_t hash)
{
    if (!slots)
        open_slots();
    return &slots[(hash ^ hash >> 29) % SLOTS];
}

static bool is_same(const struct kept *kept, const struct question *question)
{
    const char *at = kept->bytes;
    if (kept->asked != question->length)
        return false;
    for (unsigned i = 0; i < question->count; i++) {
        struct str part = question->parts[i];
        if ((part.len && memcmp(at, part.at, part.len) != 0) || at[part.len] != (part.at ? 1 : 0))
            return false;
        at += part.len + 1;
    }
    return true;
}

struct str cache_find(const struct played_operation *played, struct request *request)
{
    struct question question;
    if (!question_of(played, request, &question))
        return STR_NONE;
    const struct kept *kept = slot_of(question.hash);
    bool fresh = !played->answer.tells_time || kept->made == clock_wall() / 1000000;
    if (kept->played != played || kept->hash != question.hash || !fresh || !is_same(kept, &question))
        return STR_NONE;
    return (struct str){kept->bytes + kept->asked, kept->answered};
}

void cache_keep(const struct played_operation *played, struct request *request, struct str answer)
{
    struct question question;
    if (answer.len > ANSWER_MOST || !question_of(played, request, &question))
        return;
    struct kept *kept = slot_of(question.hash);
    size_t length = question.length + answer.len;
    if (kept->room < length) {
        kept->bytes = memory_grow(kept->bytes, length);
        kept->room = (uint32_t)length;
    }
    char *at = kept->bytes;
    for (unsigned i = 0; i < question.count; i++) {
        struct str part = question.parts[i];
        if (part.len)
            memcpy(at, part.at, part.len);
        at[part.len] = part.at ? 1 : 0; /* absent is not empty */
        at += part.len + 1;
    }
    memcpy(at, answer.at, answer.len);
    kept->played = played;
    kept->hash = question.hash;
    kept->made = clock_wall() / 1000000;
    kept->asked = (uint32_t)question.length;
    kept->answered = (uint32_t)answer.len;
}
