/* Reading the departments' credentials. */
#include "federation/secrets.h"
#include <shimin/file.h>
#include <shimin/id.h>
#include <string.h>

#define FILE_MOST (1 << 20)

struct entry {
    struct str name;
    struct secret secret;
};

struct secrets {
    struct arena *arena;
    struct entry *entries;
    size_t count;
};

struct reader {
    struct arena *arena;
    const char *path;
    struct text *faults;
    size_t fault_count;
    bool inline_only; /* no paths */
};

enum value_kind { VALUE_TEXT, VALUE_BASE64, VALUE_PATH, VALUE_KEY };

static const struct {
    const char *name;
    enum value_kind kind;
    size_t offset;
} members[] = {
    {"key_id", VALUE_TEXT, offsetof(struct secret, key_id)},
    {"hmac_key", VALUE_BASE64, offsetof(struct secret, hmac_key)},
    {"private_key", VALUE_KEY, offsetof(struct secret, private_key)},
    {"certificate", VALUE_PATH, offsetof(struct secret, certificate)},
    {"ca", VALUE_PATH, offsetof(struct secret, ca)},
    {"pin", VALUE_TEXT, offsetof(struct secret, pin)},
    {"client_id", VALUE_TEXT, offsetof(struct secret, client_id)},
    {"client_secret", VALUE_TEXT, offsetof(struct secret, client_secret)},
    {"scope", VALUE_TEXT, offsetof(struct secret, scope)},
    {"api_key", VALUE_TEXT, offsetof(struct secret, api_key)},
    {"username", VALUE_TEXT, offsetof(struct secret, username)},
    {"password", VALUE_TEXT, offsetof(struct secret, password)},
    {"token", VALUE_TEXT, offsetof(struct secret, token)},
};

static void refuse(struct reader *reader, uint32_t line, const char *reason)
{
    if (line)
        text_printf(reader->faults, "%s:%u: %s\n", reader->path, line, reason);
    else
        text_printf(reader->faults, "%s: %s\n", reader->path, reason);
    reader->fault_count++;
}

static struct str beside(struct reader *reader, struct str path)
{
    const char *slash = strrchr(reader->path, '/');
    if ((path.len && path.at[0] == '/') || !slash)
        return str_of(str_to_c(reader->arena, path));
    return str_printf(reader->arena, "%.*s/%.*s", (int)(slash - reader->path), reader->path, STR_ARG(path));
}

static bool is_pem(struct str text)
{
    return str_starts(text, STR("-----BEGIN "));
}

static void read_key(struct reader *reader, const struct json *value, struct secret *secret)
{
    if (is_pem(value->string)) {
        secret->private_key = str_copy(reader->arena, value->string);
        return;
    }
    secret->private_key_path = beside(reader, value->string);
    const char *reason = file_read(reader->arena, secret->private_key_path.at, FILE_MOST, FILE_PRIVATE, &secret->private_key);
    if (reason) {
        text_printf(reader->faults, "%s:%u: private key file %s\n", reader->path, value->line, reason);
        reader->fault_count++;
    }
}

static void read_member(struct reader *reader, const struct json_member *member, struct secret *secret)
{
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        if (!str_is(member->name, members[i].name))
            continue;
        struct str *out = (struct str *)((char *)secret + members[i].offset);
        if (member->value.type != JSON_STRING || !member->value.string.len)
            refuse(reader, member->value.line, "must be text");
        else if (reader->inline_only && (members[i].kind == VALUE_KEY || members[i].kind == VALUE_PATH) &&
                 !is_pem(member->value.string))
            refuse(reader, member->value.line, "must be PEM text");
        else if (members[i].kind == VALUE_KEY)
            read_key(reader, &member->value, secret);
        else if (members[i].kind == VALUE_PATH && is_pem(member->value.string))
            *out = str_copy(reader->arena, member->value.string);
        else if (members[i].kind == VALUE_PATH)
            *out = beside(reader, member->value.string);
        else if (members[i].kind == VALUE_TEXT)
            *out = str_copy(reader->arena, member->value.string);
        else if (!base64_decode(reader->arena, member->value.string, out))
            refuse(reader, member->value.line, "must be base64");
        return;
    }
    refuse(reader, member->value.line,
           "unknown member: key_id, hmac_key, private_key, certificate, ca, pin, client_id, client_secret, scope, api_key, "
           "username, password and token are known");
}

static void read_entries(struct reader *reader, const struct json *root, struct secrets *secrets)
{
    const struct json *departments = json_get(root, "departments");
    if (!departments || departments->type != JSON_OBJECT) {
        refuse(reader, root->line, "needs `departments`, credentials by name");
        return;
    }
    secrets->entries = arena_grow(reader->arena, secrets->entries, secrets->count * sizeof(struct entry),
                                  (secrets->count + departments->count) * sizeof(struct entry));
    for (uint32_t i = 0; i < departments->count; i++) {
        const struct json_member *department = &departments->members[i];
        struct entry *entry = &secrets->entries[secrets->count++];
        entry->name = str_copy(reader->arena, department->name);
        if (department->value.type != JSON_OBJECT)
            refuse(reader, department->value.line, "must hold the credentials of one department");
        for (uint32_t j = 0; department->value.type == JSON_OBJECT && j < department->value.count; j++)
            read_member(reader, &department->value.members[j], &entry->secret);
    }
}

const struct secrets *secrets_parse(struct str text, const char *path, struct text *faults)
{
    struct arena *arena = arena_open();
    struct reader reader = {.arena = arena, .path = path, .faults = faults};
    struct json_error error;
    struct secrets *secrets = arena_new(arena, struct secrets);
    secrets->arena = arena;
    const struct json *root = yaml_parse(arena, text, &json_limits_document, &error);
    if (!root)
        refuse(&reader, error.line, error.reason);
    else
        read_entries(&reader, root, secrets);
    if (!reader.fault_count)
        return secrets;
    secrets_free(secrets);
    return NULL;
}

/* Of each member, as their offsets are. */
static struct str *member_at(struct secret *secret, size_t i)
{
    return (struct str *)((char *)secret + members[i].offset);
}

static void copy_entries(struct secrets *secrets, const struct secrets *from)
{
    secrets->count = from ? from->count : 0;
    secrets->entries = arena_array(secrets->arena, struct entry, secrets->count + 1);
    for (size_t i = 0; i < secrets->count; i++) {
        struct entry *entry = &secrets->entries[i];
        *entry = from->entries[i];
        entry->name = str_copy(secrets->arena, entry->name);
        if (entry->secret.private_key_path.at)
            entry->secret.private_key_path = str_of(str_to_c(secrets->arena, entry->secret.private_key_path));
        for (size_t j = 0; j < COUNT_OF(members); j++) {
            struct str *member = member_at(&entry->secret, j);
            if (member->at)
                *member = str_copy(secrets->arena, *member);
        }
    }
}

const struct secrets *secrets_join(const struct secrets *file, struct str text, struct text *faults)
{
    struct arena *arena = arena_open();
    struct reader reader = {.arena = arena, .path = "registered credentials", .faults = faults, .inline_only = true};
    struct json_error error;
    struct secrets *secrets = arena_new(arena, struct secrets);
    secrets->arena = arena;
    copy_entries(secrets, file);
    const struct json *root = json_parse(arena, text, &json_limits_document, &error);
    if (!root)
        refuse(&reader, error.line, error.reason);
    else
        read_entries(&reader, root, secrets);
    if (!reader.fault_count)
        return secrets;
    secrets_free(secrets);
    return NULL;
}

uint64_t secret_digest(const struct secret *secret)
{
    uint64_t digest = 0;
    for (size_t i = 0; secret && i < COUNT_OF(members); i++)
        digest = (digest + i + 1) * 0x9e3779b97f4a7c15U ^ str_hash(*member_at((struct secret *)secret, i));
    return digest;
}

struct str secret_name(const struct secret *secret)
{
    return secret->key_id.len ? secret->key_id : secret->client_id.len ? secret->client_id : secret->username;
}

const struct secrets *secrets_load(const char *path, struct text *faults)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    struct str text = STR_NONE;
    const char *reason = file_read(arena, path, FILE_MOST, FILE_PRIVATE, &text);
    if (reason) {
        text_printf(faults, "%s:0: %s\n", path, reason);
        return NULL;
    }
    const struct secrets *secrets = secrets_parse(text, path, faults);
    explicit_bzero((char *)text.at, text.len);
    return secrets;
}

void secrets_free(const struct secrets *secrets)
{
    if (!secrets)
        return;
    for (size_t i = 0; i < secrets->count; i++) {
        const struct secret *secret = &secrets->entries[i].secret;
        const struct str hidden[] = {secret->hmac_key, secret->private_key, secret->client_secret,
                                     secret->api_key,  secret->password,    secret->token};
        for (size_t j = 0; j < COUNT_OF(hidden); j++)
            if (hidden[j].len)
                explicit_bzero((char *)hidden[j].at, hidden[j].len);
    }
    arena_close(secrets->arena);
}

const struct secret *secrets_find(const struct secrets *secrets, struct str name)
{
    for (size_t i = 0; secrets && i < secrets->count; i++)
        if (str_equal(secrets->entries[i].name, name))
            return &secrets->entries[i].secret;
    return NULL;
}
