/* Short messages that the gateway sent: kept, and never delivered. Any thread. */
#ifndef SANDBOX_MESSAGES_H
#define SANDBOX_MESSAGES_H

#include <shimin/str.h>

struct sms {
    char id[37];
    char phone_number[20];
    char text[2048];
    size_t text_length;
    int64_t sent_at; /* wall */
};

/* Keeps the last 1024. false when number or text are too long. */
MUST_CHECK bool messages_keep(struct arena *arena, struct str phone_number, struct str text, struct sms *kept);
/* Newest first, at most `limit`; to one number, or all (at == NULL). Copies. */
size_t messages_list(struct arena *arena, struct str phone_number, size_t limit, struct sms **list);
void messages_clear(void);

#endif
