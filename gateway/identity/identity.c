/* Opens the floor. */
#include "identity/identity.h"

#include "identity/session_cache.h"

static const struct identity_settings *settings;

void identity_prepare(const struct identity_settings *given)
{
    settings = given;
}

const struct identity_settings *identity_settings(void)
{
    return settings;
}

bool identity_open(void)
{
    session_cache_open();
    return !settings->sms->open || settings->sms->open();
}

void identity_close(void)
{
    session_cache_close();
}
