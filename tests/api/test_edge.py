"""What holds for every request: routes, problems, validation, languages, caching, CORS, traces, limits."""
import gzip
import http.client
import json
import re
import ssl
import unittest
import urllib.parse

from client import OPERATIONS, URL, call, new_phone


def raw_call(method, target, headers=None):
    """One request whose target and fields go out as they are."""
    host = urllib.parse.urlsplit(URL)
    connection = http.client.HTTPSConnection(host.hostname, host.port, context=ssl._create_unverified_context())
    connection.request(method, target, headers=headers or {})
    answer = connection.getresponse()
    answer.bytes = answer.read()
    connection.close()
    return answer


class Routes(unittest.TestCase):
    def test_an_unknown_path_is_a_problem(self):
        answer = call("/v1/nothing/here")
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer.json["status"], 404)
        self.assertEqual(answer.json["trace_id"], answer.headers["X-Request-Id"])

    def test_a_method_that_a_path_lacks_names_those_it_has(self):
        answer = call("/v1/services", "DELETE")
        self.assertEqual(answer.status, 405)
        self.assertEqual({m.strip() for m in answer.headers["Allow"].split(",")}, {"GET", "HEAD", "OPTIONS"})

    def test_an_unknown_method_is_not_implemented(self):
        self.assertEqual(call("/v1/services", "BREW").status, 501)

    def test_options_tells_the_methods(self):
        answer = call("/v1/sessions", "OPTIONS")
        self.assertEqual(answer.status, 204)
        self.assertIn("POST", answer.headers["Allow"])

    def test_options_of_the_asterisk_asks_about_the_whole_server(self):
        answer = raw_call("OPTIONS", "*")
        self.assertEqual(answer.status, 204)
        self.assertLessEqual({"GET", "HEAD", "POST", "DELETE", "OPTIONS"}, {m.strip() for m in answer.headers["Allow"].split(",")})
        self.assertEqual(raw_call("GET", "*").status, 400)

    def test_a_status_has_its_phrase(self):
        phrases = {"DELETE": "Method Not Allowed", "BREW": "Not Implemented", "GET": "OK"}
        for method, phrase in phrases.items():
            self.assertEqual(raw_call(method, "/v1/categories").reason, phrase)

    def test_a_target_that_is_too_long_is_told_from_fields_that_are(self):
        self.assertEqual(call("/v1/services?text=" + "a" * 20000).status, 414)
        self.assertEqual(call("/v1/services", headers={"X-Long": "a" * 20000}).status, 431)

    def test_head_is_get_without_the_body(self):
        head, get = call("/v1/categories", "HEAD"), call("/v1/categories")
        self.assertEqual((head.status, head.bytes), (200, b""))
        self.assertEqual(head.headers["ETag"], get.headers["ETag"])

    def test_dot_segments_and_empty_segments_do_not_match(self):
        for path in ("/v1/./services", "/v1//services", "/v1/services/", "/v1/services/../services"):
            self.assertEqual(call(path).status, 404, path)


class Validation(unittest.TestCase):
    def test_every_faulty_parameter_is_named_at_once(self):
        answer = call("/v1/services?limit=x&level=L9")
        self.assertEqual((answer.status, answer.json["code"]), (400, "invalid-parameter"))
        self.assertEqual({error["parameter"] for error in answer.json["errors"]}, {"limit", "level"})

    def test_broken_json_tells_line_and_byte(self):
        answer = call("/v1/login/codes", raw=b'{"phone_number": }', headers={"Content-Type": "application/json", "Accept-Language": "en"})
        self.assertEqual((answer.status, answer.json["code"]), (400, "invalid-json"))
        self.assertIn("Line 1, byte 18", answer.json["detail"])

    def test_doubled_members_deep_nesting_and_lone_surrogates_are_refused(self):
        for raw in (b'{"phone_number":"1","phone_number":"2"}', b"[" * 200 + b"]" * 200, b'{"phone_number":"\\ud800"}', b'{"phone_number":"\xff"}'):
            answer = call("/v1/login/codes", raw=raw, headers={"Content-Type": "application/json"})
            self.assertEqual((answer.status, answer.json["code"]), (400, "invalid-json"), raw[:40])

    def test_a_body_of_another_type_is_refused(self):
        answer = call("/v1/login/codes", raw=b"phone_number=1", headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 415)
        self.assertIn("application/json", answer.headers["Accept"])

    def test_a_compressed_body_is_refused(self):
        body = json.dumps({"phone_number": new_phone()}).encode()
        for coding, data in (("gzip", gzip.compress(body)), ("br", body)):
            answer = call("/v1/login/codes", raw=data, headers={"Content-Type": "application/json", "Content-Encoding": coding})
            self.assertEqual((answer.status, answer.headers["Accept-Encoding"]), (415, "identity"))
        self.assertEqual(call("/v1/login/codes", raw=body, headers={"Content-Type": "application/json", "Content-Encoding": "identity"}).status, 202)

    def test_a_client_that_wants_no_type_that_there_is_is_told_which_there_are(self):
        answer = call("/v1/services", headers={"Accept": "text/csv, application/xml;q=0.5", "Accept-Language": "en"})
        self.assertEqual((answer.status, answer.json["code"]), (406, "not-acceptable"))
        self.assertIn("application/json", answer.json["detail"])
        for accept in ("*/*", "application/*", "text/html, */*;q=0.1", "application/json", ""):
            self.assertEqual(call("/v1/services", headers={"Accept": accept}).status, 200, accept)

    def test_a_body_that_breaks_the_contract_points_to_the_place(self):
        answer = call("/v1/sessions", body={"phone_number": new_phone(), "code": "12"})
        self.assertEqual((answer.status, answer.json["code"]), (422, "validation-error"))
        self.assertEqual(answer.json["errors"][0]["pointer"], "#/code")

    def test_a_missing_body_is_refused(self):
        self.assertIn(call("/v1/sessions", "POST", raw=b"").status, (400, 415, 422))

    def test_a_body_above_the_bound_is_refused(self):
        answer = call("/v1/login/codes", raw=b" " * (2 << 20), headers={"Content-Type": "application/json"})
        self.assertEqual(answer.status, 413)


class Languages(unittest.TestCase):
    def test_problems_are_in_chinese_unless_english_is_preferred(self):
        chinese, english = call("/v1/none"), call("/v1/none", headers={"Accept-Language": "en-GB,en;q=0.9,zh;q=0.5"})
        self.assertEqual(chinese.headers["Content-Language"], "zh-CN")
        self.assertEqual(english.headers["Content-Language"], "en")
        self.assertNotEqual(chinese.json["title"], english.json["title"])

    def test_each_type_of_problem_is_explained_where_it_points(self):
        code = call("/v1/none").json["type"].rsplit("/", 1)[1]
        self.assertEqual(call("/problems/" + code).json["status"], 404)


class Headers(unittest.TestCase):
    def test_answers_are_compressed_when_asked(self):
        answer = call("/v1/services?limit=50", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertIn("Accept-Encoding", answer.headers["Vary"])
        self.assertEqual(len(json.loads(gzip.decompress(answer.bytes))["items"]), 50)
        self.assertNotEqual(answer.headers["ETag"], call("/v1/services?limit=50").headers["ETag"])

    def test_the_rate_limit_is_told(self):
        answers = [call("/v1/categories") for _ in range(16)]  # each worker knows what was left when it last asked Redis
        self.assertRegex(answers[0].headers["RateLimit-Policy"], r'^"[a-z]+";q=[0-9]+;w=[0-9]+')
        left = [int(a.headers["RateLimit"].split(";r=")[1].split(";")[0]) for a in answers]
        self.assertLess(min(left), max(left))

    def test_the_rate_limit_fields_are_lists_of_strings_with_integer_parameters(self):
        """RFC 9651 by the letter: no member that a parser of structured fields would refuse, and the two fields agree."""
        answer = call("/v1/login/codes", body={"phone_number": new_phone()})
        fields = {name: [re.fullmatch(r'"([a-z-]+)";([a-z])=(\d{1,15});([a-z])=(\d{1,15})', member) for member in
                         re.split(r"[ \t]*,[ \t]*", answer.headers[name])] for name in ("RateLimit-Policy", "RateLimit")}
        for members in fields.values():
            self.assertTrue(members and all(members), answer.headers)
        policies = {m[1]: (int(m[3]), int(m[5])) for m in fields["RateLimit-Policy"] if (m[2], m[4]) == ("q", "w")}
        left = {m[1]: (int(m[3]), int(m[5])) for m in fields["RateLimit"] if (m[2], m[4]) == ("r", "t")}
        self.assertEqual((set(policies), len(left)), (set(left), len(fields["RateLimit"])))
        for name, (rest, seconds) in left.items():
            self.assertLessEqual(rest, policies[name][0])
            self.assertLessEqual(seconds, policies[name][1])

    def test_a_trace_goes_on_under_its_id(self):
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        self.assertEqual(call("/v1/none", headers={"Traceparent": parent}).json["trace_id"], "0af7651916cd43dd8448eb211c80319c")
        broken = call("/v1/none", headers={"Traceparent": parent.upper()}).json["trace_id"]
        self.assertNotEqual(broken, "0af7651916cd43dd8448eb211c80319c")

    def test_a_browser_of_a_foreign_origin_gets_no_leave(self):
        answer = call("/v1/categories", headers={"Origin": "https://evil.example"})
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])

    def test_security_headers_are_on_every_answer(self):
        for path in ("/v1/categories", "/v1/none"):
            headers = call(path).headers
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("max-age=31536000", headers["Strict-Transport-Security"])


class Self(unittest.TestCase):
    def test_the_contract_lists_what_there_is(self):
        contract = call("/openapi.json").json
        self.assertEqual(contract["openapi"][:4], "3.1.")
        for path in ("/v1/services", "/v1/sessions", "/v1/me/footprint", "/v1/services/{slug}/records", "/v1/areas/{code}/children"):
            self.assertIn(path, contract["paths"])
        self.assertNotIn("x-shimin", json.dumps(contract))

    def test_every_operation_has_summary_description_of_answers_and_errors(self):
        for path, item in call("/openapi.json").json["paths"].items():
            for method, operation in item.items():
                if method in ("get", "post", "put", "delete", "patch"):
                    self.assertIn(" / ", operation["summary"], (path, method))
                    self.assertTrue(any(code[0] == "4" for code in operation["responses"]), (path, method))

    def test_operations_are_not_on_the_public_listener(self):
        for path in ("/metrics", "/livez", "/readyz"):
            self.assertEqual(call(path).status, 404)
            self.assertEqual(call(path, base=OPERATIONS).status, 200)


if __name__ == "__main__":
    unittest.main()
