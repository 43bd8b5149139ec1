/* Validation and the steps before it, over requests made by hand: what is read, what is refused, with which words and fields.
 */
#include "asked.h"

#include "edge/cursor.h"
#include "edge/pipeline.h"

#include <shimin/cursor.h>
#include <shimin/log.h>
#include <shimin/metrics.h>
#include <shimin/module.h>

#define CONTRACT                                                                                                               \
    TEST_CONTRACT(                                                                                                             \
        "  /v1/list/{id}:\n"                                                                                                   \
        "    get:\n"                                                                                                           \
        "      operationId: list\n"                                                                                            \
        "      parameters:\n"                                                                                                  \
        "        - {name: id, in: path, required: true, schema: {type: string, maxLength: 10}}\n"                              \
        "        - {name: limit, in: query, schema: {type: integer, minimum: 1, default: 20}}\n"                               \
        "        - {name: tag, in: query, schema: {type: array, items: {type: string}, maxItems: 3}}\n"                        \
        "        - {name: text, in: query, schema: {type: string}}\n"                                                          \
        "        - {name: X-Count, in: header, schema: {type: integer}}\n"                                                     \
        "      " RESPONSES "\n"                                                                                                \
        "    post:\n"                                                                                                          \
        "      operationId: write\n"                                                                                           \
        "      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"                                   \
        "      requestBody:\n"                                                                                                 \
        "        required: true\n"                                                                                             \
        "        content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: integer}}}}}\n"     \
        "      " RESPONSES "\n"                                                                                                \
        "    delete:\n"                                                                                                        \
        "      operationId: drop\n"                                                                                            \
        "      parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"                                   \
        "      " RESPONSES "\n"                                                                                                \
        "  /v1/mine:\n"                                                                                                        \
        "    get:\n      operationId: mine\n      x-shimin: {level: L1}\n      " RESPONSES "\n")

static struct arena *arena;
static struct limits limits;
static struct edge_settings edge = {.limits = &limits};
static unsigned handled;

static void list(struct request *request)
{
    handled++;
    struct json_out *out = reply_json(request, 200);
    json_object(out);
    json_field(out, "id", request_string(request, "id"));
    json_field_i64(out, "limit", request_integer(request, "limit", -1));
    json_field_i64(out, "count", request_integer(request, "X-Count", -1));
    const struct json *tags = request_parameter(request, "tag");
    json_field_i64(out, "tags", tags ? tags->count : 0);
    if (tags && tags->count)
        json_field(out, "first", tags->items[0].string);
}

static void empty(struct request *request)
{
    handled++;
    reply_empty(request, 204);
}

static struct request *asked;
static struct {
    const char *method, *path, *query, *body, *authorization, *count;
} question;

static void ask_inside(void)
{
    asked = request_of(arena, question.method, question.path, question.query, question.body);
    if (question.authorization)
        add_field(asked, "authorization", question.authorization);
    if (question.count)
        add_field(asked, "x-count", question.count);
    pipeline_handle(asked);
    asked->status = asked->reply.status;
}

static void ask(const char *method, const char *path, const char *query, const char *body)
{
    question.method = method;
    question.path = path;
    question.query = query;
    question.body = body;
    handled = 0;
    ask_inside();
}

/* Workers start once a process, so all that a test asks it asks in one body. */
#define EXPECT(status_, words)                                                                                                 \
    do {                                                                                                                       \
        ck_assert_msg(asked->reply.status == (status_), "%s %s?%s gave %u: %.*s", question.method, question.path,              \
                      question.query, asked->reply.status, STR_ARG(replied(asked)));                                           \
        ASSERT_HAS(replied(asked), (words));                                                                                   \
        ck_assert_uint_eq(handled, (status_) < 300);                                                                           \
    } while (0)

static void read_queries(void)
{
    static const struct {
        const char *path, *query;
        unsigned status;
        const char *words;
    } cases[] = {
        {"/v1/list/a", "", 200, "\"limit\":20"},
        {"/v1/list/a%20b", "", 200, "\"id\":\"a b\""},
        {"/v1/list/a%zz", "", 400, "invalid-parameter"},
        {"/v1/list/abcdefghijk", "", 400, "\"parameter\":\"id\""},
        {"/v1/list/a%ff", "", 400, "\"parameter\":\"id\""},
        {"/v1/list/a", "limit=5", 200, "\"limit\":5"},
        {"/v1/list/a", "limit=0", 400, "\"parameter\":\"limit\""},
        {"/v1/list/a", "limit=-1", 400, "\"parameter\":\"limit\""},
        {"/v1/list/a", "limit=ten", 400, "\"parameter\":\"limit\""},
        {"/v1/list/a", "limit=", 400, "\"parameter\":\"limit\""},
        {"/v1/list/a", "limit", 400, "\"parameter\":\"limit\""},
        {"/v1/list/a", "limit=9223372036854775807", 200, "\"limit\":9223372036854775807"},
        {"/v1/list/a", "limit=99999999999999999999999", 200, "\"limit\":"},
        {"/v1/list/a", "limit=1&limit=2", 400, "\"parameter\":\"limit\""},
        {"/v1/list/a", "limit=0x10", 400, "\"parameter\":\"limit\""},
        {"/v1/list/a", "tag=x&tag=y", 200, "\"tags\":2"},
        {"/v1/list/a", "tag=x%2Cy&tag=z", 200, "\"first\":\"x,y\""},
        {"/v1/list/a", "tag=1&tag=2&tag=3&tag=4", 400, "\"parameter\":\"tag\""},
        {"/v1/list/a", "text=%", 400, "百分号编码有误"},
        {"/v1/list/a", "text=%e6%9d%8e&&&=&%zz=1&unknown=%zz", 200, "\"limit\":20"},
        {"/v1/list/a", "text=%c3%28", 400, "\"parameter\":\"text\""},
        {"/v1/list/a", "te%78t=%zz", 400, "\"parameter\":\"text\""},
    };
    open_catalogue();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ask("GET", cases[i].path, cases[i].query, NULL);
        EXPECT(cases[i].status, cases[i].words);
    }
    question.count = "7";
    ask("GET", "/v1/list/a", "", NULL);
    EXPECT(200, "\"count\":7");
    question.count = "7, 8";
    ask("GET", "/v1/list/a", "", NULL);
    EXPECT(400, "\"parameter\":\"X-Count\"");
    question.count = NULL;
}

START_TEST(parameters_are_read_from_their_place_and_every_fault_is_named)
{
    inside(1, read_queries);
}
END_TEST

static void read_bodies(void)
{
    open_catalogue();
    ask("POST", "/v1/list/a", "", "{\"a\":1}");
    EXPECT(204, "");
    ask("POST", "/v1/list/a", "", "{\"a\":\"1\"}");
    EXPECT(422, "#/a");
    ask("POST", "/v1/list/a", "", "{\"a\":1");
    EXPECT(400, "invalid-json");
    ask("POST", "/v1/list/a", "", "{\"a\":1,\"a\":2}");
    EXPECT(400, "invalid-json");
    ask("POST", "/v1/list/a", "", NULL);
    EXPECT(400, "invalid-json");
    ask("DELETE", "/v1/list/a", "", "{not json");
    EXPECT(204, "");
    ask("PUT", "/v1/list/a", "", NULL);
    EXPECT(405, "method-not-allowed");
    struct str allow;
    ck_assert_uint_eq(reply_fields(asked, "allow", &allow), 1);
    ck_assert(str_is(allow, "GET, HEAD, POST, DELETE, OPTIONS"));
    ask("HEAD", "/v1/list/a", "", NULL);
    EXPECT(200, "");
    ask("BREW", "/v1/list/a", "", NULL);
    EXPECT(501, "method-unknown");
    ask("GET", "/v1/nothing", "", NULL);
    EXPECT(404, "not-found");
}

START_TEST(bodies_and_methods_are_judged)
{
    inside(1, read_bodies);
}
END_TEST

/* None of these can be a token, so nobody is asked for a session. */
static void challenge(void)
{
    static const char *const fields[] = {NULL,           "Bearer",
                                         "Bearer ",      "Basic YTpi",
                                         "Bearer short", "Bearer A, Bearer B",
                                         "bearer \t x",  "Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, Bearer B"};
    open_catalogue();
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        struct str value;
        question.authorization = fields[i];
        ask("GET", "/v1/mine", "", NULL);
        EXPECT(401, "\"unauthenticated\"");
        ck_assert_uint_eq(reply_fields(asked, "www-authenticate", &value), 1);
        ck_assert(str_starts(value, STR("Bearer")));
    }
    question.authorization = NULL;
}

START_TEST(a_401_carries_exactly_one_challenge)
{
    inside(1, challenge);
}
END_TEST

static double in_flight(void)
{
    struct str text = metrics_render(arena);
    ptrdiff_t at = str_find(text, STR("\nhttp_requests_in_flight "));
    double value;
    if (at < 0)
        return 0;
    struct str rest = str_slice(text, (size_t)at + sizeof "\nhttp_requests_in_flight " - 1, text.len);
    ck_assert(str_to_double(str_cut(&rest, '\n'), &value));
    return value;
}

static void count(void)
{
    open_catalogue();
    ask("GET", "/v1/list/a", "", NULL);
    ck_assert(in_flight() == 1);
    pipeline_finished(asked);
    ck_assert(in_flight() == 0);
    ask("GET", "/v1/nothing", "", NULL);
    pipeline_finished(asked);
    ck_assert(in_flight() == 0);
    /* a refused head, a preflight or a stream that was reset at once: finished without having been begun here */
    pipeline_finished(request_of(arena, "GET", "/", "", NULL));
    ck_assert(in_flight() == 0);
}

START_TEST(requests_in_flight_are_counted_down_by_those_that_were_counted_up)
{
    inside(1, count);
}
END_TEST

START_TEST(a_cursor_that_was_changed_in_any_bit_or_is_of_another_list_is_refused)
{
    struct str state, cursor = cursor_make(arena, "services", STR("fund-balance-query"));
    ck_assert(cursor_read(arena, "services", cursor, &state) && str_is(state, "fund-balance-query"));
    ck_assert(!cursor_read(arena, "footprints", cursor, &state));
    ck_assert(!cursor_read(arena, "services", STR(""), &state));
    ck_assert(!cursor_read(arena, "services", str_slice(cursor, 0, 10), &state));
    ck_assert(!cursor_read(arena, "services", str_slice(cursor, 0, cursor.len - 1), &state));
    for (size_t i = 0; i < cursor.len; i++) {
        char *changed = str_to_c(arena, cursor);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        ck_assert(!cursor_read(arena, "services", str_of(changed), &state));
    }
    /* purpose and state cannot be moved into each other */
    cursor = cursor_make(arena, "service", (struct str){"s\0x", 3});
    ck_assert(!cursor_read(arena, "services", cursor, &state));
}
END_TEST

static const struct module module = {
    .name = "test",
    .contract = CONTRACT,
    .contract_size = &(const size_t){sizeof CONTRACT - 1},
    .handlers = (const struct module_handler[]){{"list", list}, {"write", empty}, {"drop", empty}, {"mine", empty}, {0}},
};

static void set_up(void)
{
    static const uint8_t key[32] = {1};
    arena = arena_open();
    struct text faults = text_open(arena, 256);
    log_set_level(LOG_ERROR);
    cursor_open(key);
    edge.deadline = seconds(5);
    edge.routes = routes_load(arena, (const struct module *const[]){&module, NULL}, &limits, &faults);
    ck_assert_msg(edge.routes != NULL, "%s", faults.at);
    pipeline_open(&edge);
}

static void tear_down(void)
{
    arena_close(arena);
}

int main(void)
{
    Suite *suite = suite_create("edge validate");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, parameters_are_read_from_their_place_and_every_fault_is_named);
    tcase_add_test(all, bodies_and_methods_are_judged);
    tcase_add_test(all, a_401_carries_exactly_one_challenge);
    tcase_add_test(all, requests_in_flight_are_counted_down_by_those_that_were_counted_up);
    tcase_add_test(all, a_cursor_that_was_changed_in_any_bit_or_is_of_another_list_is_refused);
    suite_add_tcase(suite, all);
    return run_all(suite);
}
