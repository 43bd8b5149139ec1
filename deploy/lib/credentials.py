"""What a first start makes under secrets/: an authority of its own with three certificates, passwords, the key file, and the
departments' credentials by the schemes that their contracts name. What is there already stays."""
import base64
import json
import os
import pathlib
import secrets
import subprocess

import yaml

DAYS = 825
RENEW_SECONDS = 30 * 86400
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
# file: common name, extended key usage
CERTIFICATES = {
    "gateway": ("localhost", "serverAuth"),
    "sandbox": ("sandbox", "serverAuth"),
    "client": ("shimin gateway", "clientAuth"),
}


def _openssl(*words, **options):
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise SystemExit(f"openssl {words[0]} failed:\n{done.stderr}")
    return done.stdout


def _private(path, text):
    """Written whole or not at all, and never readable by others."""
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    aside.rename(path)


def _is_good(certificate):
    return certificate.exists() and subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-checkend", str(RENEW_SECONDS)], capture_output=True, check=False).returncode == 0


def _make_authority(folder):
    key, certificate = folder / "ca.key", folder / "ca.pem"
    if key.exists() and _is_good(certificate):
        return False
    _private(key, _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    _openssl("req", "-x509", "-new", "-key", key, "-sha256", "-days", DAYS * 4, "-subj", "/CN=Shimin private authority", "-out", certificate,
             "-addext", "basicConstraints=critical,CA:TRUE,pathlen:0", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    return True


def _make_certificate(folder, name, renew):
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    if not renew and key.exists() and _is_good(certificate):
        return
    common_name, usage = CERTIFICATES[name]
    _private(key, _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"))
    request = _openssl("req", "-new", "-key", key, "-subj", f"/CN={common_name}")
    extensions = folder / "extensions.new"
    extensions.write_text(f"{NAMES}\nextendedKeyUsage={usage}\nkeyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n")
    _openssl("x509", "-req", "-in", "/dev/stdin", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-sha256", "-days", DAYS,
             "-extfile", extensions, "-out", certificate, input=request)
    extensions.unlink()


def _hmac(_, slug):
    return {"key_id": f"shimin-{slug}", "hmac_key": base64.b64encode(secrets.token_bytes(32)).decode()}


def _key(algorithm):
    return lambda _, slug: {"key_id": f"shimin-{slug}", "private_key": _openssl("genpkey", "-algorithm", algorithm)}


def _oauth(_, slug):
    return {"client_id": f"shimin-{slug}", "client_secret": secrets.token_urlsafe(32)}


def _certificate(folder, _):
    return {"certificate": "client.pem", "private_key": "client.key", "ca": "ca.pem"}


# A new signing scheme of a department: a line here, beside the one in gateway/federation/signer.c.
SCHEMES = {
    "hmac-sha256": _hmac,
    "hmac-sm3": _hmac,
    "sm2": _key("SM2"),
    "signature": _key("ed25519"),
    "oauth2": _oauth,
    "mutualtls": _certificate,
}


def _schemes(contract):
    for scheme in contract.get("components", {}).get("securitySchemes", {}).values():
        yield (scheme["scheme"] if scheme["type"] == "http" else scheme["type"]).lower()


def _make_departments(folder, contracts):
    path = folder / "departments.yaml"
    departments = yaml.safe_load(path.read_text())["departments"] if path.exists() else {}
    before = dict(departments)
    for file in sorted(pathlib.Path(contracts).iterdir()):
        if file.suffix not in (".yaml", ".json") or file.stem in departments:
            continue
        contract = json.loads(file.read_text()) if file.suffix == ".json" else yaml.safe_load(file.read_text())
        for scheme in _schemes(contract):
            departments.setdefault(file.stem, {}).update(SCHEMES[scheme](folder, file.stem))
    if departments != before or not path.exists():
        _private(path, "# Credentials towards departments; the sandbox checks calls with the same.\n"
                 + yaml.safe_dump({"departments": departments}, allow_unicode=True, default_flow_style=False))


def _make_signed(folder, name, common_name, authority=None):
    """An RSA key and its certificate, by an authority of the folder or by itself."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    if key.exists() and _is_good(certificate):
        return
    _private(key, _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))
    if authority:
        request = _openssl("req", "-utf8", "-new", "-key", key, "-subj", f"/CN={common_name}")
        _openssl("x509", "-req", "-in", "/dev/stdin", "-CA", folder / f"{authority}.pem", "-CAkey", folder / f"{authority}.key", "-sha256",
                 "-days", DAYS, "-out", certificate, input=request)
    else:
        _openssl("req", "-utf8", "-x509", "-new", "-key", key, "-sha256", "-days", DAYS * 2, "-subj", f"/CN={common_name}", "-out", certificate)


def _make_pair(folder, name):
    key, public = folder / f"{name}.key", folder / f"{name}.pub"
    if not key.exists():
        _private(key, _openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))
    if not public.exists():
        _openssl("pkey", "-in", key, "-pubout", "-out", public)


def _make_providers(folder):
    """Both sides of the payment providers' keys: the gateway is told of one, the sandbox has the other."""
    folder.mkdir(mode=0o700, exist_ok=True)
    _make_signed(folder, "wechat-merchant", "1900000109")
    _make_signed(folder, "wechat-platform", "Tenpay.com sandbox")
    if not (folder / "wechat-v3.key").exists():
        _private(folder / "wechat-v3.key", secrets.token_hex(16))
    _make_pair(folder, "alipay-app")
    _make_pair(folder, "alipay-platform")
    _make_signed(folder, "unionpay-ca", "UnionPay sandbox authority")
    _make_signed(folder, "unionpay-merchant", "merchant", "unionpay-ca")
    _make_signed(folder, "unionpay-platform", "041@Z12@中国银联股份有限公司@00000062", "unionpay-ca")


def _make_passwords(folder):
    for name in ("postgres", "shimin_owner", "shimin_gateway", "redis"):
        path = folder / f"{name}.password"
        if not path.exists():
            _private(path, secrets.token_urlsafe(24) + "\n")


def password(directory, name):
    return (directory / "secrets" / f"{name}.password").read_text().strip()


def make(directory, contracts, program):
    folder = directory / "secrets"
    folder.mkdir(mode=0o700, exist_ok=True)
    new_authority = _make_authority(folder)
    for name in CERTIFICATES:
        _make_certificate(folder, name, new_authority)
    _make_passwords(folder)
    _private(folder / "pgpass", "".join(
        f"*:*:*:{user}:{password(directory, user)}\n" for user in ("postgres", "shimin_owner", "shimin_gateway")))
    if not (folder / "keys.yaml").exists():
        subprocess.run([program, "keys", "create", folder / "keys.yaml"], check=True, stdout=subprocess.DEVNULL)
    (folder / "audit").mkdir(exist_ok=True)
    if not (folder / "audit.key").exists():
        subprocess.run([program, "keys", "signing", folder / "audit.key", folder / "audit"], check=True, stdout=subprocess.DEVNULL)
    _make_providers(folder / "payments")
    _make_departments(folder, contracts)
