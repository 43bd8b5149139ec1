/* A ring of face verifications, and what was decided about persons. */
#include "face.h"

#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <string.h>

#include "crypto/digest.h"

enum { FACES = 4096, PERSONS = 256, SECONDS = 600, SERIAL_ROOM = 48, TOKEN_BYTES = 32, TOKEN_ROOM = 72 };

/* Of an identity number only a digest keyed by the process is kept. */
struct face {
    char serial[SERIAL_ROOM], sdk_token[TOKEN_ROOM];
    uint8_t person[DIGEST_SIZE];
    int64_t ends;
    bool is_decided;
    enum face_result result;
};

struct decision {
    uint8_t person[DIGEST_SIZE];
    bool is_made;
    enum face_result result;
};

static const char *const names[FACE_RESULTS] = {
    [FACE_PASSED] = "passed", [FACE_FAILED] = "failed", [FACE_PENDING] = "pending", [FACE_EXPIRED] = "expired"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint8_t key[DIGEST_SIZE];
static struct face faces[FACES];
static struct decision decisions[PERSONS];
static size_t next_face, next_decision;

static void make_key(void)
{
    random_bytes(key, sizeof key);
}

static void person_of(struct str id_number, uint8_t person[DIGEST_SIZE])
{
    pthread_once(&once, make_key);
    hmac_sha256((struct str){(const char *)key, sizeof key}, id_number, person);
}

/* The lock is held. */
static struct decision *decision_of(const uint8_t person[DIGEST_SIZE])
{
    for (size_t i = 0; i < PERSONS; i++)
        if (decisions[i].is_made && !memcmp(decisions[i].person, person, DIGEST_SIZE))
            return &decisions[i];
    return NULL;
}

bool face_result_named(struct str name, enum face_result *result)
{
    for (enum face_result i = 0; i < FACE_RESULTS; i++)
        if (str_is(name, names[i])) {
            *result = i;
            return true;
        }
    return false;
}

const char *face_result_name(enum face_result result)
{
    return names[result];
}

void face_open(struct arena *arena, struct str id_number, struct face_opened *opened)
{
    uint8_t random[TOKEN_BYTES];
    struct face face = {.ends = clock_wall() + seconds(SECONDS)};
    random_bytes(random, sizeof random);
    opened->serial = str_printf(arena, "RL-%.*s", STR_ARG(id_new(arena)));
    opened->sdk_token = hex_encode(arena, random, sizeof random);
    opened->seconds = SECONDS;
    memcpy(face.serial, opened->serial.at, opened->serial.len);
    memcpy(face.sdk_token, opened->sdk_token.at, opened->sdk_token.len);
    person_of(id_number, face.person);
    pthread_mutex_lock(&lock);
    faces[next_face++ % FACES] = face;
    pthread_mutex_unlock(&lock);
}

bool face_read(struct str serial, struct str id_number, enum face_result *result)
{
    uint8_t person[DIGEST_SIZE];
    bool found = false;
    person_of(id_number, person);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < FACES && !found; i++) {
        const struct face *face = &faces[i];
        if (!face->ends || !str_is(serial, face->serial) || memcmp(face->person, person, sizeof person) != 0)
            continue;
        const struct decision *decision = decision_of(person);
        *result = face->ends <= clock_wall() ? FACE_EXPIRED
                  : face->is_decided         ? face->result
                  : decision                 ? decision->result
                                             : FACE_PASSED;
        found = true;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

bool face_decide(struct str sdk_token, enum face_result result)
{
    bool found = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < FACES && !found; i++)
        if (faces[i].ends && str_is(sdk_token, faces[i].sdk_token)) {
            faces[i].is_decided = found = true;
            faces[i].result = result;
        }
    pthread_mutex_unlock(&lock);
    return found;
}

void face_decide_person(struct str id_number, enum face_result result)
{
    struct decision made = {.is_made = true, .result = result};
    person_of(id_number, made.person);
    pthread_mutex_lock(&lock);
    struct decision *slot = decision_of(made.person);
    if (!slot)
        slot = &decisions[next_decision++ % PERSONS];
    *slot = made;
    pthread_mutex_unlock(&lock);
}

void face_forget_decisions(void)
{
    pthread_mutex_lock(&lock);
    memset(decisions, 0, sizeof decisions);
    for (size_t i = 0; i < FACES; i++)
        faces[i].is_decided = false;
    pthread_mutex_unlock(&lock);
}
