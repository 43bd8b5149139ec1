/* What texts of the configuration must look like: found at the start, with their line, and not by the part that uses them. */
#include "config_checks.h"

#include "store/redis_url.h"

#include <arpa/inet.h>
#include <libpq-fe.h>

struct str refuse_address(struct arena *arena, struct str text)
{
    struct in6_addr address;
    const char *c = str_to_c(arena, text);
    return inet_pton(AF_INET, c, &address) == 1 || inet_pton(AF_INET6, c, &address) == 1
               ? STR_NONE
               : STR("must be a numeric address, as 127.0.0.1 or ::");
}

/* What follows http:// or https://, or STR_NONE. */
static struct str behind_scheme(struct str text)
{
    static const struct str schemes[] = {STR("https://"), STR("http://")};
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        if (str_starts(text, schemes[i]) && text.len > schemes[i].len)
            return str_slice(text, schemes[i].len, text.len);
    return STR_NONE;
}

static bool is_visible(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] <= ' ' || text.at[i] > '~')
            return false;
    return true;
}

/* A browser sends scheme, host in lower case and a port that is not the scheme's own; what looks otherwise never matches. */
struct str refuse_origin(struct arena *arena, struct str text)
{
    (void)arena;
    struct str host = behind_scheme(text);
    bool good = host.at && is_visible(host);
    for (size_t i = 0; good && i < host.len; i++)
        good = host.at[i] != '/' && host.at[i] != '*' && host.at[i] != '@' && !(host.at[i] >= 'A' && host.at[i] <= 'Z');
    return good ? STR_NONE : STR("must be an origin in lower case and without a path, as https://app.example");
}

struct str refuse_problem_base(struct arena *arena, struct str text)
{
    (void)arena;
    return behind_scheme(text).at && is_visible(text) && str_ends(text, STR("/"))
               ? STR_NONE
               : STR("must be a URL that ends in /, as https://api.city.example/problems/");
}

struct str refuse_postgres(struct arena *arena, struct str text)
{
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(str_to_c(arena, text), &reason);
    struct str refusal =
        options ? STR_NONE : str_copy(arena, str_trim(reason ? str_of(reason) : STR("is no connection string of libpq")));
    PQconninfoFree(options);
    PQfreemem(reason);
    return refusal;
}

struct str refuse_redis(struct arena *arena, struct str text)
{
    struct redis_url url;
    return redis_url_parse(arena, str_copy(arena, text), &url)
               ? STR_NONE
               : STR("must be redis://[user][:password@]host[:port][/database] or unix:/path");
}
