/* Personal values with the gateway's keys, for the modules and for the accounts here. */
#include <shimin/personal.h>

#include "crypto/field.h"
#include "identity/identity.h"

#include <shimin/log.h>

struct str personal_seal(struct arena *arena, const char *column, struct str row, struct str value)
{
    return field_encrypt(arena, identity_settings()->keyring, str_of(column), row, value);
}

struct str personal_open(struct arena *arena, const char *column, struct str row, struct str sealed)
{
    struct str value;
    if (field_decrypt(arena, identity_settings()->keyring, str_of(column), row, sealed, &value))
        return value;
    log_error("%s of a row cannot be decrypted: is its key missing from the key file?", column);
    return STR_NONE;
}

struct str personal_index(struct arena *arena, const char *column, struct str value)
{
    uint8_t *index = arena_alloc(arena, DIGEST_SIZE);
    field_blind_index(identity_settings()->keyring, str_of(column), value, index);
    return (struct str){(const char *)index, DIGEST_SIZE};
}
