/* What a reply looks like on the wire. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "harness.h"

static char long_text[5000];

static void say_tagged(struct request *request)
{
    memset(long_text, 'a', sizeof long_text);
    reply_cache(request, "public, max-age=60");
    reply_etag(request, STR("v1"));
    reply_bytes(request, 200, "application/json", (struct str){long_text, sizeof long_text});
}

static void say_skipped(struct request *request)
{
    reply_cache(request, "private, no-cache");
    if (reply_not_modified(request, STR("v2")))
        return;
    reply_etag(request, STR("v2"));
    json_object(reply_json(request, 200));
}

static void say_created(struct request *request)
{
    reply_header(request, "location", STR("/x/1"));
    reply_header(request, "x-note", STR("a\r\nx-injected: b"));
    reply_empty(request, 201);
}

static void refuse(struct request *request)
{
    static const struct problem_error errors[] = {
        {.pointer = STR("/人/a b"), .detail = BILINGUAL("应为数字", "must be a number")},
        {.parameter = STR("limit"), .detail = BILINGUAL("过大", "is too large")},
    };
    reply_header(request, "location", STR("/gone"));
    json_object(reply_json(request, 200));
    reply_problem(request, &(struct problem){.type = PROBLEM_VALIDATION,
                                             .detail = BILINGUAL("细节", "Detail"),
                                             .errors = errors,
                                             .error_count = 2,
                                             .retry_after = 7,
                                             .extension = STR("\"operation\":\"x\"")});
}

static void ask_to_sign_in(struct request *request)
{
    reply_fault(request, PROBLEM_UNAUTHENTICATED, (struct bilingual){0});
}

static void pass_on(struct request *request)
{
    reply_bytes(request, 200, "text/plain", request_traceparent(request));
}

static const struct harness_route routes[] = {
    {"/tagged", say_tagged},
    {"/skipped", say_skipped},
    {"/created", say_created},
    {"/refuse", refuse},
    {"/sign-in", ask_to_sign_in},
    {"/trace", pass_on},
    {0},
};

static const char *const origins[] = {"https://app.example"};

static void start(void)
{
    harness_settings = http_settings_default;
    harness_settings.origins = origins;
    harness_settings.origin_count = 1;
    harness_settings.problem_base = "https://city.example/problems/";
    harness_settings.body_bytes = 1000;
    harness_start(1, routes);
}

static void stop(void)
{
    harness_stop(2);
}

/* Sends a GET with these header lines, and checks that the answer has each of the given texts (case aside). */
static char *ask(const char *method, const char *path, const char *lines)
{
    char text[2048];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", method, path, lines);
    int client = client_open();
    client_send(client, text);
    char *all = client_read_all(client, 65536);
    close(client);
    return all;
}

#define has(text, part) ck_assert_msg(strcasestr(text, part) != NULL, "no %s in %s", part, text)
#define has_not(text, part) ck_assert_msg(strcasestr(text, part) == NULL, "%s in %s", part, text)

START_TEST(a_reply_carries_the_security_fields)
{
    char *all = ask("GET", "/skipped", "");
    has(all, "x-content-type-options: nosniff");
    has(all, "content-security-policy: default-src 'none'; frame-ancestors 'none'");
    has(all, "referrer-policy: no-referrer");
    has(all, "cross-origin-resource-policy: same-site");
    has(all, "cache-control: private, no-cache");
    has(all, "etag: \"v2\"");
    has_not(all, "server:");
    has_not(all, "strict-transport-security"); /* plain */
    free(all);
}
END_TEST

START_TEST(a_tag_the_client_has_gives_304_with_the_fields_it_must_repeat)
{
    const char *const listings[] = {"\"v1\"", "W/\"v1\"", "\"x,y\", \"v1\"", "*"};
    for (size_t i = 0; i < COUNT_OF(listings); i++) {
        char lines[100];
        snprintf(lines, sizeof lines, "If-None-Match: %s\r\n", listings[i]);
        char *all = ask("GET", "/tagged", lines);
        has(all, "HTTP/1.1 304");
        has(all, "etag: \"v1\"");
        has(all, "cache-control: public, max-age=60");
        has(all, "vary: Origin");
        has_not(all, "\ncontent-type");
        has_not(all, "aaaa");
        free(all);
    }
    char *all = ask("GET", "/tagged", "If-None-Match: \"v1-gzip\"\r\n");
    has(all, "HTTP/1.1 304");
    has(all, "etag: \"v1-gzip\"");
    free(all);
    all = ask("GET", "/skipped", "If-None-Match: \"v2\"\r\n");
    has(all, "HTTP/1.1 304");
    free(all);
    all = ask("GET", "/tagged", "If-None-Match: \"v2\"\r\n");
    has(all, "HTTP/1.1 200");
    free(all);
}
END_TEST

START_TEST(a_body_is_compressed_for_who_accepts_it_under_a_tag_of_its_own)
{
    char *all = ask("GET", "/tagged", "Accept-Encoding: br, gzip;q=0.5\r\n");
    has(all, "content-encoding: gzip");
    has(all, "etag: \"v1-gzip\"");
    has(all, "vary: Origin, Accept-Encoding");
    char *body = strstr(all, "\r\n\r\n") + 4, out[6000];
    z_stream stream = {.next_in = (Bytef *)body, .avail_in = 4000, .next_out = (Bytef *)out, .avail_out = sizeof out};
    ck_assert_int_eq(inflateInit2(&stream, 31), Z_OK);
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(stream.total_out, sizeof long_text);
    inflateEnd(&stream);
    free(all);
    all = ask("GET", "/tagged", "Accept-Encoding: gzip;q=0, *\r\n");
    has_not(all, "content-encoding");
    has(all, "vary: Origin, Accept-Encoding");
    free(all);
    all = ask("GET", "/skipped", "Accept-Encoding: gzip\r\n"); /* too small */
    has_not(all, "content-encoding");
    free(all);
}
END_TEST

START_TEST(head_is_get_without_the_body)
{
    char *all = ask("HEAD", "/tagged", "");
    has(all, "HTTP/1.1 200");
    has(all, "content-length: 5000");
    ck_assert_str_eq(strstr(all, "\r\n\r\n"), "\r\n\r\n");
    free(all);
}
END_TEST

START_TEST(a_value_cannot_begin_a_field_of_its_own)
{
    char *all = ask("POST", "/created", "Content-Length: 0\r\n");
    has(all, "HTTP/1.1 201");
    has(all, "location: /x/1\r\n");
    has_not(all, "\nx-injected");
    free(all);
}
END_TEST

START_TEST(a_problem_says_what_and_where_in_the_reader_s_language)
{
    char *all = ask("GET", "/refuse", "");
    has(all, "HTTP/1.1 422");
    has(all, "content-type: application/problem+json");
    has(all, "content-language: zh-CN");
    has(all, "cache-control: no-store");
    has(all, "retry-after: 7");
    has_not(all, "location:");
    has(all, "\"type\":\"https://city.example/problems/validation-error\",\"title\":\"内容不符合要求\",\"status\":422,"
             "\"detail\":\"细节\",\"code\":\"validation-error\",\"trace_id\":\"");
    has(all, "\"errors\":[{\"detail\":\"应为数字\",\"pointer\":\"#/%E4%BA%BA/"
             "a%20b\"},{\"detail\":\"过大\",\"parameter\":\"limit\"}],"
             "\"operation\":\"x\"}");
    free(all);
    all = ask("GET", "/refuse", "Accept-Language: en-GB, zh;q=0.8\r\n");
    has(all, "content-language: en");
    has(all, "\"title\":\"The content is not valid\"");
    free(all);
    all = ask("GET", "/sign-in", "");
    has(all, "www-authenticate: Bearer");
    free(all);
}
END_TEST

START_TEST(an_allowed_origin_is_echoed_and_another_is_not)
{
    char *all = ask("GET", "/none", "Origin: https://app.example\r\n");
    has(all, "HTTP/1.1 404");
    has(all, "access-control-allow-origin: https://app.example");
    has(all, "access-control-expose-headers: ETag");
    free(all);
    const char *const others[] = {"Origin: https://app.example.evil\r\n", "Origin: null\r\n", "Origin: http://app.example\r\n"};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        all = ask("GET", "/tagged", others[i]);
        has_not(all, "access-control");
        has(all, "vary: Origin");
        free(all);
    }
}
END_TEST

START_TEST(a_preflight_is_answered_without_the_handler)
{
    char *all = ask("OPTIONS", "/tagged", "Origin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n");
    has(all, "HTTP/1.1 204");
    has(all, "access-control-allow-methods: GET, HEAD, POST, PUT");
    has(all, "access-control-allow-headers: authorization");
    has(all, "access-control-max-age: 7200");
    has_not(all, "content-length");
    free(all);
    all = ask("OPTIONS", "/tagged", "Origin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n");
    has(all, "HTTP/1.1 403");
    has_not(all, "access-control-allow");
    free(all);
}
END_TEST

START_TEST(a_valid_trace_goes_on_with_a_span_of_ours)
{
    char *all = ask("GET", "/trace", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n");
    has(all, "x-request-id: 0af7651916cd43dd8448eb211c80319c");
    has(all, "\r\n\r\n00-0af7651916cd43dd8448eb211c80319c-");
    has_not(all, "b7ad6b7169203331");
    free(all);
    all = ask("GET", "/trace", "traceparent: 00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n");
    has_not(all, "0af7651916cd43dd8448eb211c80319c");
    free(all);
}
END_TEST

START_TEST(what_no_handler_should_see_is_refused_with_a_problem)
{
    char *all = ask("BREW", "/tagged", "");
    has(all, "HTTP/1.1 501");
    has(all, "\"code\":\"method-unknown\"");
    free(all);
    char many[1501] = "";
    all = ask("POST", "/tagged", "Content-Length: 3000\r\n"); /* libh2o's own */
    has(all, "HTTP/1.1 413");
    has(all, "application/problem+json");
    has(all, "\"code\":\"body-too-large\"");
    free(all);
    memset(many, 'b', 1500);
    char text[2048];
    snprintf(text, sizeof text, "POST /tagged HTTP/1.1\r\nHost: x\r\nContent-Length: 1500\r\n\r\n%s", many);
    all = client_ask(text);
    has(all, "HTTP/1.1 413");
    has(all, "\"code\":\"body-too-large\"");
    free(all);
    all = client_ask("POST /tagged HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    has(all, "HTTP/1.1 400");
    has(all, "connection: close");
    free(all);
    all = client_ask("POST /tagged HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd");
    has(all, "HTTP/1.1 400");
    free(all);
    all = client_ask("POST /tagged HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    has(all, "HTTP/1.1 400");
    has(all, "\"code\":\"bad-request\"");
    free(all);
    all = client_ask("GET /tagged HTTP/1.1\r\n\r\n");
    has(all, "HTTP/1.1 400");
    free(all);
    all = client_ask("GET tagged HTTP/1.1\r\nHost: x\r\n\r\n");
    has(all, "HTTP/1.1 400");
    free(all);
    char *large = malloc(40000);
    memset(large, 'h', 39999);
    large[39999] = 0;
    char *head = malloc(41000);
    snprintf(head, 41000, "GET /tagged HTTP/1.1\r\nHost: x\r\nX-Large: %s\r\n\r\n", large);
    all = client_ask(head);
    has(all, "HTTP/1.1 431");
    has(all, "\"code\":\"headers-too-large\"");
    free(all);
    free(large);
    free(head);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http reply");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, 30);
    tcase_add_checked_fixture(all, start, stop);
    tcase_add_test(all, a_reply_carries_the_security_fields);
    tcase_add_test(all, a_tag_the_client_has_gives_304_with_the_fields_it_must_repeat);
    tcase_add_test(all, a_body_is_compressed_for_who_accepts_it_under_a_tag_of_its_own);
    tcase_add_test(all, head_is_get_without_the_body);
    tcase_add_test(all, a_value_cannot_begin_a_field_of_its_own);
    tcase_add_test(all, a_problem_says_what_and_where_in_the_reader_s_language);
    tcase_add_test(all, an_allowed_origin_is_echoed_and_another_is_not);
    tcase_add_test(all, a_preflight_is_answered_without_the_handler);
    tcase_add_test(all, a_valid_trace_goes_on_with_a_span_of_ours);
    tcase_add_test(all, what_no_handler_should_see_is_refused_with_a_problem);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
