/* Sending a short message: an interface, behind which a city puts its own provider. */
#ifndef SHIMIN_SMS_H
#define SHIMIN_SMS_H

#include <shimin/str.h>

struct sms_provider {
    const char *name;
    /* In a fiber of each worker; may be NULL. */
    bool (*open)(void);
    /* Hands the text over to the network. Waits. false when the provider did not take it. Never logs number or text. */
    bool (*send)(struct arena *arena, struct str phone_number, struct str text);
};

/* The providers by name ("sandbox"); NULL when unknown. */
const struct sms_provider *sms_provider_named(const char *name);

/* Where the sandbox's control API listens. Once, before the workers start. */
void sms_sandbox_prepare(const char *address, unsigned port);
extern const struct sms_provider sms_sandbox;

#endif
