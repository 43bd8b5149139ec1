/* Tokens of clients: opaque, for ten minutes, a hash in Redis under the token's key. */
#include "identity/client.h"

#include "crypto/token.h"
#include "identity_queries.h"

#include <shimin/id.h>
#include <shimin/pg.h>
#include <shimin/redis.h>

#define PREFIX "ct:"

/* KEYS: token. ARGV: its life in seconds, then the fields. */
static struct redis_script open_script = {
    .source = "redis.call('HSET', KEYS[1], unpack(ARGV, 2)) return redis.call('EXPIRE', KEYS[1], ARGV[1])",
    .keys = 1,
};

/* KEYS: token. ARGV: client. */
static struct redis_script revoke_script = {
    .source = "if redis.call('HGET', KEYS[1], 'client') ~= ARGV[1] then return 0 end return redis.call('DEL', KEYS[1])",
    .keys = 1,
};

static struct str key_of(struct arena *arena, struct str token)
{
    char key[TOKEN_KEY_LENGTH];
    token_key(token, key);
    return str_printf(arena, PREFIX "%.*s", TOKEN_KEY_LENGTH, key);
}

static struct str field_of(const struct redis_reply *reply, const char *name)
{
    for (size_t i = 0; i + 1 < reply->count; i += 2)
        if (str_is(reply->items[i].string, name))
            return reply->items[i + 1].string;
    return STR("");
}

static struct str words_of(struct arena *arena, unsigned scopes)
{
    struct text text = text_open(arena, 64);
    text_add_c(&text, "");
    for (int scope = 0; scope < SCOPES; scope++)
        if (scopes & (1U << scope))
            text_printf(&text, "%s%s", text.len ? " " : "", scope_name((enum scope)scope));
    return text_str(&text);
}

enum client_outcome client_token_open(struct arena *arena, const struct client *client, unsigned scopes, struct str certificate,
                                      struct str *token)
{
    *token = token_new(arena);
    const struct str arguments[] = {
        key_of(arena, *token),
        str_printf(arena, "%d", CLIENT_TOKEN_SECONDS),
        STR("id"),
        id_new(arena),
        STR("client"),
        client->id,
        STR("credential"),
        client->credential_id,
        STR("scopes"),
        words_of(arena, scopes),
        STR("certificate"),
        certificate.at ? certificate : STR(""),
    };
    struct redis_reply reply;
    return redis_eval(arena, &reply, &open_script, arguments, COUNT_OF(arguments)) == REDIS_OK ? CLIENT_DONE
                                                                                               : CLIENT_UNAVAILABLE;
}

enum client_outcome client_token_revoke(struct arena *arena, const struct client *client, struct str token)
{
    const struct str arguments[] = {key_of(arena, token), client->id};
    struct redis_reply reply;
    return redis_eval(arena, &reply, &revoke_script, arguments, COUNT_OF(arguments)) == REDIS_OK ? CLIENT_DONE
                                                                                                 : CLIENT_UNAVAILABLE;
}

enum session_outcome client_token_find(struct arena *arena, struct str token, struct str certificate,
                                       const struct actor **actor)
{
    struct redis_reply record;
    const struct pg_result *row;
    if (token.len != TOKEN_LENGTH)
        return SESSION_UNKNOWN;
    if (redis_command(arena, &record, "HGETALL %b", STR_BYTES(key_of(arena, token))) != REDIS_OK)
        return SESSION_UNAVAILABLE;
    struct str bound = field_of(&record, "certificate"), id = field_of(&record, "client");
    if (!record.count || (bound.len && !str_equal(bound, certificate)))
        return SESSION_UNKNOWN;
    if (pg_query(arena, &sql_read_client_actor, PG_ARGS(pg_text(id), pg_text(field_of(&record, "credential"))), &row) != PG_OK)
        return SESSION_UNAVAILABLE;
    if (!pg_rows(row))
        return SESSION_UNKNOWN;
    struct actor *found = arena_new(arena, struct actor);
    *found = (struct actor){
        .kind = ACTOR_CLIENT,
        .id = id,
        .name = id,
        .scopes = client_scopes_read(field_of(&record, "scopes")) & client_scopes_read(pg_str(row, 0, 1)),
        .department = pg_str(row, 0, 0),
        .session_id = field_of(&record, "id"),
    };
    *actor = found;
    return SESSION_FOUND;
}
