"""The registry: documents of other people's making, with every scheme and every kind of schema that they use."""
import base64
import subprocess
import unittest

from client import call
from registrant import ARRIVALS, CONTRACT, Department, decide, definition, remove_services, wait_until


def tearDownModule():
    remove_services()


def key(*options):
    return subprocess.run(["openssl", "genpkey", "-algorithm", *options], check=True, capture_output=True, text=True).stdout


SECRET = base64.b64encode(b"a secret of sixteen bytes or more").decode()
TOKEN = {"access_token": "a", "token_type": "Bearer", "expires_in": 600}
# scheme, credentials, and where the proof is seen: a header, or a parameter of the query
SCHEMES = {
    "key in a header": ({"type": "apiKey", "in": "header", "name": "X-Key"}, {"api_key": "k1"}, "X-Key"),
    "key in the query": ({"type": "apiKey", "in": "query", "name": "appkey"}, {"api_key": "k2"}, "?appkey"),
    "key in a cookie": ({"type": "apiKey", "in": "cookie", "name": "sid"}, {"api_key": "k3"}, "Cookie"),
    "basic": ({"type": "http", "scheme": "basic"}, {"username": "shimin", "password": "p"}, "Authorization"),
    "bearer": ({"type": "http", "scheme": "bearer"}, {"token": "t"}, "Authorization"),
    "HMAC-SHA256": ({"type": "http", "scheme": "HMAC-SHA256"}, {"key_id": "shimin", "hmac_key": SECRET}, "X-Department-Signature"),
    "HMAC-SM3": ({"type": "http", "scheme": "HMAC-SM3"}, {"key_id": "shimin", "hmac_key": SECRET}, "X-Department-Signature"),
    "SM2": ({"type": "http", "scheme": "SM2"}, {"key_id": "shimin", "private_key": key("EC", "-pkeyopt", "ec_paramgen_curve:SM2")},
            "X-Department-Signature"),
    "RFC 9421": ({"type": "http", "scheme": "Signature"}, {"key_id": "shimin", "private_key": key("ED25519")}, "Signature"),
    "OAuth 2.0": ({"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {}}}},
                  {"client_id": "shimin", "client_secret": "s"}, "Authorization"),
}


class Schemes(unittest.TestCase):
    def test_calls_are_signed_by_every_scheme_of_the_federation(self):
        for name, (scheme, credentials, proof) in SCHEMES.items():
            with self.subTest(name):
                department = Department({**ARRIVALS, "/token": lambda *_: TOKEN},
                                        checks=False)
                department.contract = {**CONTRACT, "components": {**CONTRACT["components"], "securitySchemes": {"key": scheme}}}
                department.credentials = credentials
                department.ready()
                report = department.try_out().json
                self.assertEqual((report["outcome"], report["credentials"]), ("ok", None), report)
                path, headers = department.backend.heard[-1]
                seen = path if proof.startswith("?") else {name.lower() for name in headers}
                self.assertIn(proof[1:] if proof.startswith("?") else proof.lower(), seen)
                shown = department.call(f"/systems/{department.name}").bytes.decode()
                for secret in (value for member, value in credentials.items() if member not in ("key_id", "username", "client_id")):
                    self.assertNotIn(f'"{secret}"', shown)


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Stops", "version": "7"},
    "paths": {"/areas/{area}/stops": {
        "parameters": [{"$ref": "#/components/parameters/Area"}],
        "get": {
            "operationId": "listStops",
            "parameters": [{"name": "kinds", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                           {"name": "X-Channel", "in": "header", "required": True, "schema": {"type": "string", "enum": ["app", "web"]}}],
            "responses": {
                "200": {"$ref": "#/components/responses/Stops"},
                "default": {"description": "Fault", "content": {"application/problem+json": {"schema": {"type": "object"}}}}}}}},
    "components": {
        "parameters": {"Area": {"name": "area", "in": "path", "required": True, "schema": {"$ref": "#/components/schemas/Code"}}},
        "responses": {"Stops": {"description": "Stops", "content": {
            "application/xml": {"schema": {"type": "object"}},
            "application/vnd.stops+json": {"schema": {"$ref": "#/components/schemas/Page"}},
            "text/csv": {}}}},
        "schemas": {
            "Code": {"type": "string", "pattern": "^[0-9]{6}$"},
            "Page": {"allOf": [{"$ref": "#/components/schemas/Counted"},
                               {"type": "object", "required": ["stops"], "properties": {
                                   "stops": {"type": "array", "items": {"$ref": "#/components/schemas/Stop"}}}}]},
            "Counted": {"type": "object", "required": ["count"], "properties": {"count": {"type": "integer", "minimum": 0}}},
            "Stop": {"oneOf": [{"$ref": "#/components/schemas/Bus"}, {"$ref": "#/components/schemas/Metro"}],
                     "discriminator": {"propertyName": "kind"}},
            "Bus": {"type": "object", "required": ["kind", "pole"], "properties": {"kind": {"const": "bus"}, "pole": {"type": "string"}}},
            "Metro": {"type": "object", "required": ["kind", "exits"], "properties": {
                "kind": {"const": "metro"}, "exits": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {
                    "$ref": "#/paths/~1areas~1%7Barea%7D~1stops/get/parameters/0/schema/items"}}]}}}},
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}}},
    "security": [{"key": []}],
}


class Documents(unittest.TestCase):
    def test_alternatives_deep_references_and_several_media_types_reach_a_citizen(self):
        stops = [{"kind": "bus", "pole": "A"}, {"kind": "metro", "exits": 4}, {"kind": "metro", "exits": ["A", "B"]}]
        heard = []

        def answer(method, target, headers, body):
            heard.append((target, headers.get("X-Channel"), headers.get("Accept")))
            if headers.get("x-api-key") != "right":
                return 401, {}
            if not target.startswith("/areas/510104/stops") or not headers.get("X-Channel"):
                return 400, {}
            return 200, {"count": 3, "stops": stops}

        department = Department()
        department.backend.type, department.backend.answer = "application/vnd.stops+json", answer
        department.contract = DOCUMENT
        department.ready({**definition(department.slug, operation={
            "id": "listStops", "request": {"area": "query.area", "kinds": "query.kinds", "X-Channel": "const:app"}, "items": "/stops",
            "masks": {}, "cache": {"fresh": 0, "stale": 0}}), "parameters": [
                {"name": "area", "required": True, "schema": {"type": "string", "default": "510104"}, "description": {"zh": "区域", "en": "Area"}},
                {"name": "kinds", "required": False, "schema": {"type": "string", "maxLength": 20}, "description": {"zh": "类", "en": "Kinds"}}]})
        report = department.submit().json
        self.assertTrue(report["passed"], report)
        self.assertEqual(decide(department.slug).json["state"], "live")
        ask = lambda: call(f"/v1/services/{department.slug}/records?area=510104&kinds=bus")  # noqa: E731
        answer = wait_until(lambda: (a := ask()).status == 200 and a, "the service")
        self.assertEqual(answer.json["items"], stops)
        self.assertEqual(heard[-1], ("/areas/510104/stops?kinds=bus", "app", "application/vnd.stops+json"))
        stops.append({"kind": "tram", "pole": "C"})  # neither of the alternatives
        self.assertEqual(ask().status, 502)


if __name__ == "__main__":
    unittest.main()
