"""A department that brings an interface of its own: its document, its backend, and the calls of its engineer."""
import itertools
import json
import os

import backend
import client
from client import call, staff_session

EXAMPLES = os.environ.get("SHIMIN_OAS_EXAMPLES")
_numbers = itertools.count(1)
_departments = []


def wait_until(condition, what="condition"):
    """For machines of every speed."""
    return client.wait_until(condition, 60, what)


def remove_services():
    """For each module's end: other tests count the services of the catalogue."""
    token = staff_session("system")
    for department in _departments:
        call(f"/admin/v1/services/{department.slug}", "DELETE", token=token)
    wait_until(lambda: not any(department.asked().status == 200 for department in _departments), what="the catalogue as it was")
    _departments.clear()


CONTRACT = {
    "openapi": "3.0.3",
    "info": {"title": "Arrivals", "version": "1.0.0"},
    "paths": {
        "/arrivals": {"get": {
            "operationId": "listArrivals",
            "parameters": [{"name": "station", "in": "query", "required": True, "schema": {"type": "string"}},
                           {"name": "filter", "in": "query", "style": "deepObject", "schema": {"type": "object"}}],
            "responses": {"200": {"description": "Arrivals", "content": {"application/json": {"schema": {
                "type": "object", "required": ["arrivals"], "properties": {"arrivals": {"type": "array", "items": {
                    "$ref": "#/components/schemas/Arrival"}}}}}}}}}},
        "/trips": {"get": {
            "operationId": "listTrips",
            "parameters": [{"name": "id_number", "in": "query", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "Trips", "content": {"application/json": {"schema": {
                "type": "object", "properties": {"trips": {"type": "array", "items": {"type": "object", "properties": {
                    "trip": {"type": "string"}, "holder": {"type": "string"}}}}}}}}}}}},
        "/reports": {"post": {
            "operationId": "fileReport",
            "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}],
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Report"}}}},
            "responses": {"201": {"description": "Filed", "content": {"application/json": {"schema": {
                "type": "object", "required": ["number"], "properties": {"number": {"type": "string"}}}}}}}}},
        "/reports/latest": {"put": {
            "operationId": "putReport",
            "requestBody": {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Report"}}}},
            "responses": {"200": {"description": "Put", "content": {"application/json": {"schema": {
                "type": "object", "required": ["edits"], "properties": {"edits": {"type": "integer"}}}}}}}}},
        "/lines/{line}/stations": {"get": {
            "operationId": "listStations",
            "parameters": [{"name": "line", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "Stations", "content": {"application/json": {"schema": {
                "type": "object", "properties": {"stations": {"type": "array", "items": {"type": "string"}}}}}}}}}},
        "/files": {"post": {
            "operationId": "upload",
            "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {"type": "object"}}}},
            "responses": {"204": {"description": "Done"}}}},
    },
    "components": {
        "schemas": {"Arrival": {"type": "object", "required": ["line", "minutes"], "properties": {
            "line": {"type": "string"}, "minutes": {"type": "integer"}, "via": {"$ref": "#/components/schemas/Arrival"}}},
            "Report": {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}},
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
    },
    "security": [{"key": []}],
}
ARRIVALS = {"/arrivals": {"arrivals": [{"line": "1", "minutes": 3}]},
            "/trips": {"trips": [{"trip": "天府广场 → 春熙路", "holder": "11010519491231002X"}]}}


def definition(slug, **more):
    return {"slug": slug, "name": {"zh": "地铁到站", "en": "Metro arrivals"}, "summary": {"zh": "几时到站。", "en": "When the train comes."},
            "pinyin": "dtdz", "category": "travel", "archetype": "query", "level": "L0", "personal": False,
            "promise": {"working_days": 0},
            "operation": {"id": "listArrivals", "request": {"station": "query.station"}, "items": "/arrivals", "masks": {},
                          "cache": {"fresh": 0, "stale": 0}},
            "parameters": [{"name": "station", "required": True, "schema": {"type": "string", "default": "天府广场"},
                            "description": {"zh": "车站", "en": "Station"}}], **more}


def trips(slug, masks):
    return {**definition(slug, level="L2", personal=True, operation={
        "id": "listTrips", "request": {"id_number": "citizen.id_number"}, "items": "/trips", "masks": masks,
        "cache": {"fresh": 0, "stale": 0}}), "parameters": None}


def writing(slug, operation):
    """A service that changes something at the department."""
    return {**definition(slug, level="L1", archetype="report", operation={
        "id": operation, "request": {"/text": "query.text"}, "items": "", "masks": {}}), "parameters": [
            {"name": "text", "required": True, "schema": {"type": "string"}, "description": {"zh": "内容", "en": "Text"}}]}


class Department:
    """Metro, unless it is another, with a system of its own for each test."""

    def __init__(self, answers=ARRIVALS, of="metro", **more):
        self.backend = backend.Backend(dict(answers), **more)
        self.credentials, self.contract = {"api_key": "right"}, CONTRACT
        self.name = f"arrivals-{os.getpid()}-{next(_numbers)}"
        self.slug = f"{of}-{self.name}"
        self.token = staff_session("engineer", of)
        _departments.append(self)

    def call(self, path, method=None, body=None, **more):
        return call("/department/v1" + path, method, body, token=self.token, **more)

    def register(self, contract=None):
        contract = contract or self.contract
        document = {**contract, "info": {**contract["info"], "description": self.name}}
        return self.call(f"/contracts?system={self.name}", "POST", raw=json.dumps(document).encode(),
                         headers={"Content-Type": "application/json"})

    def connect(self, **more):
        etag = self.call(f"/systems/{self.name}").headers["ETag"]
        answer = self.call(f"/systems/{self.name}", "PUT", {"production": self.backend.url, "test": self.backend.url, **more},
                           headers={"If-Match": etag} if etag else {})
        assert answer.status in (200, 201), answer
        for environment in ("production", "test"):
            answer = self.call(f"/systems/{self.name}/credentials/{environment}", "PUT", self.credentials)
            assert answer.status == 200, answer

    def draft(self, what=None, **more):
        what = {name: value for name, value in (what or definition(self.slug)).items() if value is not None}
        now = self.call(f"/services/{self.slug}")
        at_work = [v["edition"] for v in now.json["versions"] if v["state"] in ("draft", "submitted", "failed", "refused")
                   ] if now.status == 200 else []
        return self.call(f"/services/{self.slug}", "PUT", {"system": self.name, "definition": what, **more},
                         headers={"If-Match": f'"{at_work[0]}"'} if at_work else {})

    def try_out(self, **order):
        return self.call(f"/services/{self.slug}/try", "POST", order)

    def submit(self):
        return self.call(f"/services/{self.slug}/submit", "POST")

    def ready(self, what=None, **more):
        """Registered, connected, drafted, and its credentials known to every worker."""
        answer = self.register()
        assert answer.status in (200, 201), answer
        self.connect(**more)
        answer = self.draft(what)
        assert answer.status in (200, 201), answer
        wait_until(lambda: all(self.try_out(parameters={}).json["credentials"] is None for _ in range(6)), "the credentials")

    def publish(self, what=None, share=None):
        self.ready(what) if what is None or share is None else self.draft(what)
        report = self.submit()
        assert report.status == 200 and report.json["passed"], report.json
        return decide(self.slug, **({"share": share} if share else {}))

    def asked(self, token=None, station="天府广场"):
        return call(f"/v1/services/{self.slug}/records", token=token)


def decide(slug, decision="approve", token=None, etag=None, language="zh", **more):
    token = token or staff_session("system")
    etag = etag or call(f"/admin/v1/submissions/{slug}", token=token).headers["ETag"] or '"0"'
    return call(f"/admin/v1/submissions/{slug}/decision", "POST", {"decision": decision, "reason": "核对无误", **more}, token=token,
                headers={"If-Match": etag, "Accept-Language": language})
