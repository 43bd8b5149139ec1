/* A ring of messages. */
#include "messages.h"

#include <pthread.h>
#include <shimin/arena.h>
#include <shimin/clock.h>
#include <shimin/id.h>
#include <string.h>

enum { MESSAGES = 1024 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sms ring[MESSAGES];
static size_t next, count;

bool messages_keep(struct arena *arena, struct str phone_number, struct str text, struct sms *kept)
{
    if (phone_number.len >= sizeof kept->phone_number || text.len > sizeof kept->text)
        return false;
    *kept = (struct sms){.text_length = text.len, .sent_at = clock_wall()};
    memcpy(kept->id, id_new(arena).at, sizeof kept->id - 1);
    memcpy(kept->phone_number, phone_number.at, phone_number.len);
    memcpy(kept->text, text.at, text.len);
    pthread_mutex_lock(&lock);
    ring[next] = *kept;
    next = (next + 1) % MESSAGES;
    count += count < MESSAGES;
    pthread_mutex_unlock(&lock);
    return true;
}

size_t messages_list(struct arena *arena, struct str phone_number, size_t limit, struct sms **list)
{
    *list = NULL;
    size_t found = 0;
    pthread_mutex_lock(&lock);
    *list = arena_array(arena, struct sms, limit < count ? limit : count);
    for (size_t i = 1; i <= count && found < limit; i++) {
        const struct sms *sms = &ring[(next + MESSAGES - i) % MESSAGES];
        if (!phone_number.at || str_is(phone_number, sms->phone_number))
            (*list)[found++] = *sms;
    }
    pthread_mutex_unlock(&lock);
    return found;
}

void messages_clear(void)
{
    pthread_mutex_lock(&lock);
    memset(ring, 0, sizeof ring);
    next = count = 0;
    pthread_mutex_unlock(&lock);
}
