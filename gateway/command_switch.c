/* shimin switch: open or close services, with a reason that citizens see. The database does the work: the same functions serve
 * the administrators' interface. */
#include "command.h"

#include "catalogue/switch_rules.h"
#include "owner.h"

#include <shimin/catalogue.h>
#include <shimin/clock.h>
#include <shimin/json.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was typed. */
struct wish {
    const char *target, *position, *reason_zh, *reason_en, *from, *until, *share;
};

static bool is_time(const char *text)
{
    int64_t wall;
    return !text || time_parse_rfc3339(str_of(text), &wall);
}

/* What Postgres would not understand; what else may be wrong with a wish, it says itself. */
static const char *fault_of(const struct wish *wish)
{
    enum switch_position position;
    int64_t share = 1;
    if (!switch_position_named(str_of(wish->position), &position))
        return "the position must be open, no_new, read_only or off";
    if (!is_time(wish->from) || !is_time(wish->until))
        return "--from and --until are times such as 2026-03-01T22:00:00+08:00";
    if (wish->share && (!str_to_i64(str_of(wish->share), &share) || share < 1 || share > 99))
        return "--share is a percentage of 1 to 99";
    return NULL;
}

static void put(struct json_out *out, const char *name, const char *value)
{
    if (value)
        json_field_c(out, name, value);
}

/* "metro-arrivals" and "service:metro-arrivals", "department:metro", "category:travel", "area:510104", "city" by scope and
 * target, which "city" has none of. */
static struct str read_target(const char *words, struct str *target)
{
    struct str rest = str_of(words);
    *target = STR_NONE;
    if (str_is(rest, "city"))
        return rest;
    struct str scope = str_find(rest, STR(":")) >= 0 ? str_cut(&rest, ':') : STR("service");
    *target = rest;
    return scope;
}

static void put_target(struct json_out *out, const char *words)
{
    struct str target;
    json_field(out, "scope", read_target(words, &target));
    if (target.at)
        json_field(out, "target", target);
}

/* As the audit calls it. */
static const char *target_name(struct arena *arena, const char *words)
{
    struct str target, scope = read_target(words, &target);
    return target.at ? str_printf(arena, "%.*s:%.*s", STR_ARG(scope), STR_ARG(target)).at : words;
}

static const char *wish_text(struct arena *arena, const struct wish *wish)
{
    /* who gives one text gives it for both languages */
    const char *zh = wish->reason_zh ? wish->reason_zh : wish->reason_en;
    const char *en = wish->reason_en ? wish->reason_en : wish->reason_zh;
    struct text text = text_open(arena, 256);
    struct json_out out = json_write(&text);
    json_object(&out);
    put_target(&out, wish->target);
    put(&out, "position", wish->position);
    put(&out, "from", wish->from);
    put(&out, "until", wish->until);
    put(&out, "share", wish->share);
    json_key(&out, "reason");
    json_object(&out);
    put(&out, "zh", zh);
    put(&out, "en", en);
    json_end_all(&out);
    return text.at;
}

/* Who works on the machine itself is bound by no department, but by the second person. */
static const char *bounds_text(struct arena *arena, const struct config *config)
{
    switch_rules_open(config_integer(config, "switches.second_person_above"),
                      config_duration(config, "switches.proposal_time"));
    return str_to_c(arena, switch_bounds(arena, STR_NONE, STR_NONE));
}

static void clear_result(PGresult **result)
{
    PQclear(*result);
}

/* What is done, as the audit names it; NULL for what only looks. */
struct act {
    const char *action, *object, *detail;
};

static PGconn *open_act(const struct config *config, const struct act *act)
{
    PGconn *connection = owner_connect(config);
    if (connection && act && !owner_run(connection, "BEGIN", NULL, 0))
        owner_close(&connection);
    return connection;
}

/* Recorded with what it did, or neither is there. A refusal is recorded for itself. */
static bool close_act(PGconn *connection, const struct act *act, bool refused)
{
    if (!act)
        return true;
    return (!refused || (owner_run(connection, "ROLLBACK", NULL, 0) && owner_run(connection, "BEGIN", NULL, 0))) &&
           operator_record(connection, act->action, act->object, refused ? "failed" : "done", act->detail) &&
           owner_run(connection, "COMMIT", NULL, 0);
}

/* What a function of the database answered, its faults told; NULL when there is one. */
static const struct json *ask(struct arena *arena, const struct config *config, const struct act *act, const char *sql,
                              const char *const *values, size_t count)
{
    CLEANUP(owner_close) PGconn *connection = open_act(config, act);
    CLEANUP(clear_result) PGresult *row = connection ? owner_query(connection, sql, values, count) : NULL;
    if (!row)
        return NULL;
    struct json_error error;
    const struct json *answer =
        json_parse(arena, str_copy(arena, str_of(PQgetvalue(row, 0, 0))), &json_limits_document, &error);
    struct str fault = json_get_string(answer, "fault", STR_NONE);
    if (!close_act(connection, act, fault.at != NULL))
        return NULL;
    if (!fault.at)
        return answer;
    fprintf(stderr, "shimin switch: %.*s\n", STR_ARG(switch_fault_text(fault).en));
    return NULL;
}

static void print_member(const struct json *object, const char *name, const char *before)
{
    struct str value = json_get_string(object, name, STR_NONE);
    if (value.at)
        printf("%s%.*s", before, STR_ARG(value));
}

static void print_switch(const struct json *row)
{
    int64_t undoes = json_get_integer(row, "undoes", 0), share = json_get_integer(row, "share", 0);
    printf("%6lld  ", (long long)json_get_integer(row, "id", 0));
    print_member(row, "scope", "");
    print_member(row, "target", ":");
    print_member(row, "position", "  ");
    if (undoes)
        printf("  undoes %lld", (long long)undoes);
    if (share)
        printf(" for %lld%% of the citizens", (long long)share);
    print_member(row, "from", " from ");
    print_member(row, "until", " until ");
    print_member(json_get(row, "reason"), "en", ": ");
    print_member(row, "set_by", " (by ");
    print_member(row, "set_at", " at ");
    puts(")");
}

static int print_outcome(const struct json *answer)
{
    const struct json *proposal = json_get(answer, "proposal"), *made = json_get(answer, "switch");
    if (!answer)
        return EXIT_FAILED;
    if (made)
        print_switch(made);
    if (proposal && !made)
        printf("proposal %lld hits %lld services and waits for a second person until %.*s: shimin switch confirm %lld\n",
               (long long)json_get_integer(proposal, "id", 0), (long long)json_get_integer(proposal, "reach", 0),
               STR_ARG(json_get_string(proposal, "expires_at", STR(""))), (long long)json_get_integer(proposal, "id", 0));
    return EXIT_DONE;
}

static int set_switch(struct arena *arena, const struct config *config, const struct wish *wish)
{
    const char *values[] = {wish_text(arena, wish), operator_label(arena).at, bounds_text(arena, config)};
    const struct act act = {"setSwitch", target_name(arena, wish->target), wish->position};
    return print_outcome(ask(arena, config, &act, "SELECT shimin.switch_set($1, $2, $3)", values, COUNT_OF(values)));
}

static int preview(struct arena *arena, const struct config *config, const struct wish *wish)
{
    const char *values[] = {wish_text(arena, wish), bounds_text(arena, config)};
    const struct json *answer =
        ask(arena, config, NULL, "SELECT jsonb_strip_nulls(shimin.switch_preview($1, $2))", values, COUNT_OF(values));
    for (uint32_t i = 0; answer && i < answer->count; i++)
        printf("%-20.*s %.*s\n", STR_ARG(answer->members[i].name), STR_ARG(json_text(arena, &answer->members[i].value)));
    return answer ? EXIT_DONE : EXIT_FAILED;
}

static int undo(struct arena *arena, const struct config *config, const char *id)
{
    const char *values[] = {id, operator_label(arena).at, bounds_text(arena, config)};
    const struct act act = {"undoSwitch", str_printf(arena, "switch:%s", id).at, "undo"};
    return print_outcome(ask(arena, config, &act, "SELECT shimin.switch_undo($1, $2, $3)", values, COUNT_OF(values)));
}

static int decide(struct arena *arena, const struct config *config, const char *id, bool confirms)
{
    const char *values[] = {id, confirms ? "true" : "false", operator_label(arena).at, bounds_text(arena, config)};
    const struct act act = {confirms ? "confirmProposal" : "refuseProposal", str_printf(arena, "proposal:%s", id).at,
                            confirms ? "confirm" : "refuse"};
    return print_outcome(ask(arena, config, &act, "SELECT shimin.proposal_decide($1, $2, $3, $4)", values, COUNT_OF(values)));
}

static int list(struct arena *arena, const struct config *config, const char *sql, void (*print)(const struct json *row))
{
    const struct json *rows = ask(arena, config, NULL, sql, NULL, 0);
    for (uint32_t i = 0; rows && i < rows->count; i++)
        print(&rows->items[i]);
    return rows ? EXIT_DONE : EXIT_FAILED;
}

static void print_proposal(const struct json *proposal)
{
    const struct json *wish = json_get(proposal, "wish");
    printf("%6lld  ", (long long)json_get_integer(proposal, "id", 0));
    print_member(wish, "scope", "");
    print_member(wish, "target", ":");
    print_member(wish, "position", "  ");
    printf(" hits %lld services", (long long)json_get_integer(proposal, "reach", 0));
    print_member(proposal, "proposed_by", " (by ");
    print_member(proposal, "expires_at", ", waits until ");
    puts(")");
}

/* What holds and what is planned; the whole history; and what waits for a second person. */
#define ROWS(from) "SELECT coalesce(jsonb_agg(shimin.switch_json(s) ORDER BY s.id), '[]') FROM " from
static int list_live(struct arena *arena, const struct config *config)
{
    return list(arena, config,
                ROWS("shimin.switch s JOIN shimin.switch_live USING (id) WHERE s.ends_at IS NULL OR s.ends_at > now()"),
                print_switch);
}

static int list_history(struct arena *arena, const struct config *config)
{
    return list(arena, config, ROWS("shimin.switch s"), print_switch);
}

static int list_proposals(struct arena *arena, const struct config *config)
{
    return list(arena, config,
                "SELECT coalesce(jsonb_agg(shimin.proposal_json(p) ORDER BY p.id), '[]') FROM shimin.proposal p "
                "WHERE p.expires_at > now() AND NOT EXISTS (SELECT FROM shimin.proposal_decision d WHERE d.proposal = p.id)",
                print_proposal);
}

static const struct {
    const char *name;
    int (*run)(struct arena *arena, const struct config *config);
} lists[] = {{"list", list_live}, {"history", list_history}, {"proposals", list_proposals}};

static bool is_number(const char *text)
{
    int64_t number;
    return str_to_i64(str_of(text), &number) && number > 0;
}

static int run_words(struct arena *arena, const struct config *config, int argc, char **argv, struct wish *wish, bool previews)
{
    for (size_t i = 0; argc == 1 && i < COUNT_OF(lists); i++)
        if (strcmp(argv[0], lists[i].name) == 0)
            return lists[i].run(arena, config);
    if (argc != 2)
        return usage_fault(&command_switch, "name a service and a position, or say list");
    if (strcmp(argv[0], "undo") == 0 && is_number(argv[1]))
        return undo(arena, config, argv[1]);
    if ((strcmp(argv[0], "confirm") == 0 || strcmp(argv[0], "refuse") == 0) && is_number(argv[1]))
        return decide(arena, config, argv[1], argv[0][0] == 'c');
    wish->target = argv[0];
    wish->position = argv[1];
    const char *fault = fault_of(wish);
    if (fault)
        return usage_fault(&command_switch, fault);
    return previews ? preview(arena, config, wish) : set_switch(arena, config, wish);
}

static int run_switch(int argc, char **argv)
{
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    const char *both = option_take(&argc, argv, "--reason");
    const char *zh = option_take(&argc, argv, "--reason-zh"), *en = option_take(&argc, argv, "--reason-en");
    bool previews = flag_take(&argc, argv, "--preview");
    struct wish wish = {
        .reason_zh = zh ? zh : both,
        .reason_en = en ? en : both,
        .from = option_take(&argc, argv, "--from"),
        .until = option_take(&argc, argv, "--until"),
        .share = option_take(&argc, argv, "--share"),
    };
    return run_words(arena, config, argc, argv, &wish, previews);
}

const struct command command_switch = {
    .name = "switch",
    .usage =
        "TARGET open|no_new|read_only|off --reason TEXT [--reason-zh TEXT] [--reason-en TEXT] [--from TIME] [--until TIME]\n"
        "                     [--share PERCENT] [--preview]\n"
        "       shimin switch undo ID\n"
        "       shimin switch list|history|proposals\n"
        "       shimin switch confirm|refuse PROPOSAL",
    .summary = "Open or close services, with a reason that citizens see.",
    .help =
        "\nTARGET is a service, department:SLUG, category:SLUG, area:CODE or city.\n"
        "open: all goes. no_new: what is under way goes on, nothing new begins. read_only: only looking. off: nothing.\n"
        "Of what holds for a service by its own switch, its department's, its category's, its area's and the city's, the most\n"
        "restrictive counts. It is in force in every gateway within 50 ms and replaces what was set before for the same "
        "target,\n"
        "plans included. With --until it ends by itself. With a --from that is still to come it is a plan: until then, and "
        "again\n"
        "after its end, what was set before holds; several may be planned. --share hits so many of every hundred citizens, "
        "the\n"
        "same ones until it ends, and no guests. --preview says what it would hit, and sets nothing. undo takes an entry of "
        "the\n"
        "list back. What hits more services than switches.second_person_above waits until somebody else confirms it.\n",
    .run = run_switch,
};
