/* Access tokens: fetched once, shared, renewed shortly before they expire. */
#include "federation/token.h"
#include "federation/room.h"
#include <shimin/arena.h>
#include <shimin/id.h>
#include <shimin/log.h>
#include <stdlib.h>

#define LIFE_DEFAULT 300 /* seconds, when the department does not say (RFC 6749 §5.1) */
#define LIFE_MOST 86400
#define MARGIN_MOST seconds(60)  /* renewed that long before it expires, or a tenth of its life */
#define REFUSAL_PAUSE seconds(1) /* a refused token that is younger is not fetched anew */
#define FAILURE_PAUSE seconds(1) /* how long those who come after a failed fetch share its failure */

struct token {
    struct arena *arena; /* of what never changes */
    struct str path, authorization, form;
    struct token_fetch fetch;
    char *value;
    size_t len;
    int64_t fetched_at, renew_at;
    int64_t failed_at;
    enum signing failure;
    bool fetching;
    struct room room;
};

/* The path of tokenUrl: whatever host it names, the department is asked at its own address only. */
static struct str path_of(struct str url)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    if (scheme < 0)
        return url;
    struct str rest = str_slice(url, (size_t)scheme + 3, url.len);
    ptrdiff_t slash = str_find(rest, STR("/"));
    return slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len);
}

struct token *token_open(const struct security *security, const struct secret *secret, const struct token_fetch *fetch)
{
    struct token *token = memory_alloc(sizeof *token);
    struct arena *arena = token->arena = arena_open();
    token->fetch = *fetch;
    token->path = str_copy(arena, path_of(security->token_url));
    /* client_secret_basic: both parts are form-encoded first (RFC 6749 §2.3.1). */
    struct str id = str_percent_encode(arena, secret->client_id), password = str_percent_encode(arena, secret->client_secret);
    struct str both = str_printf(arena, "%.*s:%.*s", STR_ARG(id), STR_ARG(password));
    struct str encoded = base64_encode(arena, both.at, both.len);
    token->authorization = str_printf(arena, "Basic %.*s", STR_ARG(encoded));
    token->form = STR("grant_type=client_credentials");
    if (secret->scope.len)
        token->form =
            str_printf(arena, "grant_type=client_credentials&scope=%.*s", STR_ARG(str_percent_encode(arena, secret->scope)));
    return token;
}

void token_close(struct token *token)
{
    if (!token)
        return;
    free(token->value);
    arena_close(token->arena);
    free(token);
}

static bool is_token68(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= ' ' || s.at[i] > '~')
            return false;
    return s.len > 0;
}

static bool keep(struct token *token, struct arena *arena, struct str answer)
{
    struct json_error error;
    const struct json *root = json_parse(arena, answer, &json_limits_request, &error);
    struct str value = json_get_string(root, "access_token", STR_NONE),
               type = json_get_string(root, "token_type", STR("Bearer"));
    if (!is_token68(value) || !str_equal_nocase(type, STR("bearer"))) {
        log_error("a department's token endpoint %.*s answered without a bearer token", STR_ARG(token->path));
        return false;
    }
    const struct json *expires = json_get(root, "expires_in");
    double life =
        expires && (expires->type == JSON_INTEGER || expires->type == JSON_NUMBER) ? json_as_double(expires) : LIFE_DEFAULT;
    int64_t lasts = seconds((int64_t)(life < 1 ? 1 : life > LIFE_MOST ? LIFE_MOST : life));
    int64_t margin = lasts / 10 < MARGIN_MOST ? lasts / 10 : MARGIN_MOST;
    free(token->value);
    token->value = memory_alloc(value.len + 1);
    for (size_t i = 0; i < value.len; i++)
        token->value[i] = value.at[i];
    token->len = value.len;
    token->fetched_at = clock_steady();
    token->renew_at = token->fetched_at + lasts - margin;
    return true;
}

static bool is_good(const struct token *token)
{
    return token->value && clock_steady() < token->renew_at;
}

enum signing token_get(struct token *token, struct arena *arena, struct str *value)
{
    while (!is_good(token) && token->fetching) {
        enum wait wait = room_wait(&token->room);
        if (wait != WAIT_DONE)
            return wait == WAIT_DEADLINE ? SIGNING_DEADLINE : SIGNING_CANCELLED;
    }
    if (!is_good(token)) {
        if (token->failed_at && clock_steady() - token->failed_at < FAILURE_PAUSE)
            return token->failure;
        struct str answer;
        token->fetching = true;
        enum signing signing =
            token->fetch.fetch(token->fetch.context, arena, token->path, token->authorization, token->form, &answer);
        token->fetching = false;
        if (signing == SIGNING_DONE && !keep(token, arena, answer))
            signing = SIGNING_REFUSED;
        if (signing == SIGNING_REFUSED || signing == SIGNING_UNAVAILABLE) {
            token->failed_at = clock_steady();
            token->failure = signing;
        }
        room_call(&token->room);
        if (signing != SIGNING_DONE)
            return signing;
    }
    *value = str_copy(arena, (struct str){token->value, token->len});
    return SIGNING_DONE;
}

bool token_drop(struct token *token, struct str value)
{
    if (!token->value || !str_equal((struct str){token->value, token->len}, value))
        return true;
    if (clock_steady() - token->fetched_at < REFUSAL_PAUSE)
        return false;
    token->renew_at = 0;
    return true;
}
