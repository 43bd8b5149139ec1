/* Moods of the payment providers. */
#include "mood.h"

#include <pthread.h>
#include <shimin/clock.h>

enum { DELAY_MS = 1000 };

static const char *const operations[] = {"order", "query", "close", "refund", "refund_query", "bill"};
static const char *const answers[] = {"normal",        "slow",          "silent",  "deaf",  "failing",
                                      "failing_after", "bad_signature", "garbage", "refuse"};
static const char *const notices[] = {"normal",        "twice",        "before",        "late", "never",
                                      "bad_signature", "wrong_amount", "foreign_order", "stale"};
static const char *const lies[] = {"missing", "extra", "amount", "status", "duplicate", "hash", "summary", "cut"};

static const struct mood fresh = {.operation = MOOD_OPERATIONS, .delay = DELAY_MS * INT64_C(1000), .refund = TILL_SUCCESS};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mood moods[TILL_PROVIDERS];

void mood_reset(void)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < TILL_PROVIDERS; i++)
        moods[i] = fresh;
    pthread_mutex_unlock(&lock);
}

static bool find(const char *const *names, size_t count, struct str name, unsigned *at)
{
    for (unsigned i = 0; i < count; i++)
        if (str_is(name, names[i])) {
            *at = i;
            return true;
        }
    return false;
}

/* The member, if there is one, by its name in the table. */
static bool choose(const struct json *value, const char *member, const char *const *names, size_t count, unsigned *at)
{
    const struct json *chosen = json_get(value, member);
    return !chosen || (chosen->type == JSON_STRING && find(names, count, chosen->string, at));
}

bool mood_notice_named(struct str name, enum mood_notice *notice)
{
    unsigned at;
    bool known = find(notices, COUNT_OF(notices), name, &at);
    if (known)
        *notice = (enum mood_notice)at;
    return known;
}

static bool read_lies(const struct json *list, unsigned *bits)
{
    for (uint32_t i = 0; list && list->type == JSON_ARRAY && i < list->count; i++) {
        unsigned at;
        if (list->items[i].type != JSON_STRING || !find(lies, COUNT_OF(lies), list->items[i].string, &at))
            return false;
        *bits |= 1U << at;
    }
    return true;
}

bool mood_set(enum till_provider provider, const struct json *value, const char **reason)
{
    struct mood mood = fresh;
    unsigned answer = 0, operation = MOOD_OPERATIONS, notice = 0;
    *reason = "one of the words is unknown";
    if (!choose(value, "answer", answers, COUNT_OF(answers), &answer) ||
        !choose(value, "operation", operations, COUNT_OF(operations), &operation) ||
        !choose(value, "notice", notices, COUNT_OF(notices), &notice) || !read_lies(json_get(value, "bill"), &mood.lies) ||
        !till_refund_state_named(json_get_string(value, "refund", STR("success")), &mood.refund))
        return false;
    mood.answer = (enum mood_answer)answer;
    mood.operation = (enum mood_operation)operation;
    mood.notice = (enum mood_notice)notice;
    mood.times = json_get_integer(value, "times", 0);
    mood.delay = milliseconds(json_get_integer(value, "delay_ms", DELAY_MS));
    mood.pays_at_once = str_is(json_get_string(value, "payer", STR("")), "at_once");
    pthread_mutex_lock(&lock);
    moods[provider] = mood;
    pthread_mutex_unlock(&lock);
    return true;
}

struct mood mood_of(enum till_provider provider)
{
    pthread_mutex_lock(&lock);
    struct mood mood = moods[provider];
    pthread_mutex_unlock(&lock);
    return mood;
}

struct mood mood_draw(enum till_provider provider, enum mood_operation operation)
{
    pthread_mutex_lock(&lock);
    struct mood *held = &moods[provider], mood = *held;
    bool concerned = held->answer != MOOD_NORMAL && (held->operation == MOOD_OPERATIONS || held->operation == operation);
    if (!concerned)
        mood.answer = MOOD_NORMAL;
    else if (held->times && --held->times == 0)
        held->answer = MOOD_NORMAL;
    pthread_mutex_unlock(&lock);
    return mood;
}

void mood_write(struct json_out *out, enum till_provider provider)
{
    struct mood mood = mood_of(provider);
    json_object(out);
    json_field_c(out, "provider", till_provider_name(provider));
    json_field_c(out, "answer", answers[mood.answer]);
    if (mood.operation != MOOD_OPERATIONS)
        json_field_c(out, "operation", operations[mood.operation]);
    json_field_i64(out, "times", mood.times);
    json_field_i64(out, "delay_ms", mood.delay / milliseconds(1));
    json_field_c(out, "notice", notices[mood.notice]);
    json_field_c(out, "refund", till_refund_state_name(mood.refund));
    json_field_c(out, "payer", mood.pays_at_once ? "at_once" : "asked");
    json_key(out, "bill");
    json_array(out);
    for (unsigned i = 0; i < COUNT_OF(lies); i++)
        if (mood.lies & 1U << i)
            json_put_c(out, lies[i]);
    json_end(out);
    json_end(out);
}
