"""Every operation of /openapi.json, tried by everybody whose it is not: a new one cannot be forgotten."""
import functools
import unittest
import uuid

from client import call, client_token, login, staff_session

ROLES = ("system", "security", "audit", "operator", "manager", "engineer")
SCOPES = ("contracts", "services", "clients", "traffic", "webhooks")


@functools.cache
def session(role):
    return staff_session(role, "metro" if role in ("manager", "engineer") else None, "510104" if role == "operator" else None)


@functools.cache
def token(scope):
    return client_token("metro", [scope])


def path_of(template, parameters):
    """The template with a value for each of its parameters that its schema would take; nothing behind it needs to exist."""
    for parameter in parameters:
        if parameter["in"] == "path":
            schema = parameter.get("schema", {})
            value = str(uuid.uuid4()) if schema.get("format") == "uuid" else "1" if schema.get("type") == "integer" else "metro"
            template = template.replace("{" + parameter["name"] + "}", value)
    return template


class EverybodyElses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        document = call("/openapi.json").json
        resolve = lambda node: functools.reduce(lambda at, name: at[name], node["$ref"][2:].split("/"), document) if "$ref" in node else node
        cls.operations = []
        for template, item in document["paths"].items():
            shared = [resolve(p) for p in item.get("parameters", [])]
            for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
                operation = item[method]
                security = operation.get("security", document.get("security", []))
                roles = [role for way in security for role in way.get("staff", []) or (ROLES if "staff" in way else [])]
                scopes = [scope for way in security for scope in way.get("client", [])]
                if roles or scopes:
                    path = path_of(template, shared + [resolve(p) for p in operation.get("parameters", [])])
                    cls.operations.append((method.upper(), path, set(roles), set(scopes)))

    def test_there_are_such_operations(self):
        self.assertGreater(len(self.operations), 20)

    def test_nobody_and_citizens_are_not_let_in(self):
        citizen = login()
        for method, path, _, _ in self.operations:
            for bearer in (None, citizen, "A" * 43):
                self.assertEqual(call(path, method, token=bearer).status, 401, (method, path, bearer))

    def test_staff_without_the_role_are_forbidden(self):
        for method, path, roles, _ in self.operations:
            for role in ROLES:
                if role not in roles:
                    self.assertEqual(call(path, method, token=session(role)).status, 403 if roles else 401, (method, path, role))

    def test_clients_without_the_scope_are_forbidden(self):
        for method, path, _, scopes in self.operations:
            for scope in SCOPES:
                if scope not in scopes:
                    self.assertEqual(call(path, method, token=token(scope)).status, 403 if scopes else 401, (method, path, scope))

    def test_under_the_paths_of_administrators_and_departments_nothing_is_anybodys_but_login(self):
        anybodys = set()
        document = call("/openapi.json").json
        for template, item in document["paths"].items():
            if template.startswith(("/admin/", "/department/")):
                anybodys |= {f"{method} {template}" for method in item.keys() & {"get", "post", "put", "patch", "delete"}
                             if not item[method].get("security", document.get("security"))}
        self.assertEqual(anybodys, {"post /admin/v1/sessions", "post /admin/v1/oidc/authorizations", "post /admin/v1/oidc/sessions"})


if __name__ == "__main__":
    unittest.main()
