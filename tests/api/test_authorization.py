"""Every operation of /openapi.json is tried with every kind of token that is not meant for it; a new one cannot be forgotten.

What an operation is for is read from its `security`. A department's records are made by one department (RECORDS below, one entry for
each path with a parameter) and asked for by another, which must not find them.
"""
import functools
import json
import os
import unittest
import urllib.parse

from client import call, client_token, login_verified, new_client, sql, staff_session

ROLES = ("system", "security", "audit", "operator", "manager", "engineer")
SCOPES = ("contracts", "services", "clients", "traffic", "webhooks")
METHODS = ("get", "put", "post", "delete", "patch")
OWNER, STRANGER = "metro", "bus"

# Operations of staff's and departments' interfaces that anybody may call: who logs in has no token yet.
OPEN = {"openStaffSession", "readOidc", "beginOidc", "finishOidc"}


@functools.cache
def document():
    return call("/openapi.json").json


def resolved(thing):
    while "$ref" in thing:
        at = document()
        for part in thing["$ref"].removeprefix("#/").split("/"):
            at = at[part.replace("~1", "/").replace("~0", "~")]
        thing = {**at, **{name: value for name, value in thing.items() if name != "$ref"}}
    return thing


def operations():
    for path, item in document()["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def meant_for(operation):
    """The roles and scopes that may call it, and whether citizens or guests may."""
    roles, scopes, citizens, guests = set(), set(), False, not operation.get("security")
    for way in operation.get("security", []):
        if not way:
            guests = True
        for scheme, names in way.items():
            if scheme == "staff":
                roles |= set(names or ROLES)
            elif scheme == "client":
                scopes |= set(names)
            else:
                citizens = True
    return roles, scopes, citizens, guests


@functools.cache
def of_role(role, department=OWNER):
    place = {"department": department} if role in ("manager", "engineer", "operator") else {}
    return staff_session(role, **place)


@functools.cache
def of_scope(scope, department=OWNER):
    return client_token(department, [scope])


@functools.cache
def of_citizen():
    return login_verified()


def example(schema):
    """A value that the schema takes."""
    schema = resolved(schema)
    for name in ("example", "const", "default"):
        if name in schema:
            return schema[name]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    for name in ("oneOf", "anyOf", "allOf"):
        if schema.get(name):
            return example(schema[name][0])
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: example(schema["properties"][name]) for name in schema.get("required", []) if name in schema.get("properties", {})}
    if kind == "array":
        return [example(schema.get("items", {}))] * schema.get("minItems", 0)
    if kind == "string":
        formats = {"uuid": "00000000-0000-7000-8000-000000000000", "date": "2026-03-01", "date-time": "2026-03-01T09:00:00+08:00",
                   "uri": "https://example.org/", "email": "a@example.org"}
        return formats.get(schema.get("format"), "a" * max(1, schema.get("minLength", 1)))
    return {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": False, "null": None}[kind]


def body_of(operation):
    """Bytes and media type of a request's body, or (None, None)."""
    content = resolved(operation.get("requestBody", {})).get("content", {})
    for media, said in content.items():
        if media.endswith("json"):
            if "example" in said:
                value = said["example"]
            elif said.get("examples"):
                value = resolved(next(iter(said["examples"].values())))["value"]
            else:
                value = example(said.get("schema", {}))
            return json.dumps(value).encode(), media
    return (b"x", next(iter(content))) if content else (None, None)


def ask(method, path, operation, token, values=None):
    for parameter in operation.get("parameters", []) + document()["paths"][path].get("parameters", []):
        parameter = resolved(parameter)
        if parameter["in"] == "query" and parameter.get("required"):
            given = (values or {}).get(parameter["name"]) or str(parameter.get("example") or example(parameter["schema"]))
            path += ("&" if "?" in path else "?") + urllib.parse.urlencode({parameter["name"]: given})
        elif parameter["in"] == "path":
            given = (values or {}).get(parameter["name"]) or str(parameter.get("example") or example(parameter["schema"]))
            path = path.replace("{%s}" % parameter["name"], given)
    raw, media = body_of(operation)
    headers = {"If-Match": '"1"', "Idempotency-Key": '"00000000-0000-7000-8000-000000000001"'}
    return call(path, method, raw=raw, token=token, headers=headers | ({"Content-Type": media} if media else {}))


class Kinds(unittest.TestCase):
    def test_no_operation_of_staff_or_departments_is_open_but_those_named_here(self):
        found = {operation["operationId"] for _, path, operation in operations()
                 if path.startswith(("/admin/", "/department/")) and meant_for(operation)[3]}
        self.assertEqual(found, OPEN)

    def test_an_operation_answers_nobody_without_a_token(self):
        for method, path, operation in operations():
            roles, scopes, citizens, guests = meant_for(operation)
            if guests:
                continue
            with self.subTest(operation["operationId"]):
                self.assertEqual(ask(method, path, operation, None).status, 401)
                self.assertEqual(ask(method, path, operation, "A" * 43).status, 401)

    def test_a_citizen_is_nobody_where_staff_or_clients_act_and_they_are_nobody_where_citizens_act(self):
        tokens = [of_role("system"), of_role("engineer"), of_scope("services")]
        for method, path, operation in operations():
            roles, scopes, citizens, guests = meant_for(operation)
            with self.subTest(operation["operationId"]):
                if roles or scopes:
                    self.assertEqual(ask(method, path, operation, of_citizen()).status, 401)
                elif citizens and not guests:
                    for token in tokens:
                        self.assertEqual(ask(method, path, operation, token).status, 401)

    def test_a_role_or_scope_that_is_not_named_is_refused(self):
        tried = 0
        for method, path, operation in operations():
            roles, scopes, _, _ = meant_for(operation)
            if not roles and not scopes:
                continue
            with self.subTest(operation["operationId"]):
                for role in set(ROLES) - roles:
                    self.assertEqual(ask(method, path, operation, of_role(role)).status, 403 if roles else 401, role)
                    tried += 1
                for scope in set(SCOPES) - scopes:
                    self.assertEqual(ask(method, path, operation, of_scope(scope)).status, 403 if scopes else 401, scope)
                    tried += 1
        self.assertGreater(tried, 100)


# For each path of a department's interface with parameters: how the owner makes such a record; its values by parameter.
@functools.cache
def a_client():
    client, credential = new_client(OWNER, ["traffic"])
    return {"id": client["id"], "credential": credential["id"]}


@functools.cache
def a_webhook():
    """Paused, so that nobody is called."""
    webhook = sql(f"INSERT INTO shimin.webhook (department, url, types, state, created_by) VALUES ('{OWNER}', 'https://hooks.example/', "
                  "'{}', 'paused', 'test') RETURNING id")[0][0]
    sql(f"INSERT INTO shimin.event (type, department, data, only_webhook) VALUES ('city.shimin.test', '{OWNER}', '{{}}', '{webhook}')")
    return {"id": webhook, "delivery": sql(f"SELECT id FROM shimin.delivery WHERE webhook = '{webhook}'")[0][0]}


@functools.cache
def an_engineer():
    answer = call("/department/v1/staff", body={"name": f"engineer.{os.getpid()}.owned", "display_name": "王工", "roles": ["engineer"]},
                  token=of_role("manager"))
    assert answer.status == 201, answer
    return {"id": answer.json["id"]}


@functools.cache
def a_system():
    """A system with a contract and the draft of a service."""
    name, token = f"owned-{os.getpid()}", of_role("engineer")
    contract = {"openapi": "3.1.1", "info": {"title": name, "version": "1"}, "paths": {"/x": {"get": {
        "operationId": "readX", "responses": {"200": {"description": "x", "content": {"application/json": {"schema": {"type": "object"}}}}}}}}}
    registered = call(f"/department/v1/contracts?system={name}", body=contract, token=token)
    assert registered.status == 201, registered
    definition = {"slug": f"{OWNER}-{name}", "name": {"zh": "例", "en": "Example"}, "summary": {"zh": "例", "en": "Example"}, "pinyin": "l",
                  "category": "travel", "archetype": "query", "level": "L0", "personal": False,
                  "operation": {"id": "readX", "request": {}, "items": "", "masks": {}, "cache": {"fresh": 0, "stale": 0}}}
    drafted = call(f"/department/v1/services/{OWNER}-{name}", "PUT", {"system": name, "definition": definition}, token=token)
    assert drafted.status == 201, drafted
    return {"system": name, "environment": "test", "sha256": registered.json["sha256"], "service": f"{OWNER}-{name}", "number": "1"}


RECORDS = {
    **{f"/department/v1/{path}": a_system for path in (
        "contracts/{sha256}", "contracts/{sha256}/document",
        "contracts/{sha256}/diff", "services/{service}", "services/{service}/try", "services/{service}/submit",
        "services/{service}/rollback", "services/{service}/promote", "services/{service}/share",
        "services/{service}/versions/{number}/gate", "services/{service}/versions/{number}/retirement", "services/{service}/probe")},
    "/department/v1/staff/{id}": an_engineer,
    "/department/v1/staff/{id}/reset": an_engineer,
    "/department/v1/staff/{id}/sessions": an_engineer,
    "/department/v1/clients/{id}": a_client,
    "/department/v1/clients/{id}/credentials": a_client,
    "/department/v1/clients/{id}/credentials/{credential}": a_client,
    "/department/v1/webhooks/{id}": a_webhook,
    "/department/v1/webhooks/{id}/keys": a_webhook,
    "/department/v1/webhooks/{id}/test": a_webhook,
    "/department/v1/webhooks/{id}/deliveries": a_webhook,
    "/department/v1/webhooks/{id}/deliveries/{delivery}/replay": a_webhook,
    "/department/v1/webhooks/{id}/replay": a_webhook,
}


# Refused with more than 404: what is handed in names a system, which the stranger has not.
REFUSED = {"PUT /department/v1/services/{service}": 422}

# A system has its name from its department: who asks for another's gets their own, and the owner's must stay as it was.
OWN_NAMES = ("/department/v1/systems/",)


class Owners(unittest.TestCase):
    def test_a_name_that_another_department_uses_too_is_another_record(self):
        owned, token = a_system(), of_role("engineer")
        path = f"/department/v1/systems/{owned['system']}"
        before = call(path, token=token).json
        for method, template, operation in operations():
            if template.startswith(OWN_NAMES):
                for role in meant_for(operation)[0]:
                    ask(method, template, operation, of_role(role, STRANGER), owned)
        self.assertEqual(call(path, token=token).json, before)

    def test_the_records_of_another_department_are_not_there(self):
        for method, path, operation in operations():
            if not path.startswith("/department/") or path.startswith(OWN_NAMES) or "{" not in path:
                continue
            with self.subTest(f"{method} {path}"):
                self.assertIn(path, RECORDS, "say in RECORDS how a record of this path is made")
                roles, scopes, _, _ = meant_for(operation)
                tokens = [of_role(role, STRANGER) for role in roles] + [of_scope(scope, STRANGER) for scope in scopes]
                for token in tokens:
                    self.assertEqual(ask(method, path, operation, token, RECORDS[path]()).status, REFUSED.get(f"{method} {path}", 404))


if __name__ == "__main__":
    unittest.main()
