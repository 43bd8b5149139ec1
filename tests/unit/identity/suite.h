/* What every test of this floor needs: a Redis, keys, and the floor opened in each worker. */
#ifndef SHIMIN_TESTS_IDENTITY_SUITE_H
#define SHIMIN_TESTS_IDENTITY_SUITE_H

#include "inside.h"

#include "identity/identity.h"
#include "store/redis_pool.h"
#include "store/redis_tracking.h"

#include <shimin/log.h>
#include <shimin/redis.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct server redis_server;
static struct identity_settings settings;
static char keys_directory[] = "/tmp/shimin-keys-XXXXXX";
static char keys_path[sizeof keys_directory + 16];

/* The provider of these tests keeps the last code of each worker. */
static _Thread_local char last_code[8];
static _Thread_local unsigned messages;
static bool provider_fails;

static inline bool take_message(struct arena *arena, struct str phone_number, struct str message)
{
    (void)arena;
    (void)phone_number;
    for (size_t i = 0; i + 6 <= message.len && !provider_fails; i++) {
        size_t digits = 0;
        while (digits < 6 && message.at[i + digits] >= '0' && message.at[i + digits] <= '9')
            digits++;
        if (digits == 6) {
            memcpy(last_code, &message.at[i], 6);
            break;
        }
    }
    messages++;
    return !provider_fails;
}

static const struct sms_provider test_provider = {.name = "test", .send = take_message};

static inline void make_keys(void)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct text faults = text_open(arena, 64);
    ck_assert_ptr_nonnull(mkdtemp(keys_directory));
    snprintf(keys_path, sizeof keys_path, "%s/keys", keys_directory);
    ck_assert_msg(keyring_create(keys_path, SUITE_INTL, &faults), "%s", faults.at);
    settings = (struct identity_settings){
        .keyring = keyring_load(keys_path, &faults),
        .sms = &test_provider,
        .session_idle = seconds(3600),
        .session_absolute = seconds(7200),
        .verified_idle = seconds(600),
        .verified_absolute = seconds(1200),
    };
    ck_assert_msg(settings.keyring != NULL, "%s", faults.at);
    identity_prepare(&settings);
}

static inline void drop_keys(void)
{
    keyring_free((struct keyring *)(uintptr_t)settings.keyring);
    unlink(keys_path);
    rmdir(keys_directory);
}

static inline void set_up_redis(void)
{
    log_set_level(LOG_ERROR);
    redis_create(&redis_server);
    make_keys();
}

static inline void tear_down_redis(void)
{
    drop_keys();
    server_destroy(&redis_server);
}

/* In each worker. */
static inline void open_floor(void)
{
    ck_assert(redis_open(&(struct redis_settings){.url = redis_server.url}));
    ck_assert(identity_open());
    WAIT_UNTIL(redis_tracking_is_on());
}

static inline void close_floor(void)
{
    identity_close();
    redis_close();
}

#endif
