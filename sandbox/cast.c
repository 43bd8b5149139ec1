/* Loading catalogue and contracts. */
#include "cast.h"

#include <shimin/file.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 16 << 20, PLAYERS_MOST = 999 };

static bool read_file(struct arena *arena, const char *path, struct str *bytes, struct text *faults)
{
    const char *reason = file_read(arena, path, FILE_MOST, FILE_PUBLIC, bytes);
    if (reason)
        text_printf(faults, "%s: %s\n", path, reason);
    return !reason;
}

static const struct contract *read_contract(struct arena *arena, const char *path, struct text *faults)
{
    struct str bytes;
    struct contract_faults found = {0};
    if (!read_file(arena, path, &bytes, faults))
        return NULL;
    const struct contract *contract = contract_load(str_copy(arena, str_of(path)), bytes, arena, &found);
    for (size_t i = 0; !contract && i < found.count; i++)
        text_printf(faults, "%s:%u: %.*s: %.*s\n", path, found.list[i].line, STR_ARG(found.list[i].pointer),
                    STR_ARG(found.list[i].reason));
    return contract;
}

/* The catalogue has files that are about no department: the names of its categories. */
enum reading { READ_DEPARTMENT, READ_OTHER, READ_FAULTY };

static enum reading read_department(struct arena *arena, const char *path, struct player *player, struct str *contract,
                                    struct text *faults)
{
    struct str bytes;
    struct json_error error;
    if (!read_file(arena, path, &bytes, faults))
        return READ_FAULTY;
    const struct json *root = yaml_parse(arena, bytes, &json_limits_document, &error);
    if (!root) {
        text_printf(faults, "%s:%u: %s\n", path, error.line, error.reason);
        return READ_FAULTY;
    }
    const struct json *department = json_get(root, "department");
    if (!department)
        return READ_OTHER;
    player->slug = json_get_string(department, "slug", STR_NONE);
    player->number = (unsigned)json_get_integer(department, "number", 0);
    player->title = json_get_string(json_get(department, "name"), "zh", player->slug);
    player->credentials = json_get_string(json_get(department, "backend"), "credentials", player->slug);
    *contract = json_get_string(department, "contract", STR_NONE);
    if (player->slug.at && contract->at && player->number >= 1 && player->number <= PLAYERS_MOST)
        return READ_DEPARTMENT;
    text_printf(faults, "%s: has no department with slug, number and contract\n", path);
    return READ_FAULTY;
}

static int by_number(const void *a, const void *b)
{
    const struct player *one = a, *other = b;
    return (one->number > other->number) - (one->number < other->number);
}

static enum reading take(struct arena *arena, struct player *player, const char *catalogue_file, const char *contracts,
                         const struct secrets *secrets, bool secrets_given, struct text *faults)
{
    struct str name;
    enum reading reading = read_department(arena, catalogue_file, player, &name, faults);
    if (reading != READ_DEPARTMENT)
        return reading;
    const struct contract *contract = read_contract(arena, str_printf(arena, "%s/%.*s", contracts, STR_ARG(name)).at, faults);
    bool good = contract && player_prepare(player, arena, contract, secrets, secrets_given, faults);
    return good ? READ_DEPARTMENT : READ_FAULTY;
}

bool cast_load(struct arena *arena, const char *catalogue, const char *contracts, const struct secrets *secrets,
               bool secrets_given, unsigned first_port, struct player **players, unsigned *count, struct text *faults)
{
    DIR *directory = opendir(catalogue);
    bool good = true;
    if (!directory) {
        text_printf(faults, "%s: %s\n", catalogue, strerror(errno));
        return false;
    }
    *players = arena_array(arena, struct player, PLAYERS_MOST);
    *count = 0;
    for (struct dirent *entry; (entry = readdir(directory)) && *count < PLAYERS_MOST;) {
        if (!str_ends(str_of(entry->d_name), STR(".yaml")))
            continue;
        const char *path = str_printf(arena, "%s/%s", catalogue, entry->d_name).at;
        enum reading reading = take(arena, &(*players)[*count], path, contracts, secrets, secrets_given, faults);
        *count += reading == READ_DEPARTMENT;
        good &= reading != READ_FAULTY;
    }
    closedir(directory);
    qsort(*players, *count, sizeof **players, by_number);
    for (unsigned i = 0; i < *count; i++) {
        struct player *player = &(*players)[i];
        player->port = first_port + player->number - 1;
        if (i && player[-1].number == player->number) {
            text_printf(faults, "%s: two departments have the number %u\n", catalogue, player->number);
            good = false;
        }
    }
    return good && *count > 0;
}

bool cast_load_contract(struct arena *arena, const char *path, unsigned port, struct player *player, struct text *faults)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_of(slash ? slash + 1 : path);
    const char *dot = memchr(name.at, '.', name.len);
    *player = (struct player){.slug = dot ? str_slice(name, 0, (size_t)(dot - name.at)) : name, .number = 1, .port = port};
    const struct contract *contract = read_contract(arena, path, faults);
    if (!contract)
        return false;
    player->title = contract->title;
    return player_prepare(player, arena, contract, NULL, false, faults);
}
