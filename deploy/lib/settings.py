"""deploy/shimin.yaml and the environment: ports, and what a stack elsewhere needs to differ in."""
import os
import pathlib
import re
import socket

import yaml

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = CHECKOUT / "deploy/shimin.yaml"

# A stack's ports: the key of the configuration that holds each, and what to look for in it where it is part of a text.
PORTS = {
    "tls": ("listen.tls.port", None),
    "plain": ("listen.plain.port", None),
    "operations": ("listen.operations.port", None),
    "control": ("sandbox.control_port", None),
    "providers": ("sandbox.providers_port", None),
    "first": ("sandbox.first_port", None),
    "postgres": ("postgres.owner", r"port=(\d+)"),
    "redis": ("redis.url", r":(\d+)/"),
}
DEPARTMENTS = 43

# What a start makes or fills, relative to the directory of the stack.
PATHS = {
    "tls.certificate": "secrets/gateway.pem",
    "tls.private_key": "secrets/gateway.key",
    "keys.file": "secrets/keys.yaml",
    "secrets.file": "secrets/departments.yaml",
    "audit.signing_key": "secrets/audit.key",
    "audit.public_keys": "secrets/audit",
    "federation.ca": "secrets/ca.pem",
    "federation.spool": "spool",
    "catalogue.snapshot": "catalogue",
    "payments.ca": "secrets/ca.pem",
    "payments.wechat.private_key": "secrets/payments/wechat-merchant.key",
    "payments.wechat.certificate": "secrets/payments/wechat-merchant.pem",
    "payments.wechat.platform": "secrets/payments/wechat-platform.pem",
    "payments.wechat.v3_key": "secrets/payments/wechat-v3.key",
    "payments.alipay.private_key": "secrets/payments/alipay-app.key",
    "payments.alipay.platform": "secrets/payments/alipay-platform.pub",
    "payments.unionpay.private_key": "secrets/payments/unionpay-merchant.key",
    "payments.unionpay.certificate": "secrets/payments/unionpay-merchant.pem",
    "payments.unionpay.authority": "secrets/payments/unionpay-ca.pem",
    "sandbox.providers_keys": "secrets/payments",
    "sandbox.providers_file": "run/providers",
    "sandbox.certificate": "secrets/sandbox.pem",
    "sandbox.private_key": "secrets/sandbox.key",
    "sandbox.ca": "secrets/ca.pem",
}


def variable(key):
    return "SHIMIN_" + key.upper().replace(".", "_")


def _of_file(key):
    value = yaml.safe_load(CONFIG.read_text())
    for part in key.split("."):
        value = value[part]
    return str(value)


def configured_ports():
    """Those of ./deploy/run: the environment's, else the file's."""
    ports = {}
    for name, (key, pattern) in PORTS.items():
        given = os.environ.get(f"SHIMIN_{name.upper()}_PORT") if pattern else None
        text = os.environ.get(variable(key)) or _of_file(key)
        if pattern and not given:
            match = re.search(pattern, text)
            if not match:
                raise SystemExit(f"{key} names no port: {text}")
            given = match[1]
        ports[name] = int(given or text)
    return ports


def _is_free(port):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("0.0.0.0", port))
            return True
        except OSError:
            return False


def free_ports():
    """A range below the ports that the kernel hands out (32768), so that no client of the tests can take one meanwhile."""
    start = 22000 + os.getpid() * 64 % 10000
    for offset in range(0, 10000, 64):
        base = 22000 + (start - 22000 + offset) % 10000
        if all(_is_free(port) for port in range(base, base + len(PORTS) - 1 + DEPARTMENTS)):
            names = [name for name in PORTS if name != "first"]
            return {name: base + i for i, name in enumerate(names)} | {"first": base + len(names)}
    raise SystemExit("no free range of ports between 22000 and 32000")


def taken(ports):
    wanted = [port for name, port in ports.items() if port and name != "first"]
    return [port for port in wanted + [ports["first"] + i for i in range(DEPARTMENTS)] if not _is_free(port)]


def environment(directory, ports, redis_password):
    """Everything that differs from deploy/shimin.yaml, for the programs of a stack in that directory."""
    application, owner = (
        re.sub(r"port=\d+", f"port={ports['postgres']}", os.environ.get(variable(key)) or _of_file(key))
        for key in ("postgres.application", "postgres.owner"))
    keys = {key: str(directory / path) for key, path in PATHS.items()}
    keys |= {key: str(ports[name]) for name, (key, pattern) in PORTS.items() if not pattern}
    keys |= {"postgres.application": application, "postgres.owner": owner,
             "redis.url": f"redis://:{redis_password}@127.0.0.1:{ports['redis']}/0"}
    if "SHIMIN_HTTP_PROBLEM_BASE" not in os.environ:
        keys["http.problem_base"] = f"https://localhost:{ports['tls']}/problems/"
    if "SHIMIN_OAUTH_ISSUER" not in os.environ:
        keys["oauth.issuer"] = f"https://localhost:{ports['tls']}"
    providers = f"http://127.0.0.1:{ports['providers']}"
    of_providers = {
        "payments.notify_url": f"https://localhost:{ports['tls']}/v1/payment-notices", "payments.wechat.address": providers,
        "payments.alipay.address": f"{providers}/gateway.do", "payments.alipay.bill_address": providers,
        "payments.unionpay.address": f"{providers}/gateway/api", "payments.unionpay.file_address": f"{providers}/",
    }
    keys |= {key: value for key, value in of_providers.items() if variable(key) not in os.environ}
    given = {name: value for name, value in os.environ.items() if name.startswith("SHIMIN_") and not name.endswith("_PORT")}
    return given | {variable(key): value for key, value in keys.items()} | {
        "SHIMIN_CONFIG": str(CONFIG),
        "PGPASSFILE": str(directory / "secrets/pgpass"),
        "SHIMIN_URL": f"https://localhost:{ports['tls']}",
        "SHIMIN_PLAIN_URL": f"http://127.0.0.1:{ports['plain']}",
        "SHIMIN_SANDBOX": f"http://127.0.0.1:{ports['control']}",
        "SHIMIN_PROVIDERS": providers,
        "SHIMIN_OPERATIONS": f"http://127.0.0.1:{ports['operations']}",
        "SHIMIN_CA": str(directory / "secrets/ca.pem"),
        "SHIMIN_DIRECTORY": str(directory),
    }
